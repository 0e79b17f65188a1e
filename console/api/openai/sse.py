"""An answer while it comes: what the streams of chat completions and responses share."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse

from ...engine.findings.provenance import PlainStream
from ...engine.state import CallState, RunState, Step
from ..http.base import ApiCall, note_reply
from ..http.disconnect import cancelled_with
from ..http.follow import may_go_on, states
from . import shapes
from .chat_run import Chat

KEEP_ALIVE = 3.0
COMMENT = b": keep-alive\n\n"
BEGINS_AGAIN = "\n\n---\n\n*Interrupted. The answer begins again:*\n\n"


def event_stream(events: AsyncGenerator[bytes, None], call: ApiCall[Any]) -> HttpResponseBase:
    async def noted() -> AsyncGenerator[bytes, None]:
        async with aclosing(events):
            async for event in events:
                yield event
        await note_reply(call)

    return StreamingHttpResponse(
        noted(),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no"},
    )


async def watched(chat: Chat) -> AsyncGenerator[RunState, None]:
    """The run's states as they come, as long as the token may read them. Raises ApiError."""
    async with (
        cancelled_with(chat.run, chat.call.body.fusion.cancel_on_disconnect),
        aclosing(states(chat.run.pk, partial(may_go_on, chat.call))) as changes,
    ):
        async for state in changes:
            yield state


class Quiet:
    """Says when a connection has been silent for too long."""

    def __init__(self) -> None:
        self._spoken = time.monotonic()

    def or_comment(self, events: list[bytes]) -> list[bytes]:
        now = time.monotonic()
        if not events and now - self._spoken > KEEP_ALIVE:
            events = [COMMENT]
        if events:
            self._spoken = now
        return events


class PlainText:
    """`shapes.text_of` one call while it is written, piece by piece, so that the work grows with
    the text alone."""

    def __init__(self) -> None:
        self._stream = PlainStream()
        self._taken = 0
        self._ended = False

    def fresh(self, call: CallState) -> str:
        """What can be said since it was asked last."""
        delta = call.text[self._taken :]
        self._taken += len(delta)
        if call.step is not Step.SYNTHESIS:
            return delta
        said = self._stream.feed(delta) if delta else ""
        if call.status.is_final and not self._ended:
            self._ended = True
            said += self._stream.end()
        return said


class FreshText:
    """What of the answer's text has not been told yet."""

    def __init__(self, chat: Chat) -> None:
        self._spec = chat.spec
        self._call = ""  # whose text is being told
        self._text = PlainText()
        self._has_told = False

    def of(self, state: RunState) -> list[str]:
        call = shapes.answering_call(self._spec, state)
        if call is None:
            return []
        if call.key != self._call:
            again = self._has_told
            if again and not shapes.text_of(call):
                return []
            self._call, self._text, self._has_told = call.key, PlainText(), False
            if again:
                return [BEGINS_AGAIN, *self.of(state)]
        fresh = self._text.fresh(call)
        self._has_told |= bool(fresh)
        return [fresh] if fresh else []
