"""What another fusion of a run will probably cost and take, said before anybody is asked; what a
run will is said by `quote`.

It goes by list prices and by what calls of that model in that step used here: in this run if
there was one, else the last ones of the site, else by how long the texts are. A price that nobody
knows makes the whole unknown, which is never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from statistics import median

from ..catalog.listings import Lookup
from ..catalog.prices import price_of
from ..engine.calls.window import output_of, tokens_in
from ..engine.spec import Panelist, Spec
from ..engine.state import CallState, CallStatus, RunState, Step
from ..engine.usage import Usage, about_money, cost_of, money
from ..models import Credential, credentials_named
from .habits import Habits, Used

# Low and high that lie nearer to each other are told as one figure.
ONE_FIGURE = Decimal("1.5")
_STEPS = (Step.PANEL, Step.ANALYSIS, Step.SYNTHESIS)

# Tokens out where no such call is known: an answer, thoughts before it, and of an analysis what
# each answer adds. The prompts of ours and the schema are read beside the texts.
ANSWER = (200, 1_500)
THOUGHTS = (300, 8_000)
ANALYSIS, ANALYSIS_OF_ONE = (300, 900), (120, 450)
OURS = 900


@dataclass(frozen=True)
class Expected:
    """US dollars from `low` to `high`, None where a price is not known; seconds, None where
    nothing here says how long."""

    low: Decimal | None
    high: Decimal | None
    seconds: float | None

    @property
    def cost(self) -> str:
        """`≈ $0.03` or `$0.02–0.05`; "" where it is not known."""
        if self.low is None or self.high is None:
            return ""
        if not self.high:
            return money(self.high)
        if self.high <= self.low * ONE_FIGURE:
            return f"≈ {about_money((self.low + self.high) / 2)}"
        return f"{about_money(self.low)}–{about_money(self.high).removeprefix('$')}"

    @property
    def took(self) -> str:
        """`14 s`; "" where it is not known."""
        if not self.seconds:
            return ""
        whole = max(1, round(self.seconds))
        return f"{whole} s" if whole < 100 else f"{round(whole / 60)} min"

    @property
    def words(self) -> str:
        """`≈ $0.03 · 14 s`, as it stands beside what starts it."""
        return " · ".join(filter(None, (self.cost or "price not known", self.took)))


NOTHING = Expected(Decimal(0), Decimal(0), 0.0)


class Prices:
    """What is known now of those whose price nobody kept: looked up once, at first for all that
    are named together."""

    def __init__(self, *asked: Panelist) -> None:
        self._credentials: dict[str, Credential | None] = {}
        self._look = Lookup()
        unknown = [who for who in asked if who.price is None]
        self._find(unknown)
        there = ((self._credentials[who.credential], who.model) for who in unknown)
        self._look.add((credential, model) for credential, model in there if credential)

    def of(self, who: Panelist) -> Panelist:
        """The same, with its price."""
        if who.price is None:
            self._find([who])
            if credential := self._credentials[who.credential]:
                return replace(who, price=price_of(credential, who.model, self._look))
        return who

    def _find(self, asked: Iterable[Panelist]) -> None:
        if new := {who.credential for who in asked} - self._credentials.keys():
            found = {c.slug: c for c in credentials_named(new)}
            self._credentials |= {slug: found.get(slug) for slug in new}


def prices_for(spec: Spec, state: RunState) -> Prices:
    """Of all who have judged a run's answers and written from them, and would again."""
    asked = [spec.judge, spec.writer]
    for fusion in state.fusions.values():
        asked += [Panelist.from_dict(who) for who in (fusion.judge, fusion.synthesizer) if who]
    return Prices(*asked)


def expected_fusion(
    spec: Spec,
    state: RunState,
    prompt: str,
    known: Habits,
    *,
    judge: Panelist | None = None,
    writer: Panelist | None = None,
    seats: Iterable[int] | None = None,
    prices: Prices | None = None,
) -> Expected:
    """Another fusion of answers that are there: those of `seats`, None for all."""
    answers = _answers(spec, state, seats)
    judge, writer = judge or spec.judge, writer or spec.writer
    prices = prices or Prices(judge, writer)
    judge, writer = prices.of(judge), prices.of(writer)
    judged = NOTHING
    if len(answers) > 1:
        before = _before(state, Step.ANALYSIS, judge, answers)
        anew = partial(_judge, spec, judge, *_read(state, prompt, answers), known)
        judged = _again(before, judge) if before else anew()
    written = _writing(spec, state, prompt, known, writer, answers, analysis_of(len(answers)))
    return _then(judged, written)


def expected_rewrite(
    spec: Spec,
    state: RunState,
    prompt: str,
    known: Habits,
    *,
    writer: Panelist | None = None,
    seats: Iterable[int] | None = None,
    prices: Prices | None = None,
) -> Expected:
    """The writer alone, with answers and analysis that are there."""
    answers = _answers(spec, state, seats)
    fusion = state.fusion
    found = tokens_in(str(fusion.analysis)) if fusion and fusion.analysis else 0
    who = (prices or Prices()).of(writer or spec.writer)
    return _writing(spec, state, prompt, known, who, answers, (found, found))


# ---- one call ----


