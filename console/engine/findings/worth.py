"""What a fusion brought beyond the best single answer, and what it took.

All of it is computed from what is on record; docs/judging.md says how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ..spec import letter
from ..state import CallState, FusionState, RunState, RunStatus, Step
from .best import best_answer
from .given import given
from .provenance import ALL, ProvenanceMark, marks, plain

# A fused answer is another one when at least this part of its runs of words is not in the best.
CHANGED_FROM = 0.1
_RUN = 3  # words
_WORD = re.compile(r"\w+")
_ORNAMENT = re.compile(r"^(?:[-*+>#]+\s+|\d+[.)]\s+)+|\*\*|`")
# Not the full stop of "e.g. this", nor of 3.5. Marks may stand directly behind it.
_SENTENCE_END = re.compile(
    r"[.!?…]['\")\]*_”’]*(?=(?:\[\^[^\]\n]{1,40}\])*(?:\s+[^\sa-z]|\s*$))|[。！？]"
)
# A line that goes on from none, and one that none goes on from: blank, a heading, a row, a fence.
_BEGINS = re.compile(r"[ \t>]*(?:$|[-*+]\s|\d{1,9}[.)]\s|#|\||`{3}|~{3})", re.MULTILINE)
_STANDS_ALONE = re.compile(r"[ \t>]*(?:$|#|\||`{3}|~{3})", re.MULTILINE)
_MARKS_BEFORE = re.compile(r"(?:\s*\[\^[^\]\n]{1,40}\])+\s*\Z")
# What is longer is not looked through for what is new in it: no answer to people is.
LONGEST_READ = 200_000  # characters
_LONGEST = 600  # characters of a sentence, to either side of a mark


@dataclass(frozen=True)
class Agreement:
    """`level` is high, mixed or low: at least two thirds shared, at least one third, less."""

    level: str
    shared: int
    statements: int
    contradictions: int


@dataclass(frozen=True)
class Passage:
    """Of the fused answer: what it says, and whose it is; no letters: the synthesizer's own, or
    the reader's."""

    text: str
    letters: str
    is_yours: bool = False


def best_of(state: RunState, fusion: FusionState) -> CallState | None:
    """The best single answer by the judge's ratings, as where no fused answer can be written."""
    answers = _judged(state, fusion)
    return best_answer(fusion.analysis, answers) if answers else None


def agreement(analysis: Mapping[str, Any]) -> Agreement | None:
    """None where nothing is stated."""
    count = {part: len(analysis.get(part, [])) for part in _STATED}
    statements, shared = sum(count.values()), count["consensus"]
    if not statements:
        return None
    level = (
        "high" if 3 * shared >= 2 * statements else "mixed" if 3 * shared >= statements else "low"
    )
    return Agreement(level, shared, statements, count["contradictions"])


_STATED = ("consensus", "contradictions", "partial_coverage", "unique_insights")


# A page asks for it whenever it is read.
@lru_cache(maxsize=16)
def beyond(text: str, best: int, letters: str = ALL) -> Sequence[Passage]:
    """Sentences of a fused answer, with its marks, that do not rest on the best single answer
    alone: each once, with the letters of all its other marks."""
    found: dict[int, Passage] = {}
    if len(text) > LONGEST_READ:
        return ()
    for mark in marks(text, letters):
        if letter(best) in mark.letters or not (mark.letters or mark.is_own or mark.is_yours):
            continue
        start, sentence = _sentence_with(text, mark)
        if not sentence or sentence.endswith(":"):
            continue  # what only announces something brings nothing
        known = found[start].letters if start in found else ""
        is_yours = mark.is_yours or (start in found and found[start].is_yours)
        both = known + "".join(name for name in mark.letters if name not in known)
        found[start] = Passage(sentence, both, is_yours)
    return tuple(found.values())


def _line(text: str, mark: ProvenanceMark) -> tuple[int, int]:
    """(begin, end) of the line that a mark stands in, as far as it is looked at. A paragraph that
    is broken into several lines is one."""
    at, until = max(0, mark.start - _LONGEST), min(len(text), mark.end + _LONGEST)
    begin = text.rfind("\n", at, mark.start) + 1 or at
    found = text.find("\n", mark.end, until)
    end = until if found < 0 else found
    while begin > at and not _BEGINS.match(text, begin):
        before = text.rfind("\n", at, begin - 1) + 1 or at
        if _STANDS_ALONE.match(text, before):
            break
        begin = before
    while end < until and not _BEGINS.match(text, end + 1):
        if _STANDS_ALONE.match(text, text.rfind("\n", begin, end) + 1 or begin):
            break
        found = text.find("\n", end + 1, until)
        end = until if found < 0 else found
    return begin, end


