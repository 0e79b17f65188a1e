"""The panel: every seat asked at once, none waiting for another.

A seat that fails, stalls or runs out of time is reported and never stops the
others. What quorum, grace and retries will decide is decided in `ask_panel`
and `_ask_seat`.
"""

from __future__ import annotations

import asyncio

from .call import Context, failure, receipt, request_for, stream_call, unusable
from .errors import ProviderError, Reason
from .events import EventType
from .provider import Message
from .state import CallState, Step, call_key


async def ask_panel(context: Context) -> dict[int, CallState]:
    """Seat -> its usable answer, for the seats that have one."""
    seats = [s for s in range(len(context.spec.panel)) if _is_open(context, s)]
    tasks = [asyncio.create_task(_ask_seat(context, s), name=f"seat {s}") for s in seats]
    try:
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        # A seat reports its own failures; what comes out here ends the run (a lost lease).
        if isinstance(result, Exception):
            raise result
    answers = {s: context.state.latest(Step.PANEL, seat=s) for s in range(len(context.spec.panel))}
    return {seat: call for seat, call in answers.items() if call and call.is_usable}


def _is_open(context: Context, seat: int) -> bool:
    """Never asked, or interrupted with its worker. A finished call is never bought twice."""
    last = context.state.latest(Step.PANEL, seat=seat)
    return last is None or last.reason == Reason.WORKER_LOST


async def _ask_seat(context: Context, seat: int) -> None:
    panelist = context.spec.panel[seat]
    number = len(context.state.calls_of(Step.PANEL, seat=seat)) + 1
    key = call_key(Step.PANEL, seat, number)
    context.say(
        EventType.PANEL_ADDED,
        key,
        seat=seat,
        number=number,
        cause="first" if number == 1 else "resume",
        panelist=panelist.to_dict(),
    )
    try:
        finish = await stream_call(
            context,
            key,
            panelist,
            request_for(
                panelist,
                _with_system_prompt(panelist.system_prompt, context.messages),
                max_output_tokens=panelist.max_output_tokens,
                temperature=panelist.temperature,
            ),
            on_text=lambda text: context.say(EventType.PANEL_DELTA, key, text=text),
            on_reasoning=lambda text: context.say(EventType.PANEL_REASONING_DELTA, key, text=text),
        )
    except ProviderError as error:
        context.say(EventType.PANEL_FAILED, key, **failure(error))
        return
    call = context.state.calls[key]
    if problem := unusable(call.text, call.reasoning, finish):
        context.say(EventType.PANEL_FAILED, key, **receipt(finish), **failure(problem))
    else:
        context.say(EventType.PANEL_COMPLETED, key, **receipt(finish))


def _with_system_prompt(system_prompt: str, messages: list[Message]) -> list[Message]:
    if not system_prompt:
        return messages
    return [{"role": "system", "content": system_prompt}, *messages]
