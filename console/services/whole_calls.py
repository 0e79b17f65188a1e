"""What one whole call of each part of a run may come to, counted as it is held (`money/`): all
that is read at its worst count of tokens, and the whole output limit that is asked with.

A run's usual budget pays for at least that: nobody has set it, so it neither refuses nor cuts a
call that goes as calls may go. It is far more than such a run will cost, and no quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..engine.calls.window import USED, output_of, window_of
from ..engine.calls.worst_case import OF_A_MESSAGE, at_most, output_at_most
from ..engine.spec import Panelist, Spec
from ..engine.state import Step
from ..engine.steps.own_tools import PAGE
from ..money.amounts import cost, nano
from ..money.shares import part
from .planned_calls import fees_of_a_call
from .quote import WIDEST
from .quoted_web import extracts, most_queries, way_of, writes_queries

# Tokens at their worst count of one that a model has written, or that a page was taken for.
COUNTED = 3
_MESSAGES = 6 * OF_A_MESSAGE
OURS = 5_000  # prompts of ours, schema and tools, counted so


def whole_calls(
    spec: Spec, texts: Iterable[str], answers: Sequence[str] = (), attached: int = 0
) -> dict[str, int] | None:
    """Part of the run -> nano-dollars; None where somebody's price is not known, be it of one who
    may stand in. `texts` are what everybody is asked, `answers` those from elsewhere, and
    `attached` tokens of files."""
    asked = sum(map(at_most, texts)) + COUNTED * attached
    made: dict[str, int] = {}
    for seat in spec.asked:
        who = spec.panel[seat]
        found = _seat(spec, who, asked)
        if found is None:
            return None
        made[part(Step.PANEL, seat)] = found
    if writes_queries(spec):
        queries = _cost(spec, Step.RESEARCH, spec.judge, asked + OURS, most_queries(spec.judge))
        if queries is None:
            return None
        made[part(Step.RESEARCH, None)] = queries
    if spec.stop_after == "panel":
        return made
    written = [COUNTED * _writes(spec.panel[seat]) for seat in spec.asked]
    written += map(at_most, answers)
    policy = spec.policy
    material, analysis = asked + sum(written) + OURS, 0
    if len(written) > 1 and spec.judge.can_judge:
        limit = output_of(spec.judge, _least(policy.analysis_max_output_tokens, spec.judge))
        judged = _fusing(spec, Step.ANALYSIS, spec.judge, material, limit)
        condensed = _condensing(spec, asked, written, material, limit)
        if judged is None or condensed is None:
            return None
        made[part(Step.ANALYSIS, None)] = judged
        if condensed:
            made[part(Step.CONDENSE, None)] = condensed
        analysis = COUNTED * output_at_most(spec.judge, limit)
    if not spec.stop_after and spec.writer.can_judge:
        limit = spec.request.get("max_output_tokens")
        if limit is None:
            limit = _least(policy.synthesis_max_output_tokens, spec.writer)
        fused = _fusing(spec, Step.SYNTHESIS, spec.writer, material + analysis, limit)
        if fused is None:
            return None
        made[part(Step.SYNTHESIS, None)] = fused
    return made


def _seat(spec: Spec, who: Panelist, asked: int) -> int | None:
    """The dearest of those who may answer in it."""
    reads = asked + at_most(who.system_prompt) + _MESSAGES
    if spec.research:
        reads += COUNTED * round(extracts(spec, who, 0, WIDEST))
        if way_of(spec, who) == "own":  # each turn reads again what was read before
            turns, pages = spec.research.turns + 1, spec.research.pages * PAGE
            reads = turns * (reads + OURS) + turns * pages
    made = _cost(spec, Step.PANEL, who, reads, who.max_output_tokens)
    if who.fallback is None or made is None:
        return made
    other = _seat(spec, who.fallback, asked)
    return None if other is None else max(made, other)


def _fusing(spec: Spec, step: Step, who: Panelist, reads: int, limit: int | None) -> int | None:
    if spec.research:
        reads += COUNTED * round(extracts(spec, who, 0, WIDEST))
    if window := window_of(who):
        reads = min(reads, COUNTED * window)
    return _cost(spec, step, who, reads, limit)


def _condensing(
    spec: Spec, asked: int, written: Sequence[int], material: int, limit: int | None
) -> int | None:
    """Of all answers, where they may be too long for who compares them or who writes."""
    windows = [window_of(who) for who in (spec.judge, spec.writer)]
    smallest = min((window for window in windows if window), default=None)
    if smallest is None or material <= smallest * USED:
        return 0
    most = COUNTED * (window_of(spec.judge) or smallest)
    calls = [
        _cost(spec, Step.CONDENSE, spec.judge, min(asked + one + OURS, most), limit)
        for one in written
    ]
    return None if None in calls else sum(call or 0 for call in calls)


def _cost(spec: Spec, step: Step, who: Panelist, reads: int, limit: int | None) -> int | None:
    if who.price is None:
        return None
    dearest = max(who.price.input, who.price.cached_input or Decimal(0))
    tokens = cost(
        reads + _MESSAGES, nano(dearest), output_at_most(who, limit), nano(who.price.output)
    )
    return tokens + nano(fees_of_a_call(spec, who, step))


def _writes(who: Panelist) -> int:
    them = [who, *([who.fallback] if who.fallback else [])]
    return max(output_at_most(one, one.max_output_tokens) for one in them)


def _least(limit: int | None, who: Panelist) -> int | None:
    return min(filter(None, (limit, who.max_output_tokens)), default=None)
