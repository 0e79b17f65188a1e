"""What a run will cost and take, said before it is sent: the one such figure of the page, the API
and the shell.

It goes by list prices, by how long the prompt is, and by how long answers, analysis and fused
answer will be: as calls of that model in that step were here, else as such texts usually are. All
of them may be longer or shorter by the same factor, and low and high are the costs at its two
ends. Where the web is searched, the judge's queries are in it and the extracts that all are given,
and what is doubtful where that is looked up.
Where runs of the same models are on record, each tells which factor would have been right
for it, and the ends are those between which nine of ten such runs lie; the fewer there are, the
more counts what holds for runs of which nothing is known. A price that nobody knows makes the
whole unknown, which is never 0, and is named. Beside tokens there is what searching costs: of the
engine that looks things up for all, and at the high end of models that search themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from ..engine.calls.window import tokens_in
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import Step
from .expected import Expected
from .habits import History, people_of
from .planned_calls import ModelAlone, PlannedCalls, Role, sum_of
from .quoted_web import searching

# The factor's ends where nothing is known of such runs.
WIDEST = math.sqrt(10)
# Nine of ten lie within so many standard deviations, and a little more: lengths have long tails.
_NINE_OF_TEN = 1.8
# What is thought of runs before any is known, and how many known ones that weighs.
_USUAL_SPREAD, _WEIGHS = 0.5, 1.0


@dataclass(frozen=True)
class QuotedPart:
    """One call to come. US dollars, None where its price is not known; `share` of the whole;
    `fits`: whether what it is to read and write fits its context, None where that is not known."""

    role: Role
    step: Step
    seat: int | None
    who: Panelist
    low: Decimal | None
    high: Decimal | None
    share: float | None
    fits: bool | None

    @property
    def name(self) -> str:
        return self.who.short_name if self.seat is None else letter(self.seat)


@dataclass(frozen=True)
class AtMost:
    """The high end of a quote. US dollars, None where a price is not known; `parts`: of each call
    by its step and seat; `web`: of the searches for all."""

    high: Decimal | None
    parts: Mapping[tuple[Step, int | None], Decimal | None]
    web: Decimal | None


@dataclass(frozen=True)
class RunQuote:
    """US dollars from `low` to `high`, None where a price is not known, of those who are named in
    `unknown`; seconds, None where nothing here says how long; `runs` of the same models that it
    rests on, 0: none."""

    low: Decimal | None
    high: Decimal | None
    seconds: float | None
    parts: tuple[QuotedPart, ...]
    unknown: tuple[Panelist, ...]
    alone: ModelAlone | None
    runs: int
    web: tuple[Decimal, Decimal] | None = None  # low and high of the searches for all

    def of(self, role: Role) -> tuple[Decimal | None, Decimal | None] | None:
        """From low to high for the panel, the judge or the writer; None where nobody is asked."""
        parts = [part for part in self.parts if part.role == role]
        return (sum_of(p.low for p in parts), sum_of(p.high for p in parts)) if parts else None

    @property
    def too_long_for(self) -> tuple[QuotedPart, ...]:
        return tuple(part for part in self.parts if part.fits is False)

    @property
    def is_free(self) -> bool:
        return self.high == 0

    @property
    def known(self) -> tuple[Decimal, Decimal]:
        """Of all whose price is known."""
        known = [(p.low, p.high) for p in self.parts if p.low is not None and p.high is not None]
        known += [self.web] if self.web else []
        return sum((low for low, _ in known), Decimal(0)), sum((h for _, h in known), Decimal(0))

    @property
    def at_most(self) -> AtMost:
        parts = {(part.step, part.seat): part.high for part in self.parts}
        return AtMost(self.high, parts, self.web[1] if self.web else None)

    @property
    def expected(self) -> Expected:
        """As it is told in few words."""
        return Expected(self.low, self.high, self.seconds)


def quote(
    spec: Spec,
    asked: int,
    past: History,
    *,
    answers: Sequence[int] = (),
    reference: Panelist | None = None,
) -> RunQuote:
    """Of a run with a prompt of `asked` tokens; `answers`: tokens of those from elsewhere;
    `reference`: with whom it is compared."""
    plan = PlannedCalls(spec, past.habits, tuple(answers))
    runs = past.runs.get(people_of(spec), ())
    factors = [factor for run in runs if (factor := plan.factor_of(run)) is not None]
    low, high = _ends(factors)
    least, usual, most = (plan.at(asked, factor) for factor in (low, math.sqrt(low * high), high))
    total = sum_of(call.cost for call in usual)
    parts = tuple(
        QuotedPart(
            role=call.role,
            step=call.step,
            seat=call.seat,
            who=call.who,
            low=few.cost,
            high=many.cost_at_most,
            share=_share(call.cost, total),
            fits=call.fits,
        )
        for few, call, many in zip(least, usual, most, strict=True)
    )
    web = searching(spec)
    return RunQuote(
        low=sum_of([*(part.low for part in parts), *(web[:1] if web else ())]),
        high=sum_of([*(part.high for part in parts), *(web[1:] if web else ())]),
        seconds=median(run.seconds for run in runs) if factors else plan.seconds(usual),
        parts=parts,
        unknown=_unknown(parts),
        alone=plan.alone(asked, low, high, reference),
        runs=len(factors),
        web=web,
    )


def quote_of(
    spec: Spec,
    texts: Iterable[str],
    past: History,
    answers: Iterable[str] = (),
    reference: Panelist | None = None,
    attached: int = 0,
) -> RunQuote:
    """Of a run that is asked these texts, with files of `attached` tokens and these answers from
    elsewhere."""
    asked = sum(map(tokens_in, texts)) + attached
    brought = [tokens_in(text) for text in answers]
    return quote(spec, asked, past, answers=brought, reference=reference)


def usually_at_most(
    spec: Spec, texts: Iterable[str], answers: Iterable[str] = (), attached: int = 0
) -> AtMost:
    """The high end of `quote_of` where nothing is known of such runs."""
    plan = PlannedCalls(spec, {}, tuple(map(tokens_in, answers)))
    calls = plan.at(sum(map(tokens_in, texts)) + attached, _ends(())[1])
    parts = {(call.step, call.seat): call.cost_at_most for call in calls}
    web = searching(spec)
    beside = web[1:] if web else ()
    return AtMost(sum_of([*parts.values(), *beside]), parts, web[1] if web else None)


def _ends(factors: Sequence[float]) -> tuple[float, float]:
    """Between which nine of ten runs lie, if their logarithms are spread as is normal. What is
    usual counts as one run more."""
    if not factors:
        return 1 / WIDEST, WIDEST
    logs = [math.log(factor) for factor in factors]
    count = len(logs) + _WEIGHS
    middle = sum(logs) / count
    spread = _WEIGHS * (_USUAL_SPREAD**2 + middle**2) + sum((x - middle) ** 2 for x in logs)
    # Student's quantile, by its first term, and the middle's own doubt.
    wide = _NINE_OF_TEN + (_NINE_OF_TEN**3 + _NINE_OF_TEN) / (4 * len(logs))
    reach = min(math.log(WIDEST), wide * math.sqrt(spread / len(logs) * (1 + 1 / count)))
    return math.exp(middle - reach), math.exp(middle + reach)


def _share(cost: Decimal | None, total: Decimal | None) -> float | None:
    return None if cost is None or not total else round(float(cost / total), 3)


def _unknown(parts: Iterable[QuotedPart]) -> tuple[Panelist, ...]:
    """Each model once, in the order of the calls."""
    found = {(p.who.credential, p.who.model): p.who for p in parts if p.low is None}
    return tuple(found.values())
