"""What is said of a call beside its text: what its failure is called, what a reader should know of
a text that looks whole, and what became of one that is not."""

from __future__ import annotations

from ..engine.errors import Reason
from ..engine.given_files import lacked
from ..engine.spec import Panelist
from ..engine.state import CallState, CallStatus, RunStatus, Step
from . import figures

# What a failure is called in a word; every other reason is just "failed".
FAILURES = {
    Reason.STALLED: "stalled",
    Reason.TIMEOUT: "timed out",
    Reason.RATE_LIMITED: "rate limited",
    Reason.UNREACHABLE: "unreachable",
    Reason.DNS: "unreachable",
    Reason.CONTENT_FILTER: "filtered",
    Reason.EMPTY: "empty",
    Reason.DISCONNECTED: "cut off",
    Reason.TRUNCATED: "cut off",
    Reason.TOO_LARGE: "cut off",
    Reason.REPEATS_ITSELF: "repeats itself",
    Reason.ECHOES_PROMPT: "repeats its prompt",
    Reason.WORKER_LOST: "interrupted",
    Reason.WORKER_STOPPED: "interrupted",
    Reason.BUDGET_EXCEEDED: "not asked",
    Reason.CUT_OFF: "cut off",
}


def marks_of(call: CallState, meant: Panelist | None = None) -> list[str]:
    """What a reader should know about a text that looks whole."""
    marks = []
    if call.finish_reason == "length" and call.output_limit:
        marks.append(f"cut at {call.output_limit:,} tokens, which is what a budget paid for")
    elif call.finish_reason == "length":
        marks.append("cut at its token limit")
    if call.finish_reason == "content_filter":
        marks.append("cut by a filter")
    if call.is_unconfirmed:
        marks.append("ended without a finish mark")
    marks += lacked(call.files)
    if call.unreadable:
        pieces = "a piece" if call.unreadable == 1 else f"{call.unreadable} pieces"
        marks.append(f"{pieces} of it could not be read")
    if (share := call.usage.share_read) is not None:
        marks.append(f"by its server's count read {figures.share(share)} of what it was sent")
    if call.is_taken:
        marks.append("taken over from an earlier run")
    if call.cause == "resume":
        marks.append("interrupted and asked again")
    elif call.cause == "retry":
        marks.append("asked again")
    elif call.cause == "adapt":
        marks.append("asked in another form")
    elif call.cause == "fallback":
        marks.append(f"fallback for {meant.short_name}" if meant else "fallback")
    return marks


def kept_of(call: CallState, run_status: RunStatus) -> str:
    """What became of the text of a call that did not end well."""
    if call.status not in (CallStatus.CANCELLED, CallStatus.FAILED):
        return ""
    words = len(call.text.split())
    if call.status is CallStatus.CANCELLED:
        return "What it had written is kept." if words else "Stopped before it wrote anything."
    if call.retry_at is not None and not run_status.is_final:
        return ""  # nothing is decided yet
    if not words and call.step is Step.SYNTHESIS:
        return ""
    if not words:
        if run_status is RunStatus.FAILED:
            return ""
        return f"The run {'went' if run_status.is_final else 'goes'} on without it."
    if call.reason == Reason.CUT_OFF:
        return "What it had written is kept."
    them = "word it wrote is" if words == 1 else f"{words:,} words it wrote are"
    judge = "" if call.step is Step.SYNTHESIS else " and not given to the judge"
    return f"The {them} kept{judge}."
