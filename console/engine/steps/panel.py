"""The panel: every seat asked at once, none waiting for another.

A seat that fails, stalls or runs out of time is reported and never stops the
others. Once a quorum of usable answers is in, stragglers have a grace period to
begin in: a seat that writes by then is waited for, one that is silent is not,
nor is any asked again. The panel as a whole has a limit of its own. Whoever is
cut off keeps what it had said, out of the analysis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from ..calls.call import Context, receipt, request_for, stream_call, unusable
from ..calls.together import begun
from ..calls.tries import Ended, carry_out, is_open, stop_trying
from ..errors import SENTENCES, ProviderError, Reason
from ..events import EventType
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, CallStatus, Step


async def ask_panel(context: Context) -> dict[int, CallState]:
    """Seat -> its usable answer, for the seats that have one."""
    seats = [s for s in range(len(context.spec.panel)) if _is_to_be_asked(context, s)]
    deadline = _PanelDeadline(context)
    # A seat reports its own failures; what comes out of one ends the run (a lost lease).
    async with begun(_ask_seat(context, seat, deadline.asks_again) for seat in seats) as tasks:
        await deadline.until_over(dict(zip(seats, tasks, strict=True)))
    return answers_of(context, range(len(context.spec.panel)))


def answers_of(context: Context, seats: Iterable[int]) -> dict[int, CallState]:
    found = {seat: context.state.answer(seat) for seat in seats}
    return {seat: call for seat, call in found.items() if call}


class _PanelDeadline:
    """Decides when the panel has taken long enough."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waited_for: dict[int, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._limit = self._began + context.spec.policy.panel_timeout
        self._grace: float | None = None

    async def until_over(self, tasks: dict[int, asyncio.Task[None]]) -> None:
        context, policy = self._context, self._context.spec.policy
        self._waited_for = dict(tasks)
        # Quorum and grace are for a panel asked as a whole, not for a seat asked again.
        asked_again = context.state.idle_seconds > 0
        while True:
            self._look_at_the_seats()
            usable = len(answers_of(context, range(len(context.spec.panel))))
            quorum = policy.quorum_of(len(context.spec.panel))
            pending = self._pending()
            if self._grace is None and usable >= quorum and not asked_again and pending:
                self._begin_grace(usable)
            now = self._loop.time()
            if context.control.fuse_now and usable:
                self._cut_off(pending, Reason.CUT_OFF, "Cut off, as asked. It is not compared.")
            elif now >= self._limit:
                limit = f"The panel's time limit of {policy.panel_timeout:g} s was reached."
                self._cut_off(pending, Reason.TIMEOUT, limit)
            elif self._grace_is_over:
                silent = [seat for seat in pending if not self._is_writing(seat)]
                self._cut_off(silent, Reason.CUT_OFF, SENTENCES[Reason.CUT_OFF])
            if not (pending := self._pending()):
                return
            next_look = self._limit
            if self._grace is not None and not self._grace_is_over:
                next_look = min(next_look, self._grace)
            await self._wait([self._waited_for[seat] for seat in pending], next_look - now)

    def asks_again(self) -> bool:
        """Whether a call that failed may still be followed by another: that one would begin
        in silence, which nobody waits for once the grace is over."""
        return not self._grace_is_over

    @property
    def _grace_is_over(self) -> bool:
        return self._grace is not None and self._loop.time() >= self._grace

    def _pending(self) -> list[int]:
        return [seat for seat, task in self._waited_for.items() if not task.done()]

    def _is_writing(self, seat: int) -> bool:
        """Thoughts count, too. Whoever falls silent after all is ended by the call's own limits."""
        call = self._latest(seat)
        return call is not None and call.status is CallStatus.STREAMING

    def _begin_grace(self, usable: int) -> None:
        policy, took = self._context.spec.policy, self._loop.time() - self._began
        grace = max(policy.grace, policy.grace_factor * took)
        self._grace = self._loop.time() + grace
        until = round(self._context.clock() + grace, 3)
        self._context.say(EventType.PANEL_GRACE, until=until, usable=usable)

    async def _wait(self, pending: list[asyncio.Task[None]], seconds: float) -> None:
        control = self._context.control
        told = asyncio.create_task(control.changed.wait())
        try:
            await asyncio.wait(
                [*pending, told], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            told.cancel()
        control.changed.clear()

    def _look_at_the_seats(self) -> None:
        for task in self._waited_for.values():
            # What comes out of a seat ends the run (a lost lease).
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        for seat in self._context.control.stopped & self._waited_for.keys():
            if not self._waited_for[seat].done():
                self._waited_for[seat].cancel()
                self._close(seat, Reason.CANCELLED, "Stopped by the reader.")

    def _cut_off(self, seats: Iterable[int], reason: Reason, sentence: str) -> None:
        for seat in seats:
            # Once is enough: a second time would disturb the closing of its connection.
            self._waited_for.pop(seat).cancel()
            self._close(seat, reason, sentence)

    def _close(self, seat: int, reason: Reason, sentence: str) -> None:
        call = self._latest(seat)
        if call and not call.status.is_final:
            why = reason.value
            self._context.say(
                EventType.CALL_FAILED, call.key, reason=why, error=sentence, final=True
            )
        else:
            stop_trying(self._context, Step.PANEL, seat)

    def _latest(self, seat: int) -> CallState | None:
        return _latest(self._context, seat)


def _is_to_be_asked(context: Context, seat: int) -> bool:
    call, state = _latest(context, seat), context.state
    # Of a run that was stopped before it began, a reader may ask one seat and not the others.
    chosen = bool(state.fusions) or any(c.cause == "asked" for c in state.calls.values())
    return is_open(call) and (call is not None or not chosen)


def _latest(context: Context, seat: int) -> CallState | None:
    return context.state.latest(Step.PANEL, seat=seat)


async def _ask_seat(context: Context, seat: int, asks_again: Callable[[], bool]) -> None:
    async def perform(key: str, panelist: Panelist) -> Ended:
        def say(kind: EventType, **data: Any) -> None:
            # A task that is being cancelled may still hold a piece in its hands.
            if not context.state.calls[key].status.is_final:
                context.say(kind, key, **data)

        try:
            finish = await stream_call(
                context,
                key,
                panelist,
                request_for(
                    panelist,
                    _with_system_prompt(
                        panelist.system_prompt, context.histories.get(seat, context.messages)
                    ),
                    max_output_tokens=panelist.max_output_tokens,
                    temperature=panelist.temperature,
                    response_schema=panelist.response_schema,
                    # A panel that is not fused is itself the answer.
                    asked=context.spec.request if context.spec.stop_after == "panel" else None,
                ),
                on_text=lambda text: say(EventType.CALL_DELTA, text=text),
                on_reasoning=lambda text: say(EventType.CALL_REASONING_DELTA, text=text),
                on_recast=lambda text, reasoning: say(
                    EventType.CALL_RECAST, text=text, reasoning=reasoning
                ),
            )
        except ProviderError as error:
            return Ended({}, error)
        call = context.state.calls[key]
        return Ended(receipt(finish), unusable(call.text, call.reasoning, finish))

    panelist = context.spec.panel[seat]
    await carry_out(context, Step.PANEL, seat, panelist, perform, asks_again=asks_again)


def _with_system_prompt(system_prompt: str, messages: list[Message]) -> list[Message]:
    if not system_prompt:
        return messages
    return [{"role": "system", "content": system_prompt}, *messages]
