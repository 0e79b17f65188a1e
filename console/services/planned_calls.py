"""The calls of a run that is to be asked, at any length of its texts: who reads and writes how
much in which step, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median
from typing import Literal

from ..engine.calls.window import OUTPUT_SHARE, USED, output_of, tokens_in, window_of
from ..engine.provider import Request, WebSearch
from ..engine.spec import Panelist, Spec
from ..engine.state import Step
from ..engine.terms import NobodyLeft
from ..engine.usage import Usage, cost_of
from ..money.asking import fees_of
from .expected import ANSWER, OURS, analysis_of, with_thoughts
from .habits import Habits, PastRun
from .quoted_web import (
    FINDINGS,
    QUERIES,
    claims_looked_up,
    extracts,
    looks_claims_up,
    most_findings,
    most_queries,
    of_a_seat,
    reads_for_queries,
    way_of,
    writes_queries,
)

Role = Literal["panel", "judge", "writer"]

_SHORTEST = 0.05  # of the usual length, below which a run says nothing about others
_FUSED = 1.1  # times as long as the answers it is written from


@dataclass(frozen=True)
class ModelAlone:
    """What one model alone would cost that answered the same prompt: the site's reference, where
    an admin has chosen one, else the run's writer."""

    who: Panelist
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class PlannedCall:
    """One call at a length: tokens that it reads and writes, and how many of those are text."""

    role: Role
    seat: int | None
    who: Panelist
    step: Step
    reads: float
    writes: float
    text: float
    fees: Decimal  # of searching itself, at most
    results: Decimal = Decimal(0)  # of what its provider finds for it

    @property
    def cost(self) -> Decimal | None:
        cost = cost_of(Usage(round(self.reads), round(self.writes)), self.who.price)
        return None if cost is None else cost + self.results

    @property
    def cost_at_most(self) -> Decimal | None:
        return None if (cost := self.cost) is None else cost + self.fees

    @property
    def fits(self) -> bool | None:
        window = window_of(self.who)
        # Where what is looked up is too long nobody is asked.
        if window is None or self.step in (Step.RESEARCH, Step.LOOKUP):
            return None
        room = min(round(self.writes), window // OUTPUT_SHARE)
        return self.reads + room <= window * USED


class PlannedCalls:
    """The calls of a run, at any length."""

    def __init__(self, spec: Spec, habits: Habits, answers: tuple[int, ...]) -> None:
        self._spec, self._habits, self._brought = spec, habits, answers
        self._known_fees: dict[tuple[Step, int | None], Decimal] = {}

    def at(
        self, asked: int, factor: float, *, limited: bool = True, searches: bool = True
    ) -> list[PlannedCall]:
        """With texts `factor` times as long as usual."""
        spec, policy = self._spec, self._spec.policy

        def call(
            role: Role, seat: int | None, who: Panelist, step: Step, reads: float,
            usual: tuple[int, int], most: int | None,
        ) -> PlannedCall:  # fmt: skip
            writes, text = self._usual(who, step, usual)
            writes, text = writes * factor, text * factor
            if limited and most is not None and writes > most:
                writes, text = most, text * most / writes
            return PlannedCall(
                role, seat, who, step, reads, writes, text, self._fees(step, seat, who)
            )

        def found(reader: Panelist) -> float:
            return extracts(spec, reader, 0, factor) if searches else 0.0

        def answer(seat: int, who: Panelist) -> PlannedCall:
            reads = asked + tokens_in(who.system_prompt)
            said = call("panel", seat, who, Step.PANEL, reads, ANSWER, who.max_output_tokens)
            if not searches:
                return said
            more, asks, fees = of_a_seat(spec, who, asked, factor)
            return replace(said, reads=reads + more, writes=said.writes + asks, results=fees)

        panel = [answer(seat, spec.panel[seat]) for seat in spec.asked]
        calls = [*panel]
        if searches and writes_queries(spec):
            calls.append(
                call("judge", None, spec.judge, Step.RESEARCH, reads_for_queries(asked), QUERIES,
                     most_queries(spec.judge))
            )  # fmt: skip
        if spec.stop_after == "panel":
            return calls
        texts = [one.text for one in panel] + [*self._brought]
        material, analysis = asked + sum(texts) + OURS, 0.0
        if len(texts) > 1 and spec.judge.can_judge:
            most = output_of(spec.judge, policy.analysis_max_output_tokens)
            judged = call(
                "judge", None, spec.judge, Step.ANALYSIS, material + found(spec.judge),
                analysis_of(len(texts)), most,
            )  # fmt: skip
            calls.append(judged)
            analysis = judged.text
            if searches and not spec.stop_after and looks_claims_up(spec):
                count, reads = claims_looked_up(spec, factor)
                one = call(
                    "judge", None, spec.judge, Step.LOOKUP, reads * count, FINDINGS,
                    most_findings(spec.judge),
                )  # fmt: skip
                calls.append(replace(one, writes=one.writes * count, text=one.text * count))
        if not spec.stop_after and spec.writer.can_judge:
            limits = (spec.request.get("max_output_tokens"), policy.synthesis_max_output_tokens)
            most = output_of(spec.writer, min(filter(None, limits), default=None))
            usual = round(median(texts) * _FUSED / factor) if texts else ANSWER[0]
            reads = material + analysis + found(spec.writer)
            calls.append(
                call("writer", None, spec.writer, Step.SYNTHESIS, reads, (usual, usual), most)
            )
        return calls

    def _fees(self, step: Step, seat: int | None, who: Panelist) -> Decimal:
        """However long its texts are."""
        if (known := self._known_fees.get((step, seat))) is None:
            known = self._known_fees[step, seat] = fees_of_a_call(self._spec, who, step)
        return known

    def factor_of(self, run: PastRun) -> float | None:
        """How much longer than usual its texts were, told by what it would cost today; None where
        that cannot be told."""
        prices = {(c.who.credential, c.who.model): c.who.price for c in self.at(0, 1)}
        # What its panel was asked has the extracts in it already.
        calls = (c for c in run.calls if c.step not in (Step.RESEARCH, Step.LOOKUP))
        costs = (cost_of(c.usage, prices.get((c.credential, c.model))) for c in calls)
        cost = sum_of(costs)
        none, usual = (
            sum_of(call.cost for call in self.at(run.asked, factor, limited=False, searches=False))
            for factor in (_SHORTEST, 1)
        )
        if cost is None or none is None or usual is None or usual <= none:
            return None
        by_length = (usual - none) / Decimal(str(1 - _SHORTEST))
        return max(_SHORTEST, _SHORTEST + float((cost - none) / by_length))

    def alone(
        self, asked: int, low: float, high: float, reference: Panelist | None
    ) -> ModelAlone | None:
        if self._spec.stop_after or len(self._spec.panel) == 1:
            return None
        who = reference or self._spec.writer
        if reference is None and not who.can_judge:
            return None
        usual, _ = self._usual(who, Step.PANEL, ANSWER)
        least, most = (
            cost_of(Usage(asked, round(usual * factor)), who.price) for factor in (low, high)
        )
        return ModelAlone(who, least, most)

    def seconds(self, calls: Iterable[PlannedCall]) -> float | None:
        """The queries, the panel at once, then the judge, then the writer."""
        longest: dict[Step, float] = {}
        for call in calls:
            took = self._seconds(call)
            if took is None:
                return None
            longest[call.step] = max(took, longest.get(call.step, 0.0))
        return sum(longest.values()) if longest else None

    def _seconds(self, call: PlannedCall) -> float | None:
        """A model that was never asked in this step takes as long for a token as in another."""
        who = call.who.credential, call.who.model
        if used := self._habits.get((call.step, *who)):
            return used.seconds
        others = (self._habits.get((step, *who)) for step in Step)
        used = next((u for u in others if u and u.low + u.high), None)
        return call.writes * used.seconds * 2 / (used.low + used.high) if used else None

    def _usual(self, who: Panelist, step: Step, else_: tuple[int, int]) -> tuple[float, float]:
        """(tokens that it writes, what of them is text)."""
        if used := self._habits.get((step, who.credential, who.model)):
            writes = max(1.0, (used.low + used.high) / 2)
            return writes, min(writes, writes if used.text is None else used.text)
        text = _between(else_)
        return text + _between(with_thoughts(who, (0, 0))), text


def fees_of_a_call(spec: Spec, who: Panelist, step: Step) -> Decimal:
    terms = who.terms
    with suppress(NobodyLeft):
        terms = spec.terms.and_also(who.terms)
    terms = terms if step is Step.PANEL else terms.without_beside()
    search = None
    if step is Step.PANEL and spec.research and way_of(spec, who) == "provider":
        search = WebSearch(spec.research.queries, spec.research.pages)
    request = Request(who.model, [], terms=terms, search=search)
    return fees_of(who.model, who.price, request)


def _between(ends: tuple[int, int]) -> float:
    return math.sqrt(ends[0] * ends[1])


def sum_of(costs: Iterable[Decimal | None]) -> Decimal | None:
    known = []
    for cost in costs:
        if cost is None:
            return None
        known.append(cost)
    return sum(known, Decimal(0))
