"""What follows a failed call: the same model again, its fallback, or nothing.

Every try is a call of its own, so that the calls on record are the calls that
were made. A decision is itself on record (`retry_at`, `retry_cause` of the
failed call), so a worker that takes the run up carries it on.

A refusal that names a field of the request costs nothing, and the model is
asked in another form at once. That is no retry, which waits and is counted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ProviderError, Reason
from ..events import EventType
from ..spec import Panelist, Policy
from ..state import CallState, CallStatus, Step, call_key
from .call import failure
from .context import Context

TURN = "turn"  # the cause of a call that goes on from what tools have brought
FIRST_DELAY = 0.5  # seconds; doubles with every try, up to the longest wait allowed
ADAPTATIONS = 8  # of one model's request; providers know fewer fields to do without

# Another model would be refused as well, or nobody wants one.
NOT_REPLACED = {Reason.BUDGET_EXCEEDED, Reason.CANCELLED, Reason.CUT_OFF}
# The judge's text is of use to nobody but us until it is whole: a broken one is asked
# for once more, though it may have been billed.
BROKE = {
    Reason.UPSTREAM_ERROR,
    Reason.BAD_RESPONSE,
    Reason.DISCONNECTED,
    Reason.TRUNCATED,
    Reason.EMPTY,
    Reason.TIMEOUT,
    Reason.STALLED,
}
# An analysis came, but cannot be read: the judge is told what is wrong with it.
UNREADABLE = {
    Reason.JUDGE_NOT_VALID_JSON,
    Reason.JUDGE_SCHEMA_MISMATCH,
    Reason.JUDGE_EMPTY_COMPLETION,
    Reason.ECHOES_PROMPT,
}


@dataclass(frozen=True)
class Ended:
    """How one call ended: `data` is what its last event carries."""

    data: dict[str, Any]
    error: ProviderError | None = None


Perform = Callable[[str, Panelist], Awaitable[Ended]]


async def carry_out(
    context: Context,
    step: Step,
    place: int,
    panelist: Panelist,
    perform: Perform,
    *,
    at_last: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    seat: int | None = None,
    asks_again: Callable[[], bool] = lambda: True,
) -> CallState:
    """Calls of one seat, or of one fusion's step, until one is completed or none follows.

    `perform(key, panelist)` carries a call out; `at_last` is added to the event
    of a failure after which nothing follows. `seat` is whose, for a step that
    has calls for each seat of a fusion. `asks_again` is asked when a call has
    failed: False, and nothing follows.
    """
    fusion = 0 if step is Step.PANEL else place
    of_seat = place if step is Step.PANEL else seat
    while True:
        calls = _calls(context, step, place, seat)
        last = calls[-1] if calls else None
        if last and last.is_unsent:
            key, asked = last.key, Panelist.from_dict(last.panelist)
        else:
            if last and not (last.was_interrupted or last.retry_at is not None or last.is_turn):
                return last
            if last and last.retry_at is not None:
                await asyncio.sleep(max(0.0, last.retry_at - context.clock()))
            asked, cause = _next(last, panelist)
            number = last.number + 1 if last else 1
            key = call_key(step, place, number, seat)
            data = {"step": step.value, "number": number, "cause": cause}
            if of_seat is not None:
                data["seat"] = of_seat
            context.say(EventType.CALL_ADDED, key, fusion, **data, panelist=asked.to_dict())
        ended = await perform(key, asked)
        if ended.error is None:
            context.say(EventType.CALL_COMPLETED, key, fusion, **ended.data)
            if context.state.calls[key].is_turn:
                continue
            return context.state.calls[key]
        call = context.state.calls[key]
        follows = what_follows(
            ended.error,
            step,
            _calls(context, step, place, seat),
            context.spec.policy,
            fallback=_fallback(call) is not None,
        )
        if not asks_again():
            follows = None
        said = failure(ended.error) | ended.data
        if follows is None and at_last:
            said |= await at_last()
        context.say(EventType.CALL_FAILED, key, fusion, **said, final=follows is None)
        if follows:
            delay, cause = follows
            at = round(context.clock() + delay, 3)
            context.say(EventType.CALL_RETRYING, key, fusion, retry_at=at, cause=cause)


def what_follows(
    error: ProviderError,
    step: Step,
    calls: list[CallState],
    policy: Policy,
    *,
    fallback: bool,
) -> tuple[float, str] | None:
    """(seconds to wait, cause of the next call), or None when it was the last.

    `calls` are those of the place, the one that failed with `error` at the end.
    """
    call, tries = calls[-1], _tries(calls)
    nothing_came = not (call.text or call.reasoning)
    if error.adapted and _adaptations(calls) < ADAPTATIONS:
        return 0, "adapt"
    unbilled = error.retryable or (error.unconfirmed and policy.repeat_unconfirmed)
    if unbilled and nothing_came and tries <= policy.retries:
        usual = min(FIRST_DELAY * 2.0 ** (tries - 1), policy.max_retry_wait)
        wait = usual if error.retry_after is None else error.retry_after
        if wait <= policy.max_retry_wait:
            # Never sooner than asked; spread, so that a burst does not return as one.
            return wait + random.uniform(0.1, 0.5) * FIRST_DELAY, "retry"
    if step is Step.ANALYSIS and error.reason in UNREADABLE and not _has_repaired(calls):
        return 0, "repair"
    if step in (Step.ANALYSIS, Step.CONDENSE):
        broke = BROKE | {Reason.TOO_LARGE} if step is Step.CONDENSE else BROKE
        if error.reason in broke and tries == 1:
            return FIRST_DELAY, "retry"
    if fallback and error.reason not in NOT_REPLACED:
        return 0, "fallback"
    return None


def stop_trying(context: Context, step: Step, place: int) -> None:
    """Takes back that another call follows."""
    calls = _calls(context, step, place)
    if calls and calls[-1].retry_at is not None:
        context.say(
            EventType.CALL_RETRYING,
            calls[-1].key,
            0 if step is Step.PANEL else place,
            retry_at=None,
            cause="",
        )


def _calls(context: Context, step: Step, place: int, seat: int | None = None) -> list[CallState]:
    if step is Step.PANEL:
        found = context.state.calls_of(step, seat=place)
    else:
        found = context.state.calls_of(step, fusion=place or None, seat=seat)
    return sorted(found, key=lambda c: c.number)


def _next(last: CallState | None, panelist: Panelist) -> tuple[Panelist, str]:
    if last is None:
        return panelist, "first"
    same = Panelist.from_dict(last.panelist)
    if last.was_interrupted:
        return same, "resume"
    if last.is_turn:
        return same, TURN
    if last.retry_cause == "fallback":
        return _fallback(last) or same, "fallback"
    return same, last.retry_cause


def _fallback(call: CallState) -> Panelist | None:
    return Panelist.from_dict(call.panelist).fallback


def _tries(calls: list[CallState]) -> int:
    """How often the model of the last call was asked, not counting lost workers, nor forms of
    the request that it does not take."""
    tries = [
        call
        for call in _of_last_model(calls)
        if not call.was_interrupted and call.retry_cause != "adapt"
    ]
    return max(len(tries), 1)


def _has_repaired(calls: list[CallState]) -> bool:
    return any(call.cause == "repair" for call in _of_last_model(calls))


def _adaptations(calls: list[CallState]) -> int:
    return sum(call.cause == "adapt" for call in _of_last_model(calls))


def _of_last_model(calls: list[CallState]) -> Iterator[CallState]:
    """From the last call back to the first of its model."""
    for call in reversed(calls):
        yield call
        if call.cause in ("first", "fallback", "asked", TURN):
            return


def is_open(call: CallState | None) -> bool:
    """Whether something is still to be done at the place of its latest call."""
    return (
        call is None
        or not call.status.is_final
        or call.was_interrupted
        or call.is_turn
        or (call.status is CallStatus.FAILED and call.retry_at is not None)
    )
