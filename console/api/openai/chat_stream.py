"""A chat completion as a stream of OpenAI's chunks.

The answer's text goes out as it comes in. Until then a comment every few
seconds keeps the connection open, and an empty delta now and then tells clients that
count chunks that it goes on; what the panel does goes into a field of
the chunks that strict clients ignore, for those who ask for it. Chunks of text and
of progress, of which there are many, are written by hand; the others are models.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from django.http import HttpResponseBase

from ...engine.spec import letter
from ...engine.state import RunState, Step
from ..http.base import error_of
from ..http.db import db_then_wait
from ..http.errors import ApiError
from ..http.openrouter import openrouters_body, reads_errors_alone
from ..http.replies import Error
from . import shapes
from .chat_run import Chat, go_on
from .replies import CalledDelta, ChatChunk, ChunkChoice, Delta, ImageAddress, ImageDelta
from .sse import FreshReasoning, FreshText, Quiet, event_stream, watched


def stream_response(chat: Chat) -> HttpResponseBase:
    return event_stream(_stream(chat), chat.call)


async def _stream(chat: Chat) -> AsyncGenerator[bytes, None]:
    chunks = _Chunks(chat)
    try:
        yield chunks.first()
        reading = _Reading(chat, chunks)
        async with aclosing(reading.until_answered()) as events:
            async for event in events:
                yield event
        if chat.wants_panel(reading.answer):
            chat = await db_then_wait(go_on, chat, reading.state)
            chunks.chat = chat
            reading = _Reading(chat, chunks)
            async with aclosing(reading.until_answered()) as events:
                async for event in events:
                    yield event
        pictures = await chat.pictures(reading.answer)
        for event in chunks.end(reading.state, reading.answer, pictures):
            yield event
    except Exception as error:
        yield chunks.error(error_of(error, chat.call.id))


class _Reading:
    """One run read to its end: the events that tell its answer."""

    def __init__(self, chat: Chat, chunks: _Chunks) -> None:
        self._chat, self._chunks = chat, chunks
        self.state = RunState()
        self.answer: shapes.FinalAnswer | None = None
        self._reasoning, self._text = FreshReasoning(chat), FreshText()
        self._progress: dict[str, str] = {}

    async def until_answered(self) -> AsyncGenerator[bytes, None]:
        chat, quiet = self._chat, Quiet(partial(self._chunks.delta, content=""))
        async with aclosing(watched(chat)) as changes:
            async for state in changes:
                self.state = state
                call = chat.answering_call(state)
                thought = self._reasoning.of(call)
                events = [self._chunks.reasoning(thought)] if thought else []
                events += [self._chunks.text(text) for text in self._text.of(call)]
                if chat.call.body.fusion.progress:
                    events += self._new_progress()
                for event in quiet.or_sign_of_life(events):
                    yield event
        self.answer = await chat.answer(self.state)
        if self.answer is None:
            raise chat.failure(self.state)

    def _new_progress(self) -> list[bytes]:
        """A chunk without text for every call that changed its status."""
        events = []
        for key, call in self.state.calls.items():
            if self._progress.get(key) == call.status:
                continue
            self._progress[key] = call.status
            progress = {"step": call.step.value, "status": call.status.value}
            if call.step is Step.PANEL and call.seat is not None:
                progress |= {"seat": letter(call.seat), "model": shapes.model_of(call)}
            if call.error:
                progress["error"] = call.error
            events.append(self._chunks.delta(fusion={"progress": progress}))
        return events


class _Chunks:
    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._base: dict[str, Any] = {
            "id": f"chatcmpl-{chat.run.pk}{chat.of_turn}",
            "object": "chat.completion.chunk",
            "created": int(chat.run.created_at.timestamp()),
            "model": chat.model(),
            "provider": chat.provider,
        }
        # Of the pieces of text, which are many, all but the text is there already.
        before, _, self._behind = self.delta(content="").partition(b'"content":""')
        self._before = before + b'"content":'

    def first(self) -> bytes:
        return self._chunk(_choice(Delta(role="assistant", content="")))

    def reasoning(self, text: str) -> bytes:
        detail = {"type": "reasoning.text", "text": text, "index": 0}
        return self.delta(content="", reasoning=text, reasoning_details=[detail])

    def text(self, text: str) -> bytes:
        return self._before + _json(text) + self._behind

    def delta(self, *, fusion: dict[str, Any] | None = None, **delta: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}
        more = {"fusion": fusion} if fusion else {}
        return self._event(self._base | {"choices": [choice]} | more)

    def end(
        self, state: RunState, answer: shapes.FinalAnswer | None, pictures: list[str]
    ) -> list[bytes]:
        assert answer
        events = [self._picture(n, address) for n, address in enumerate(pictures)]
        if answer.tool_calls:
            calls = [CalledDelta(index=n, **call) for n, call in enumerate(answer.tool_calls)]
            events.append(self._chunk(_choice(Delta(tool_calls=calls))))
        self._base["model"] = self.chat.model(state)
        last = _choice(Delta(), answer.finish_reason)
        fusion = {"fusion": self.chat.fusion(state)} if self.chat.shows_fusion else {}
        if self._tells_usage:
            events.append(self._chunk(last))
            events.append(self._chunk(usage=self.chat.usage(state), **fusion))
        else:
            events.append(self._chunk(last, **fusion))
        return [*events, b"data: [DONE]\n\n"]

    def _picture(self, number: int, address: str) -> bytes:
        """Each in a chunk of its own: lines are not to grow by all of them."""
        image = ImageDelta(index=number, type="image_url", image_url=ImageAddress(url=address))
        return self._chunk(_choice(Delta(content="", images=[image])))

    @property
    def _tells_usage(self) -> bool:
        """OpenRouter always does."""
        options = self.chat.call.body.stream_options
        return self.chat.call.in_openrouters_words or bool(options and options.include_usage)

    def error(self, error: ApiError) -> bytes:
        """What has choices is taken for an ordinary chunk by many clients, and the run for an
        empty answer: OpenRouter's insist on the field, and find it empty."""
        call = self.chat.call
        body = openrouters_body(error) if call.in_openrouters_words else error.body()
        if call.in_openrouters_words and not reads_errors_alone(call.request):
            return self._chunk(error=Error(**body["error"]))
        return self._event(body)

    def _chunk(self, *choices: ChunkChoice, **more: Any) -> bytes:
        return self._event(ChatChunk(**self._base, choices=list(choices), **more).payload())

    def _event(self, chunk: dict[str, Any]) -> bytes:
        return b"data: %s\n\n" % _json(chunk)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(body: Any) -> bytes:
    return _encode(body).encode(errors="replace")


def _choice(delta: Delta, finish_reason: str | None = None) -> ChunkChoice:
    return ChunkChoice(index=0, delta=delta, finish_reason=finish_reason, logprobs=None)
