"""The panel: every seat asked at once, none waiting for another.

A seat that fails, stalls or runs out of time is reported and never stops the
others. Whom the panel waits for is `Policy.wait_for`: once as many usable answers
are in, who is silent has a grace period to begin in and is ended then, and who
writes or thinks is waited for a while longer. Where that is over, or a reader fuses
without it, it is not ended, for what it writes is paid for: it goes on beside the
fusion, up to the panel's limit. Whoever is cut off keeps what it had said, out of
the analysis.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ..calls.call import receipt, request_for, stream_call, unusable, words_for
from ..calls.context import Context
from ..calls.together import begun
from ..calls.tries import TURN, Ended, carry_out, is_open, stop_trying
from ..calls.watched import Watched
from ..errors import SENTENCES, ProviderError, Reason
from ..events import EventType
from ..findings.degenerate import Detector
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, CallStatus, Step
from .evidence_of_seat import Evidence
from .gathering import Gathering
from .material import prompt_text
from .seen import refuses_files


@asynccontextmanager
async def panel_of(
    context: Context, gathering: Gathering | None, *, is_asked: bool
) -> AsyncIterator[PanelUnderWay]:
    """The seats that are to be asked, at work until the block is left. `is_asked`: False, and
    their answers stay as they are. `gathering` is for those that look things up."""
    seats = [s for s in range(len(context.spec.panel)) if is_asked and _is_to_be_asked(context, s)]
    panel = PanelUnderWay(context)
    # A seat reports its own failures; what comes out of one ends the run (a lost lease).
    async with begun(_ask_seat(context, gathering, seat, panel) for seat in seats) as tasks:
        panel.begin(dict(zip(seats, tasks, strict=True)))
        async with begun([panel.watch()]) as (panel.watching,):
            yield panel


def answers_of(context: Context, seats: Iterable[int]) -> dict[int, CallState]:
    found = {seat: context.state.answer(seat) for seat in seats}
    return {seat: call for seat, call in found.items() if call}


class PanelUnderWay:
    """Watches over the seats, and decides whom to wait for and whom to end."""

    watching: asyncio.Task[None]

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seats: dict[int, asyncio.Task[None]] = {}  # those that have not been ended
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._limit = self._began + context.spec.policy.panel_timeout
        self._grace, self._patience = math.inf, math.inf  # when they are over
        self._has_quorum = False
        self._enough = asyncio.Event()

    async def answers(self) -> dict[int, CallState]:
        """Seat -> its usable answer, for the seats that have one once nobody else is waited for."""
        if not self._seats:
            return self._answers
        enough = asyncio.create_task(self._enough.wait())
        try:
            await asyncio.wait([enough, self.watching], return_when=asyncio.FIRST_COMPLETED)
        finally:
            enough.cancel()
        if self.watching.done():
            self.watching.result()
        return self._answers

    async def rest(self) -> None:
        """Returns when nobody writes any more."""
        await self.watching

    @property
    def going_on(self) -> list[str]:
        """Keys of the calls that nobody waits for, and that go on."""
        calls = [self._latest(seat) for seat in self._pending()]
        return [call.key for call in calls if call and not call.status.is_final]

    @property
    def waits(self) -> bool:
        """For the answer of a seat that goes on turn by turn."""
        return not self._enough.is_set()

    def asks_again(self) -> bool:
        """Whether a call that failed may still be followed by another: that one would begin
        in silence, which nobody waits for once the grace is over."""
        return not self._enough.is_set() and self._loop.time() < self._grace

    def begin(self, seats: dict[int, asyncio.Task[None]]) -> None:
        """Before any of them takes its first step: who was stopped is not asked at all."""
        self._seats = seats
        self._look_at_the_seats()

    async def watch(self) -> None:
        """Until every seat has ended, or has been ended."""
        while True:
            self._look_at_the_seats()
            if not self._enough.is_set():
                self._look_at_the_answers()
            if self._loop.time() >= self._limit:
                limit = f"{self._context.spec.policy.panel_timeout:g} s"
                sentence = f"The panel's time limit of {limit} was reached."
                self._cut_off(self._pending(), Reason.TIMEOUT, sentence)
            if not (pending := self._pending()):
                return
            await self._wait([self._seats[seat] for seat in pending], self._next_look(pending))

    def _look_at_the_answers(self) -> None:
        context, usable, pending = self._context, len(self._answers), self._pending()
        wait_for = context.spec.policy.wait_for
        # Whom to wait for is said of a panel asked as a whole, not of a seat asked again, nor of
        # answers from elsewhere and from another run, which are there before anybody could have
        # given one.
        asked_again = context.state.idle_seconds > 0
        if not self._has_quorum and not asked_again and pending:
            here = [c for c in self._answers.values() if not (c.is_brought or c.is_taken)]
            taken = sum(call.is_taken for call in self._answers.values())
            asked = len(context.spec.asked) - taken
            self._has_quorum = len(here) >= wait_for.quorum_of(asked)
            if self._has_quorum and wait_for.ends_the_others:
                self._cut_off(pending, Reason.CUT_OFF, SENTENCES[Reason.CUT_OFF])
            elif self._has_quorum:
                self._begin_grace(usable)
        now = self._loop.time()
        if context.control.fuse_now and usable:
            self._wait_no_longer("Cut off, as asked. It is not compared.")
        elif now >= self._patience:
            self._wait_no_longer(SENTENCES[Reason.CUT_OFF])
        elif now >= self._grace:
            silent = [seat for seat in self._pending() if self._silent_at(seat) <= now]
            self._cut_off(silent, Reason.CUT_OFF, SENTENCES[Reason.CUT_OFF])

    def _begin_grace(self, usable: int) -> None:
        policy, now = self._context.spec.policy, self._loop.time()
        took = now - self._began
        grace = max(policy.grace, policy.grace_factor * took)
        self._grace = now + grace
        if policy.writing_factor is not None and not self._is_the_answer:
            self._patience = now + max(policy.writing_factor * took, policy.writing_seconds)
        until = round(self._context.clock() + grace, 3)
        self._context.say(EventType.PANEL_GRACE, until=until, usable=usable)

    def _wait_no_longer(self, sentence: str) -> None:
        """Who lives goes on beside the fusion; where none follows, there is nothing to go on
        beside."""
        now = self._loop.time()
        for seat in self._pending():
            if not self._may_go_on or self._silent_at(seat) <= now:
                self._cut_off([seat], Reason.CUT_OFF, sentence)
        self._enough.set()

    def _silent_at(self, seat: int) -> float:
        """From when on it counts as silent, if it goes on as it does: never while it writes or
        thinks. Whoever falls silent after all is ended by the call's own limits."""
        call, policy = self._latest(seat), self._context.spec.policy
        if call is not None and call.status is CallStatus.STREAMING:
            return math.inf
        if call is not None and (call.is_turn or call.cause == TURN):
            return math.inf  # it has begun, and looks things up
        if call is None or call.sent_at is None or call.status.is_final:
            return -math.inf  # nobody has been asked, or not yet again
        silence = policy.silence_of(Panelist.from_dict(call.panelist))
        return self._loop.time() + call.sent_at + silence - self._context.clock()

    def _next_look(self, pending: list[int]) -> float:
        """In so many seconds, if nothing happens before."""
        now, looks = self._loop.time(), [self._limit]
        if not self._enough.is_set():
            looks.append(self._patience)
            if self._has_quorum:
                looks += [max(self._grace, self._silent_at(seat)) for seat in pending]
        return max(0.0, min(looks) - now)

    @property
    def _answers(self) -> dict[int, CallState]:
        return answers_of(self._context, range(len(self._context.spec.panel)))

    @property
    def _is_the_answer(self) -> bool:
        """Compared first: the run ends with its panel."""
        return self._context.spec.stop_after == "panel" and not self._context.state.fusions

    @property
    def _may_go_on(self) -> bool:
        """An agent's run ends with its answer: its next turn, which takes it up, does not wait."""
        options = self._context.spec.request.get("options", {})
        return not (self._is_the_answer or options.get("tools"))

    def _pending(self) -> list[int]:
        return [seat for seat, task in self._seats.items() if not task.done()]

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
        for task in self._seats.values():
            # What comes out of a seat ends the run (a lost lease).
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
        for seat in self._context.control.stopped & self._seats.keys():
            if not self._seats[seat].done():
                self._seats[seat].cancel()
                self._close(seat, Reason.CANCELLED, "Stopped by the reader.")

    def _cut_off(self, seats: Iterable[int], reason: Reason, sentence: str) -> None:
        for seat in seats:
            # Once is enough: a second time would disturb the closing of its connection.
            self._seats.pop(seat).cancel()
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
    if call and any(call.key in fusion.without for fusion in state.fusions.values()):
        return False  # it was fused without: whoever wants it asks the seat again
    # Of a run that was stopped before it began, a reader may ask one seat and not the others.
    chosen = bool(state.fusions) or any(c.cause == "asked" for c in state.calls.values())
    return is_open(call) and (call is not None or not chosen)


