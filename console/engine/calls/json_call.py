"""A small question beside the run's own: a model is asked for one JSON object, which nobody sees
being written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import ProviderError, Reason
from ..provider import Message
from ..spec import Panelist
from .call import receipt, request_for, stream_call
from .context import Context
from .tries import Ended
from .window import excess

# What its text says, for the end of its call to carry; None: it cannot be read.
Read = Callable[[str], Awaitable[dict[str, Any] | None]]


async def ask_for_json(
    context: Context,
    key: str,
    who: Panelist,
    messages: list[Message],
    schema: dict[str, Any],
    read: Read,
    *,
    output: int | None = None,
    too_long: str = "",
    until: float | None = None,
) -> Ended:
    """`output`: tokens that it may write, None: as many as its seat may. What does not fit its
    context is not sent (`too_long` says it), and at `until`, by the loop's clock, it is ended."""
    if excess(who, messages, output) > 0:
        return Ended({}, ProviderError(Reason.CONTEXT_LENGTH, too_long))
    most = None if who.thinks else output
    request = request_for(
        who,
        messages,
        max_output_tokens=who.max_output_tokens if output is None else most,
        temperature=0,
        response_schema=schema,
    )
    pieces: list[str] = []
    try:
        async with asyncio.timeout_at(until):
            finish = await stream_call(
                context,
                key,
                who,
                request,
                on_text=pieces.append,
                on_reasoning=lambda text: None,
                on_recast=lambda text, _: pieces.__setitem__(slice(None), [text]),
            )
    except ProviderError as error:
        return Ended({"text": "".join(pieces)}, error)
    except TimeoutError:
        return Ended({"text": "".join(pieces)}, ProviderError(Reason.TIMEOUT, "It took too long."))
    text = "".join(pieces)
    found = await read(text)
    wrong = ProviderError(Reason.BAD_RESPONSE) if found is None else None
    return Ended({"text": text, **(found or {}), **receipt(finish)}, wrong)
