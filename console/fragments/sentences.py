"""What is happening, in short sentences for everyone, screen readers included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..engine import pool
from ..engine.errors import SENTENCES, Reason
from ..engine.findings import families
from ..engine.findings.by_words import WORDS
from ..engine.findings.families import Kin
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallState, CallStatus, RunState, RunStatus, Step
from ..engine.steps.condense import condensing_of
from . import figures
from .phases import is_under_way

MARKS_AT_HEAD = 3
MISSING_AT_HEAD = 2  # seats that are named there; of more it is said how many are not missing


@dataclass(frozen=True)
class Notice:
    kind: str  # plain, good, warn or bad: the classes of a notice
    text: str


def status(spec: Spec, state: RunState) -> str:
    """Changes when something ends, not with every token: it is read aloud."""
    size = len(spec.panel)
    answers = [state.latest(Step.PANEL, seat=i) for i in range(size)]
    usable = sum(1 for call in answers if call and call.is_usable)
    match state.outcome:
        case RunStatus.COMPLETED if is_compared_first(spec, state):
            done = "answers compared" if state.fusions else "answers"
            return f"Done: {usable} of {size} {done}, not fused yet"
        case RunStatus.COMPLETED if state.fusion and state.fusion.wish.get("analysis_only"):
            return "Done: answers compared, not fused"
        case RunStatus.COMPLETED:
            fused = _fused_seats(state)
            given = usable if fused is None else len(fused)
            return "Done" if given == size else f"Done, from {given} of {size} answers"
        case RunStatus.FAILED:
            return "Failed"
        case RunStatus.CANCELLED:
            return "Stopped"
        case RunStatus.QUEUED:
            return "Waiting for a worker"
    if any(c.step is Step.POLL and not c.status.is_final for c in state.calls.values()):
        return "Poll: each seat compares its own answer with the fused one"
    open_ones = [one for one in pool.lookups(state.research) if not one.get("is_over")]
    if before := [one for one in open_ones if one.get("before")]:
        return f"Analysis: {figures.count_of(len(before), 'claim')} being looked up"
    if open_ones:
        return "Look-up: pages are searched for a claim, and read"
    if pool.wanted(state.research):
        return "Sources: a page that a provider named is being read"
    if state.fused:
        return "Fused answer: being written"
    if state.fusion:
        if any(c.step is Step.CONDENSE and not c.status.is_final for c in state.calls.values()):
            return "Condensing: the answers are too long to be read together"
        return f"Analysis: {figures.count_of(usable, 'answer')} being compared"
    failed = sum(
        1 for call in answers if call and call.status is CallStatus.FAILED and call.retry_at is None
    )
    lost = f", {failed} failed" if failed else ""
    return f"Panel: {usable} of {size} answered{lost}"


def is_told_by_steps(sentence: str) -> bool:
    """Whether the line of steps says as much to whoever sees it."""
    steps = ("Panel: ", "Analysis: ", "Fused answer: ", "Done, from ")
    told = sentence.startswith(steps) or sentence.endswith(", not fused yet")
    return sentence == "Done" or told and "failed" not in sentence


def in_title(spec: Spec, state: RunState) -> str:
    """How far it is, in as many words as a tab of a browser shows."""
    match state.outcome:
        case RunStatus.COMPLETED:
            return "Ready"
        case RunStatus.FAILED:
            return "Failed"
        case RunStatus.CANCELLED:
            return "Stopped"
        case RunStatus.QUEUED:
            return "Waiting"
    if state.fused:
        return "Fusing"
    if state.fusion:
        return "Analysis"
    panel = (c for c in state.calls.values() if c.step is Step.PANEL and c.fusion is None)
    usable = {c.seat for c in panel if c.is_usable}
    return f"{len(usable)} of {len(spec.panel)}"


def _fused_seats(state: RunState) -> set[int] | None:
    """Whose answers are in the fused answer that is shown; None where that is not known."""
    judged = state.fusion.judged if state.fusion else []
    calls = [state.calls[key] for key in judged if key in state.calls]
    return {call.seat for call in calls if call.seat is not None} or None


def unknown_to_fused(spec: Spec, state: RunState) -> dict[int, CallState]:
    """Seat -> its answer, of those that the fused answer which is shown does not know."""
    if state.fusion is None or not state.has_answer(state.fusion) or state.fusion.best:
        return {}
    judged = set(state.fusion.judged)
    latest = {seat: state.answer(seat) for seat in range(len(spec.panel))}
    return {seat: c for seat, c in latest.items() if judged and c and c.key not in judged}


def fused_from(spec: Spec, state: RunState) -> str:
    """Which answers the fused answer knows, where that is not all there are."""
    unknown = sorted(unknown_to_fused(spec, state))
    if not unknown:
        return ""
    answered = [seat for seat in range(len(spec.panel)) if state.answer(seat)]
    known = [seat for seat in answered if seat not in unknown]
    written = f"Written from {seats_and(known)}" if known else "Written from earlier answers"
    return f"{written}, without the answer{'s' * (len(unknown) > 1)} of {seats_and(unknown)}."


def run_word(status: str) -> str:
    """What a status is called where people read it: they have pressed Stop."""
    return "stopped" if status == RunStatus.CANCELLED else str(status)


def waits_for_newer() -> str:
    return f"{SENTENCES[Reason.NEEDS_NEWER_VERSION]} It waits for one; nothing of it is lost."


def notice(state: RunState, note: str = "") -> Notice | None:
    if state.status is RunStatus.QUEUED and state.reason == Reason.NEEDS_NEWER_VERSION:
        return Notice("warn", waits_for_newer())
    if note and not state.status.is_final:
        return Notice("warn", note)
    if state.status is RunStatus.FAILED:
        known = SENTENCES[Reason(state.reason)] if state.reason in set(Reason) else ""
        return Notice("bad", state.error or known or "The run failed.")
    if state.status is RunStatus.CANCELLED:
        return Notice("warn", "This run was stopped. What had arrived is kept.")
    if state.status is RunStatus.COMPLETED and state.error:
        # Without a reason it is nobody's failure: there is no judge.
        return Notice("warn" if state.reason else "plain", state.error)
    if interrupted := {c.reason for c in state.calls.values() if c.was_interrupted}:
        was = "is being" if not state.status.is_final else "was"
        happened = "lost" if Reason.WORKER_LOST in interrupted else "stopped"
        return Notice(
            "warn",
            f"The worker was {happened} in mid-run and another took over. "
            f"Finished answers were kept; what was interrupted {was} asked again.",
        )
    return None


@dataclass(frozen=True)
class Waiting:
    """For whom the panel waits once an answer is there, and who writes on beside a fusion.

    `silent` have until `until` to begin, where somebody counts; `without`: whom a reader need
    not wait for, and `alone` that seat where it is one: it is offered at the end of its text.
    """

    writing: str = ""
    silent: str = ""
    until: float | None = None
    without: str = ""
    alone: int | None = None
    act: str = "Fuse"


@dataclass(frozen=True)
class SeatWaits:
    """What stands at the end of the text of the only seat that is waited for."""

    doing: str
    others: str
    then: str
    act: str


def seat_waits(spec: Spec, state: RunState) -> dict[str, SeatWaits]:
    """By the seat's id; empty where several are waited for, or none."""
    who = waiting(spec, state)
    if who is None or who.alone is None:
        return {}
    call = state.latest(Step.PANEL, seat=who.alone)
    usable = sum(1 for seat in range(len(spec.panel)) if state.answer(seat))
    goes_on = call is not None and call.status is CallStatus.STREAMING
    if spec.stop_after == "panel":
        then = f"{letter(who.alone)} is ended, and what it has written is kept."
    elif goes_on:
        then = f"{letter(who.alone)} goes on either way: it can be fused in when it ends."
    else:
        then = f"If {letter(who.alone)} begins yet, it goes on, and can be fused in when it ends."
    return {
        f"seat-{who.alone}": SeatWaits(
            doing=_doing(call),
            others="The other one is in." if usable == 1 else f"The other {usable} are in.",
            then=then,
            act=who.act,
        )
    }