def _latest(context: Context, seat: int) -> CallState | None:
    return context.state.latest(Step.PANEL, seat=seat)


async def _ask_seat(
    context: Context, gathering: Gathering | None, seat: int, panel: PanelUnderWay
) -> None:
    async def perform(key: str, panelist: Panelist) -> Ended:
        def say(kind: EventType, **data: Any) -> None:
            # A task that is being cancelled may still hold a piece in its hands.
            if not context.state.calls[key].status.is_final:
                context.say(kind, key, **data)

        def alive() -> None:
            if context.state.calls[key].status is CallStatus.WAITING:
                context.say(EventType.CALL_ALIVE, key)

        def hand_on(kind: EventType) -> Callable[[str], None]:
            def write(piece: str) -> None:
                if not context.state.calls[key].status.is_final:
                    context.write(kind, key, text=piece)

            return write

        def recast(said: str, reasoning: str) -> None:
            say(EventType.CALL_RECAST, text=said, reasoning=reasoning)
            text.begin_with(said)
            thoughts.begin_with(reasoning)

        text = Watched(hand_on(EventType.CALL_DELTA), _detector(context))
        thoughts = Watched(
            hand_on(EventType.CALL_REASONING_DELTA), _detector(context, is_data=True)
        )
        asked = context.histories.get(seat, context.messages)
        given = await context.given(panelist, asked, seat)
        evidence = await Evidence.of(context, gathering, seat, key, panelist)
        request = request_for(
            panelist,
            await evidence.messages(_with_system_prompt(panelist.system_prompt, given.messages)),
            max_output_tokens=panelist.max_output_tokens,
            temperature=panelist.temperature,
            response_schema=panelist.response_schema,
            # A panel that is not fused is itself the answer.
            asked=context.spec.request if context.spec.stop_after == "panel" else None,
        )
        try:
            finish = await stream_call(
                context,
                key,
                panelist,
                evidence.request(replace(request, files=given.files, given=given.told)),
                on_text=text,
                on_reasoning=thoughts,
                on_recast=recast,
                on_alive=alive,
                may_go_on=evidence.may_go_on,
            )
        except ProviderError as error:
            evidence.failed(error)
            if given.files and context.files and refuses_files(error):
                context.files.was_refused(panelist)
                error.adapted = True
            return Ended({}, error)
        if words := words_for(context.state.calls[key].text, finish):
            text(words)
        try:
            text.end()
        except ProviderError as error:
            return Ended(receipt(finish), error)
        context.settle()
        call = context.state.calls[key]
        finish, wrong = await evidence.ended(call.text, finish, is_waited_for=panel.waits)
        return Ended(receipt(finish), wrong or unusable(call.text, call.reasoning, finish))

    panelist = context.spec.panel[seat]
    await carry_out(context, Step.PANEL, seat, panelist, perform, asks_again=panel.asks_again)


def _detector(context: Context, *, is_data: bool = False) -> Detector | None:
    """A single model that is passed through is nobody's material: its text is left alone."""
    if context.spec.stop_after == "panel" and len(context.spec.panel) == 1:
        return None
    return Detector(asked=prompt_text(context.messages), is_data=is_data)


def _with_system_prompt(system_prompt: str, messages: list[Message]) -> list[Message]:
    if not system_prompt:
        return messages
    return [{"role": "system", "content": system_prompt}, *messages]
