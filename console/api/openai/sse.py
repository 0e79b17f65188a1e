"""An answer while it comes: what the streams of chat completions and responses share."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase, StreamingHttpResponse

from ...engine.findings.provenance import PlainStream
from ...engine.state import CallState, CallStatus, RunState, Step
from ..http.base import ApiCall, note_reply
from ..http.disconnect import parting
from ..http.follow import may_go_on, states
from . import shapes
from .chat_run import Chat

KEEP_ALIVE = 2.0  # some clients wait for 5 s, and a busy server is late
COMMENT = b": keep-alive\n\n"
BEGINS_AGAIN = "\n\n---\n\n*Interrupted. The answer begins again:*\n\n"


def event_stream(events: AsyncGenerator[bytes, None], call: ApiCall[Any]) -> HttpResponseBase:
    async def noted() -> AsyncGenerator[bytes, None]:
        async with parting(call), aclosing(events):
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
    may = partial(may_go_on, chat.call)
    async with aclosing(states(chat.run.pk, may, chat.begun)) as changes:
        async for state in changes:
            yield chat.view(state)


class Quiet:
    """Says when a connection has been silent for too long. Comments keep it open; clients that
    wait for the next event see none of them, and have an `empty` one now and then."""

    def __init__(self, empty: Callable[[], bytes]) -> None:
        self._empty = empty
        self._spoken = self._told = time.monotonic()

    def or_sign_of_life(self, events: list[bytes]) -> list[bytes]:
        now = time.monotonic()
        if not events and now - self._told > settings.EMPTY_CHUNK_SECONDS:
            events = [self._empty()]
        if events:
            self._spoken = self._told = now
        elif now - self._spoken > KEEP_ALIVE:
            self._spoken = now
            events = [COMMENT]
        return events


class PlainText:
    """`shapes.text_of` one call while it is written, piece by piece, so that the work grows with
    the text alone."""

    def __init__(self) -> None:
        self._stream = PlainStream()
        self._read = ""  # of the call's own text
        self._told: list[str] = []
        self._ended = False

    def fresh(self, call: CallState) -> str | None:
        """What can be said since it was asked last.

        None: the text was replaced, and does not go on from what was said.
        """
        if was_replaced(call.text, self._read, call):
            return self._anew(call)
        delta = call.text[len(self._read) :]
        if delta:
            self._read = call.text
        fresh = self._stream.feed(delta) if delta and call.step is Step.SYNTHESIS else delta
        if call.step is Step.SYNTHESIS and call.status.is_final and not self._ended:
            self._ended = True
            fresh += self._stream.end()
        self._told.append(fresh)
        return fresh

    def _anew(self, call: CallState) -> str | None:
        sent, anew = "".join(self._told), PlainText()
        whole = anew.fresh(call) or ""
        if not whole.startswith(sent):
            return None
        self._stream, self._read, self._ended = anew._stream, anew._read, anew._ended
        rest = whole[len(sent) :]
        self._told.append(rest)
        return rest


class FreshReasoning:
    """What of the reasoning of the call that answers has not been told yet."""

    def __init__(self, chat: Chat) -> None:
        self._is_shown = chat.shows_reasoning
        self._call, self._read = "", ""
        self._has_told = False

    def of(self, call: CallState | None) -> str:
        if call is None or not self._is_shown:
            return ""
        begins = call.key != self._call or was_replaced(call.reasoning, self._read, call)
        if begins:
            self._call, self._read = call.key, ""
        fresh = call.reasoning[len(self._read) :]
        if not fresh:
            return ""
        again = begins and self._has_told
        self._read, self._has_told = call.reasoning, True
        return f"\n\n---\n\n{fresh}" if again else fresh


def was_replaced(text: str, sent: str, call: CallState) -> bool:
    """Whether this text of a call is another than was told. One that is only behind, as rows may
    be, has to catch up: nothing is said of it until then."""
    if text.startswith(sent):
        return False
    return call.status is CallStatus.COMPLETED or not sent.startswith(text)


class FreshText:
    """What of the answer's text, by the call that writes it, has not been told yet."""

    def __init__(self) -> None:
        self._call = ""  # whose text is being told
        self._text = PlainText()
        self._has_told = False

    def of(self, call: CallState | None) -> list[str]:
        if call is None:
            return []
        fresh = self._text.fresh(call) if call.key == self._call else None
        if fresh is not None:
            self._has_told |= bool(fresh)
            return [fresh] if fresh else []
        again = self._has_told
        if again and not shapes.text_of(call):
            return []
        self._call, self._text, self._has_told = call.key, PlainText(), False
        return [*([BEGINS_AGAIN] if again else []), *self.of(call)]