def _doing(call: CallState | None) -> str:
    if call is None or call.status is not CallStatus.STREAMING:
        return "No word yet"
    return "Still writing" if call.text else "Still thinking"


def waiting(spec: Spec, state: RunState) -> Waiting | None:
    if state.status.is_final:
        return None
    if state.fusion:
        on = {c.seat: c for c in state.going_on if c.seat is not None}
        return Waiting(writing=_writing(on)) if on else None
    calls = [c for c in state.calls.values() if c.step is Step.PANEL]
    on = {c.seat: c for c in calls if c.seat is not None and is_under_way(state, c)}
    if not on or not any(c.is_usable for c in calls):
        return None
    silent = {seat: c for seat, c in on.items() if not _lives(c)}
    return Waiting(
        writing=_writing({seat: c for seat, c in on.items() if seat not in silent}),
        silent=_silent(sorted(silent), is_counted=state.grace_until is not None),
        until=_until(spec, state, silent.values()),
        without=_letters(sorted(on)),
        alone=next(iter(on)) if len(on) == 1 else None,
        act="Go on" if spec.stop_after == "panel" else "Fuse",
    )


def _lives(call: CallState) -> bool:
    """Writes or thinks, as far as one knows."""
    is_asked = call.status is CallStatus.WAITING and call.sent_at is not None
    is_thinking = is_asked and Panelist.from_dict(call.panelist).thinks
    return call.status is CallStatus.STREAMING or is_thinking


