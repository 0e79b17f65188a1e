"""What a fused answer says anew beside the one before it: shown first, before either is read."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.findings.passages import Statement
from ..engine.spec import Spec
from ..engine.state import RunState
from ..record.compared import ComparableText, comparable, compare

MOST_SHOWN = 6
# Seconds for which a text is new: later one comes to read it, and finds it folded.
IS_NEWS = 900
NEW, GONE, CHANGED = "new", "gone", "changed"
_AS_CHANGED = frozenset({"words", "reworded", "opposed"})


@dataclass(frozen=True)
class Change:
    """`word` says what happened to it; `before` and `now` are empty where there is none."""

    word: str
    before: str
    now: str


@dataclass(frozen=True)
class ChangedView:
    """Since which fusion; `counted` in a few words; `more` changes than are shown."""

    since: int
    counted: str
    changes: list[Change]
    more: int
    is_open: bool


def changed(
    spec: Spec, state: RunState, since: int | None, shown: int | None, *, now: float
) -> ChangedView | None:
    """None where there are no two texts."""
    texts = {text.name: text for text in comparable(spec, state)}
    before, after = (texts.get(f"fused-{number}") for number in (since, shown))
    if before is None or after is None or since is None:
        return None
    found = _changes(state, before, after)
    counts = [(word, sum(one.word == word for one in found)) for word in (CHANGED, NEW, GONE)]
    counted = ", ".join(f"{many} {word}" for word, many in counts if many)
    ended = max((c.finished_at or 0 for c in state.calls.values() if c.fusion == shown), default=0)
    is_latest = state.fusion is not None and state.fusion.number == shown
    return ChangedView(
        since,
        counted or "nothing, word for word",
        found[:MOST_SHOWN],
        max(len(found) - MOST_SHOWN, 0),
        is_open=is_latest and now - ended < IS_NEWS,
    )


def _changes(state: RunState, before: ComparableText, after: ComparableText) -> list[Change]:
    """In the order of the new text; what is gone from the old one stands after these."""
    found = compare(state, before, after).differences
    partner = {pair.right: pair.left for pair in found.pairs if pair.kind in _AS_CHANGED}
    same = {pair.right for pair in found.pairs if pair.kind == "same"}
    changes = []
    for number, (statement, kind) in enumerate(zip(found.right, found.right_states, strict=True)):
        if kind == "only":
            changes.append(Change(NEW, "", _words(statement)))
        elif number in partner and number not in same:
            changes.append(Change(CHANGED, _words(found.left[partner[number]]), _words(statement)))
    gone = zip(found.left, found.left_states, strict=True)
    return [*changes, *(Change(GONE, _words(one), "") for one, kind in gone if kind == "only")]


def _words(statement: Statement) -> str:
    return " ".join(statement.text.split())
