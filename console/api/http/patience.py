"""A reply that may take longer than clients wait for the head of one.

Node's `fetch` gives up where no status came within 300 s. So the status stays open for as long
as most runs take, which tells a failure best; then it is 200, and white space, which JSON may
begin with, keeps the connection alive. Should the run fail after that, the connection is broken
off, so that nobody takes what came for an answer: the same request again has the real status.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from .base import ApiCall, error_of, note_reply
from .disconnect import parting


class BrokenOff(Exception):
    """Told to the web server, which ends the connection without ending the body."""

    is_meant = True  # no error of the server (`console.site.logs`)


async def patient(call: ApiCall[Any], reply: Coroutine[Any, Any, HttpResponse]) -> HttpResponseBase:
    """The reply, or one that has begun and is waited for. Raises what `reply` does, in time."""
    task = asyncio.ensure_future(reply)
    async with parting(call):
        try:
            await asyncio.wait({task}, timeout=settings.OPEN_STATUS_SECONDS)
        except asyncio.CancelledError:
            await _end(task)
            raise
    if task.done():
        return task.result()
    return StreamingHttpResponse(
        _late(call, task), content_type="application/json", headers={"X-Accel-Buffering": "no"}
    )


async def _late(
    call: ApiCall[Any], task: asyncio.Task[HttpResponse]
) -> AsyncGenerator[bytes, None]:
    try:
        async with parting(call):
            while not task.done():
                yield b" "
                await asyncio.wait({task}, timeout=settings.WHITE_SPACE_SECONDS)
        yield task.result().content
    except Exception as error:
        raise BrokenOff(error_of(error, call.id).message) from error
    finally:
        await _end(task)
    await note_reply(call)


async def _end(task: asyncio.Task[HttpResponse]) -> None:
    """Its client is gone, which the task is to know before the request ends."""
    task.cancel()
    await asyncio.wait({task})