def _writing(calls: Mapping[int, CallState]) -> str:
    said = []
    for word in ("writing", "thinking"):
        seats = sorted(s for s, c in calls.items() if bool(c.text) is (word == "writing"))
        if seats:
            said.append(f"{seats_and(seats)} {_is(seats)} still {word}")
    return " · ".join(said)


def _silent(seats: Sequence[int], *, is_counted: bool) -> str:
    if not seats:
        return ""
    return (
        f"for {seats_and(seats)} to begin"
        if is_counted
        else f"waiting for {seats_and(seats)} to begin"
    )


def _until(spec: Spec, state: RunState, silent: Iterable[CallState]) -> float | None:
    """When the last of them is waited for no longer."""
    if state.grace_until is None:
        return None
    ends = [
        c.sent_at + spec.policy.silence_of(Panelist.from_dict(c.panelist))
        for c in silent
        if c.sent_at is not None and not c.status.is_final
    ]
    return max(state.grace_until, *ends) if ends else state.grace_until


def is_compared_first(spec: Spec, state: RunState) -> bool:
    """Whether it ended where it was to, and nobody has fused its answers since."""
    first = 1 if spec.stop_after == "analysis" else 0
    return bool(spec.stop_after) and max(state.fusions, default=0) <= first


def kin(spec: Spec, state: RunState) -> list[Kin]:
    """Of the fusion that is shown: whether judge or synthesizer are related to the panel."""
    fusion = state.fusion
    if spec.stop_after == "panel" and fusion is None:
        return []
    judge = Panelist.from_dict(fusion.judge) if fusion and fusion.judge else spec.judge
    named = fusion and fusion.synthesizer
    writer = Panelist.from_dict(named) if named else spec.writer
    return families.kin(spec.panel, judge, writer)


def seats_and(seats: Sequence[int]) -> str:
    *most, last = map(letter, seats)
    return f"{', '.join(most)} and {last}" if most else last


def _is(seats: Sequence[int]) -> str:
    return "is" if len(seats) == 1 else "are"


def _letters(seats: Iterable[int]) -> str:
    return ", ".join(map(letter, seats))


@dataclass(frozen=True)
class Marks:
    """Of the exceptions of a run: three stand at its head, the others in sentences below."""

    badges: list[str]
    kin: list[Kin]
    others: list[str]


def marks(spec: Spec, state: RunState) -> Marks:
    exceptions, related = badges(spec, state), kin(spec, state)
    room = max(MARKS_AT_HEAD - len(exceptions), 0)
    others = [f"{badge}." for badge in exceptions[MARKS_AT_HEAD:]]
    others += [relation.sentence for relation in related[room:]]
    return Marks(exceptions[:MARKS_AT_HEAD], related[:room], others)


def badges(spec: Spec, state: RunState) -> list[str]:
    """What makes this fused answer less than a whole panel's: first what is missing, then what is
    doubtful, then how it was made."""
    if state.outcome is not RunStatus.COMPLETED:
        return []
    size = len(spec.panel)
    answers = [state.latest(Step.PANEL, seat=i) for i in range(size)]
    missing = [i for i, call in enumerate(answers) if not (call and call.is_usable)]
    usable = size - len(missing)
    marks = []
    if state.fusion and state.fusion.best and not state.fusion.is_chosen:
        marks.append("Best single answer")
    if usable == 1:
        marks.append("From a single answer")
    elif usable < size:
        few = len(missing) <= MISSING_AT_HEAD
        marks.append(f"Without {seats_and(missing)}" if few else f"{usable} of {size} answered")
    if usable > 1 and state.fusion and state.fusion.analysis is None:
        marks.append("No analysis")
    if state.fusion:
        analysed = state.latest(Step.ANALYSIS, fusion=state.fusion.number)
        shortened = condensing_of(state, state.fusion.number)
        if shortened.left_out:
            marks.append(f"Left out: {_letters(shortened.left_out)}")
        if analysed and (share := analysed.usage.share_read) is not None:
            marks.append(f"Judge's server read {figures.share(share)} of the answers")
        if state.fusion.analysis_by == WORDS:
            marks.append("Compared by words")
        if shortened.condensed:
            marks.append(f"Condensed: {_letters(shortened.condensed)}")
    return marks
