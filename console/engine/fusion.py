"""`fuse`: panel, analysis, synthesis; whatever the state shows unfinished.

First run and resume are one path: calls that are finished in `state` are kept
and never bought again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .call import Admit, Context
from .errors import Reason
from .events import Event, EventType
from .judge import analyse
from .material import make_material
from .panel import ask_panel
from .provider import Message, Provider
from .spec import Panelist, Spec, letter
from .state import RunState, Step
from .synthesis import synthesise


async def fuse(
    spec: Spec,
    messages: list[Message],
    *,
    state: RunState,
    attempt: int,
    provider_for: Callable[[Panelist], Awaitable[Provider]],
    emit: Callable[[Event], None],
    admit: Admit,
    clock: Callable[[], float],
) -> RunState:
    """Take the run from where `state` shows it to its end; `state` is folded in place.

    Failures of calls are events, never exceptions. Raises only LeaseLost, from
    `admit`, and CancelledError; every connection is closed by then.
    """
    context = Context(spec, messages, state, emit, provider_for, admit, clock)
    context.say(EventType.RUN_STARTED, attempt=attempt)
    answers = await ask_panel(context)
    if not answers:
        reason, error = _why_all_failed(context)
        context.say(EventType.RUN_FAILED, reason=reason.value, error=error)
        return state
    fusion = max(state.fusions, default=1)
    material = make_material(spec, messages, answers)
    analysis = await analyse(context, fusion, material)
    written = await synthesise(context, fusion, material, analysis)
    if written.is_usable:
        context.say(EventType.RUN_COMPLETED)
    else:
        context.say(
            EventType.RUN_FAILED,
            reason=Reason.SYNTHESIS_FAILED.value,
            error=f"The fused answer could not be written. {written.error}",
        )
    return state


def _why_all_failed(context: Context) -> tuple[Reason, str]:
    """OpenRouter's rule: out of credit or rate limited, when that is what stopped one of them."""
    calls = [context.state.latest(Step.PANEL, seat=s) for s in range(len(context.spec.panel))]
    reasons = {call.reason for call in calls if call}
    named = next(
        (r for r in (Reason.INSUFFICIENT_CREDITS, Reason.RATE_LIMITED) if r in reasons),
        Reason.ALL_PANELS_FAILED,
    )
    names = context.spec.seat_names()
    each = " ".join(
        f"{letter(c.seat)} ({names[c.seat]}): {c.error}" for c in calls if c and c.seat is not None
    )
    return named, f"No panelist gave a usable answer. {each}"