def _sentence_with(text: str, mark: ProvenanceMark) -> tuple[int, str]:
    """(where it begins, the sentence or the row of a table that the mark stands in or behind)."""
    line, line_end = _line(text, mark)
    if text[line:line_end].lstrip().startswith("|"):
        cells = (_ORNAMENT.sub("", plain(cell)).strip() for cell in text[line:line_end].split("|"))
        return line, ": ".join(cell for cell in cells if cell and not cell.isdigit())
    before = _MARKS_BEFORE.sub("", text[line : mark.start]).rstrip()
    ends = [match.end() for match in _SENTENCE_END.finditer(before)]
    if ends and ends[-1] == len(before):
        # It stands behind its sentence.
        start, stop = (ends[-2] if len(ends) > 1 else 0), mark.start
    else:
        after = _SENTENCE_END.search(text, mark.end, line_end)
        start, stop = (ends[-1] if ends else 0), after.end() if after else line_end
    # What marks of the sentence before stand between is not of this one.
    sentence = " ".join(plain(text[line + start : stop]).split())
    return line + start, _ORNAMENT.sub("", sentence).strip()


def lacking(analysis: Mapping[str, Any], best: int) -> list[str]:
    """What the judge found in other answers only."""
    some = [p["point"] for p in analysis.get("partial_coverage", []) if best not in p["seats"]]
    one = [i["insight"] for i in analysis.get("unique_insights", []) if i["seat"] != best]
    return [*some, *one]


def changed(state: RunState, fusion: FusionState) -> bool | None:
    """Whether fusion changed the answer; None where there is nothing to compare."""
    best = best_of(state, fusion)
    if fusion.status is not RunStatus.COMPLETED or best is None:
        return None
    if fusion.best:
        return False
    found = given(state, fusion)
    return novelty(found.text, best.text) >= CHANGED_FROM if found and found.text else None


@lru_cache(maxsize=16)
def novelty(text: str, other: str) -> float:
    """The part of the runs of three words in `text` that `other` does not have."""
    own, known = _runs(text), _runs(other)
    return len(own - known) / len(own) if own else 0.0


def extra_seconds(state: RunState, fusion: FusionState, best: CallState) -> float | None:
    """Panel and fusion together, less what the best single answer took.

    A later fusion may be days after its answers: of these the slowest counts.
    """
    if fusion.number == 1:
        panel = _span(
            c for c in state.calls.values() if c.step is Step.PANEL and c.cause != "asked"
        )
    else:
        spans = [_span([call]) for call in _judged(state, fusion).values()]
        panel = max((span for span in spans if span is not None), default=None)
    fusing = _span(_of(state, fusion))
    alone = _span([best])
    if panel is None or fusing is None or alone is None:
        return None
    return panel + fusing - alone


def extra_cost(state: RunState, fusion: FusionState, best: CallState) -> Decimal | None:
    """All calls of panel and fusion but the best single answer's; None if one is unknown."""
    panel = [c for c in state.calls.values() if c.step is Step.PANEL and c.key != best.key]
    costs = [c.charged for c in [*panel, *_of(state, fusion)] if c.was_billable]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _judged(state: RunState, fusion: FusionState) -> dict[int, CallState]:
    calls = [state.calls[key] for key in fusion.judged if key in state.calls]
    return {call.seat: call for call in calls if call.seat is not None}


def _of(state: RunState, fusion: FusionState) -> list[CallState]:
    steps = (Step.CONDENSE, Step.ANALYSIS, Step.SYNTHESIS)
    return [c for c in state.calls.values() if c.fusion == fusion.number and c.step in steps]


def _span(calls: Iterable[CallState]) -> float | None:
    calls = [call for call in calls if call.started_at is not None]
    ends = [call.finished_at for call in calls if call.finished_at is not None]
    starts = [call.started_at for call in calls if call.started_at is not None]
    return max(ends) - min(starts) if ends else None


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) < _RUN:
        return {tuple(words)} if words else set()
    return set(zip(*(words[n:] for n in range(_RUN)), strict=False))
