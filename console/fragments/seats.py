"""Columns: one per seat, and the fused answer, which is told in the same terms."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.errors import Reason
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallState, CallStatus, RunState, RunStatus, Step
from . import figures

# What a failure is called in a word; every other reason is just "failed".
_WORDS = {
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
    Reason.WORKER_LOST: "interrupted",
    Reason.BUDGET_EXCEEDED: "not asked",
}


@dataclass(frozen=True)
class CallView:
    """One call as the page tells it; `call` is None until it has been made."""

    id: str
    panelist: Panelist
    call: CallState | None
    run_status: RunStatus

    @property
    def state(self) -> str:
        """The word CSS knows."""
        if self.call is None:
            return "skipped" if self.run_status.is_final else "waiting"
        match self.call.status:
            case CallStatus.STREAMING:
                return "writing" if self.call.text else "thinking"
            case CallStatus.COMPLETED:
                return "done"
            case CallStatus.CANCELLED:
                return "stopped"
            case status:
                return status.value

    @property
    def word(self) -> str:
        """The word people read."""
        if self.state == "failed" and self.call and self.call.reason:
            return _WORDS.get(Reason(self.call.reason), "failed")
        return {"skipped": "not asked", "retrying": "trying again"}.get(self.state, self.state)

    @property
    def since(self) -> float | None:
        return self.call.started_at if self.call and not self.call.status.is_final else None

    @property
    def first_token(self) -> str:
        call = self.call
        return figures.seconds(figures.span(call.started_at, call.first_token_at) if call else None)

    @property
    def rate(self) -> str:
        return figures.rate(self.call) if self.call else figures.UNKNOWN

    @property
    def tokens(self) -> str:
        return figures.output_tokens(self.call)

    @property
    def cost(self) -> str:
        return figures.money(self.call.cost if self.call else None)

    @property
    def cost_is_estimated(self) -> bool:
        return bool(self.call and figures.is_estimated(self.call))

    @property
    def concrete_model(self) -> str:
        """What answered, where it is not what was asked for."""
        answered = self.call.model if self.call else ""
        return "" if answered == self.panelist.model else answered

    @property
    def marks(self) -> list[str]:
        return marks(self.call) if self.call else []

    @property
    def problem(self) -> str:
        if self.call is None or self.state not in ("failed", "retrying"):
            return ""
        # `kept` says more exactly what became of the text.
        return self.call.error.removesuffix(" What had arrived is kept.")

    @property
    def kept(self) -> str:
        return _kept(self.call, self.run_status) if self.call else ""

    @property
    def reasoning(self) -> str:
        """Only once it is whole: sending it anew with every token would cost its square."""
        call = self.call
        return call.reasoning if call and (call.text or call.status.is_final) else ""

    @property
    def has_text(self) -> bool:
        return bool(self.call and self.call.text)


@dataclass(frozen=True)
class Seat(CallView):
    seat: int
    name: str

    @property
    def letter(self) -> str:
        return letter(self.seat)


def columns(spec: Spec, state: RunState) -> list[Seat]:
    names = spec.seat_names()
    return [
        Seat(
            id=f"seat-{seat}",
            panelist=panelist,
            call=state.latest(Step.PANEL, seat=seat),
            run_status=state.status,
            seat=seat,
            name=names[seat],
        )
        for seat, panelist in enumerate(spec.panel)
    ]


def fused(spec: Spec, state: RunState) -> CallView:
    return CallView("fused", spec.writer, state.fused, state.status)


def marks(call: CallState) -> list[str]:
    """What a reader should know about a text that looks whole."""
    said = []
    if call.finish_reason == "length":
        said.append("cut at its token limit")
    if call.finish_reason == "content_filter":
        said.append("cut by a filter")
    if call.is_unconfirmed:
        said.append("ended without a finish mark")
    if call.cause == "resume":
        said.append("interrupted and asked again")
    elif call.cause == "retry":
        said.append("asked again")
    elif call.cause == "fallback":
        said.append("a fallback answered")
    return said


def _kept(call: CallState, run_status: RunStatus) -> str:
    """What became of the text of a call that did not end well."""
    words = len(call.text.split())
    if call.status is CallStatus.CANCELLED:
        return "What it had written is kept." if words else "Stopped before it wrote anything."
    if call.status is not CallStatus.FAILED:
        return ""
    if not words:
        if run_status is RunStatus.FAILED:
            return ""
        return f"The run {'went' if run_status.is_final else 'goes'} on without it."
    them = "word it wrote is" if words == 1 else f"{words:,} words it wrote are"
    judge = "" if call.step is Step.SYNTHESIS else " and not given to the judge"
    return f"The {them} kept{judge}."