def _judge(
    spec: Spec, who: Panelist, asked: int, answers: Sequence[int], known: Habits
) -> Expected:
    if not who.can_judge:
        return NOTHING
    writes = _writes(who, Step.ANALYSIS, known, analysis_of(len(answers)))
    writes = _limited(writes, output_of(who, spec.policy.analysis_max_output_tokens))
    return _call(writes, who, asked + sum(answers) + OURS)


def _writer(
    spec: Spec,
    who: Panelist,
    asked: int,
    answers: Sequence[int],
    found: tuple[int, int],
    known: Habits,
) -> Expected:
    if not who.can_judge:
        return NOTHING
    usual = sorted(answers)[len(answers) // 2] if answers else ANSWER[0]
    length = with_thoughts(who, (usual * 2 // 3, usual * 3 // 2))
    writes = _writes(who, Step.SYNTHESIS, known, length)
    writes = _limited(writes, output_of(who, spec.policy.synthesis_max_output_tokens))
    return _call(writes, who, asked + sum(answers) + sum(found) // 2 + OURS)


def _writing(
    spec: Spec,
    state: RunState,
    prompt: str,
    known: Habits,
    writer: Panelist,
    answers: Mapping[str, int],
    found: tuple[int, int],
) -> Expected:
    if before := _before(state, Step.SYNTHESIS, writer, answers):
        return _again(before, writer)
    return _writer(spec, writer, *_read(state, prompt, answers), found, known)


def _call(writes: Used, who: Panelist, reads: int) -> Expected:
    low, high = (cost_of(Usage(reads, out), who.price) for out in (writes.low, writes.high))
    return Expected(low, high, writes.seconds or None)


def _writes(who: Panelist, step: Step, known: Habits, else_: tuple[int, int]) -> Used:
    """As its calls here did; a model that was never asked in this step takes as long for a token
    as in another."""
    if used := known.get((step, who.credential, who.model)):
        return used
    low, high = else_
    others = (known.get((other, who.credential, who.model)) for other in _STEPS)
    pace = next((u.seconds * 2 / (u.low + u.high) for u in others if u and u.low + u.high), 0.0)
    return Used(low, high, pace * (low + high) / 2)


def _limited(writes: Used, most: int | None) -> Used:
    if most is None:
        return writes
    return Used(min(writes.low, most), min(writes.high, most), writes.seconds)


def with_thoughts(who: Panelist, writes: tuple[int, int]) -> tuple[int, int]:
    low, high = THOUGHTS if who.thinks else (0, 0)
    return writes[0] + low, writes[1] + high


def analysis_of(answers: int) -> tuple[int, int]:
    (low, high), (more, most) = ANALYSIS, ANALYSIS_OF_ONE
    return low + more * answers, high + most * answers


# ---- the same call in this run ----


def _before(
    state: RunState, step: Step, who: Panelist, answers: Mapping[str, int]
) -> tuple[Usage, float | None] | None:
    """What it used when the same model did the same with answers of this run, with the difference
    in what there is to read; None where it did not."""
    done = [
        call
        for call in state.calls.values()
        if call.step is step
        and call.status is CallStatus.COMPLETED
        and (call.panelist.get("credential"), call.panelist.get("model"))
        == (who.credential, who.model)
        and call.usage.input_tokens is not None
        and call.usage.output_tokens is not None
        and call.fusion in state.fusions
        and not state.fusions[call.fusion].turn
    ]
    if not done:
        return None
    call = max(done, key=lambda one: (one.fusion or 0, one.number))
    judged = state.fusions[call.fusion or 0].judged
    then = sum(_tokens(state.calls[key]) for key in judged if key in state.calls)
    more = sum(answers.values()) - then if judged else 0
    reads = max(0, (call.usage.input_tokens or 0) + more)
    took = None
    if call.finished_at is not None and call.sent_at is not None:
        took = call.finished_at - call.sent_at
    return Usage(reads, call.usage.output_tokens, call.usage.cached_tokens), took


def _again(before: tuple[Usage, float | None], who: Panelist) -> Expected:
    usage, seconds = before
    cost = cost_of(usage, who.price)
    return Expected(cost, cost, seconds)


def _answers(spec: Spec, state: RunState, seats: Iterable[int] | None) -> dict[str, int]:
    """Key of the call -> its tokens."""
    chosen = range(len(spec.panel)) if seats is None else seats
    found = (state.answer(seat) for seat in chosen)
    return {call.key: _tokens(call) for call in found if call}


def _tokens(call: CallState) -> int:
    """Of its text, which others read: without thoughts."""
    made = call.usage.output_tokens
    return tokens_in(call.text) if made is None else made - (call.usage.reasoning_tokens or 0)


def _read(state: RunState, prompt: str, answers: Mapping[str, int]) -> tuple[int, list[int]]:
    """What was asked has files, what was found on the web and what was said before with it: as
    the panel's servers counted them."""
    calls = [call for call in state.calls.values() if call.step is Step.PANEL]
    counted = [n for call in calls if (n := call.usage.input_tokens) is not None]
    asked = max(tokens_in(prompt), round(median(counted)) if counted else 0)
    return asked, [*answers.values()]


# ---- several ----


def _then(*parts: Expected) -> Expected:
    seconds = [p.seconds for p in parts]
    known = [s for s in seconds if s is not None]
    return Expected(
        _sum(p.low for p in parts),
        _sum(p.high for p in parts),
        sum(known) if len(known) == len(seconds) else None,
    )


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    costs = [*costs]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
