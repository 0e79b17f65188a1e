"""A response as a stream of OpenAI's events, with OpenRouter's about the fusion among them.

The first, the last and the items of its output are models; what is told between them, of which
there is much, is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.http import HttpResponseBase

from ...engine.state import CallState, RunState
from ..http.base import error_of
from ..http.db import db_then_wait
from . import shapes
from .chat_run import Chat, go_on
from .fusion_events import FusionEvents
from .replies import FusionItemBegun, Item, ItemStatus, ResponseEvent, ResponseSoFar
from .response_object import (
    PendingResponse,
    call_item,
    fusion_id,
    fusion_item,
    fusion_item_begun,
    message_id,
    message_item,
    part,
    picture_item,
    reasoning_id,
    reasoning_item,
    status_of,
    summary,
)
from .responses_input import in_our_words
from .sse import FreshReasoning, FreshText, Quiet, event_stream, watched


def stream_response(asked: PendingResponse) -> HttpResponseBase:
    return event_stream(_stream(asked), asked.first.call)


async def _stream(asked: PendingResponse) -> AsyncGenerator[bytes, None]:
    out = _Output(asked)
    try:
        for name in ("response.created", "response.in_progress"):
            yield out.response(name, asked.begun())
        chat = asked.first
        while True:
            reading = _Reading(chat, out)
            async with aclosing(reading.until_answered()) as events:
                async for event in events:
                    yield event
            if not chat.wants_panel(reading.answer):
                break
            for event in reading.close_message():
                yield event
            chat = await db_then_wait(go_on, chat, reading.state)
        for event in reading.end(await chat.pictures(reading.answer)):
            yield event
    except Exception as error:
        failure = in_our_words(error_of(error, asked.call.id))
        yield out.response("response.failed", asked.failed(failure, out.items))


class _Output:
    """The items told so far, and the numbers of events."""

    def __init__(self, asked: PendingResponse) -> None:
        self.asked = asked
        self.items: list[Item] = []  # those that are done
        self._number = 0

    def response(self, name: str, response: ResponseSoFar) -> bytes:
        body = {"type": name, "sequence_number": self._next(), "response": response}
        return _encoded(name, ResponseEvent.model_validate(body).payload())

    def in_progress(self) -> bytes:
        """Said again, it says that nothing has changed."""
        return self.response("response.in_progress", self.asked.begun())

    def event(self, name: str, /, **data: Any) -> bytes:
        return _encoded(name, {"type": name, "sequence_number": self._next()} | data)

    def _next(self) -> int:
        self._number += 1
        return self._number - 1

    @property
    def index(self) -> int:
        """Of the item that is being told."""
        return len(self.items)

    def added(self, item: Item | FusionItemBegun) -> bytes:
        return self._item("added", item)

    def done(self, item: Item) -> bytes:
        event = self._item("done", item)
        self.items.append(item)
        return event

    def _item(self, name: str, item: Item | FusionItemBegun) -> bytes:
        where = {"output_index": self.index, "item": item.payload()}
        return self.event(f"response.output_item.{name}", **where)


def _encoded(name: str, body: dict[str, Any]) -> bytes:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode(errors="replace")


class _Reading:
    """One run read to its end: the events that tell its items."""

    def __init__(self, chat: Chat, out: _Output) -> None:
        self._chat, self._out = chat, out
        self.state = RunState()
        self.answer: shapes.FinalAnswer | None = None
        self._thoughts, self._fresh = FreshReasoning(chat), FreshText()
        self._thought = ""  # as far as it was told
        self._reasoning_at: int | None = None
        self._is_thinking = False
        self._text: str | None = None  # of the message, once there is one
        self._fusion = FusionEvents(chat.spec) if chat.shows_panel else None
        self._fusion_at: int | None = None
        self._fusion_done = False

    async def until_answered(self) -> AsyncGenerator[bytes, None]:
        chat, quiet = self._chat, Quiet(self._out.in_progress)
        async with aclosing(watched(chat)) as changes:
            async for state in changes:
                self.state = state
                call = chat.answering_call(state)
                events = [*self._of_fusion(), *self._of_reasoning(call), *self._of_message(call)]
                for event in quiet.or_sign_of_life(events):
                    yield event
        self.answer = await chat.answer(self.state)
        if self.answer is None:
            raise chat.failure(self.state)

    def _of_fusion(self) -> list[bytes]:
        if self._fusion is None or self._fusion_done:
            return []
        out, events = self._out, []
        if self._fusion_at is None:
            self._fusion_at = out.index
            events.append(out.added(fusion_item_begun(self._chat)))
            events.append(self._fusion_event("in_progress", {}))
        for name, fields in self._fusion.of(self.state):
            events.append(self._fusion_event(name, fields))
        self._fusion_done = self._fusion.is_over
        if self._fusion_done:
            events.append(out.done(fusion_item(self._chat, self.state)))
        return events

    def _fusion_event(self, name: str, fields: dict[str, Any]) -> bytes:
        where = {"item_id": fusion_id(self._chat), "output_index": self._fusion_at}
        return self._out.event(f"response.fusion_call.{name}", **where, **fields)

    def _of_reasoning(self, call: CallState | None) -> list[bytes]:
        """Told before the message; what is thought beside it stands in the whole response."""
        text = self._thoughts.of(call)
        if not text or self._text is not None:
            return []
        events = []
        if not self._is_thinking:
            self._is_thinking, self._reasoning_at = True, self._out.index
            events.append(self._out.added(reasoning_item(self._chat, "", "in_progress")))
            events.append(self._summary_event("part.added", part=summary("").payload()))
        self._thought += text
        return [*events, self._summary_event("text.delta", delta=text)]

    def _summary_event(self, name: str, **fields: Any) -> bytes:
        where = {
            "item_id": reasoning_id(self._chat),
            "output_index": self._reasoning_at,
            "summary_index": 0,
        }
        return self._out.event(f"response.reasoning_summary_{name}", **where, **fields)

    def _close_reasoning(self) -> list[bytes]:
        if not self._is_thinking:
            return []
        self._is_thinking, text = False, self._thought
        return [
            self._summary_event("text.done", text=text),
            self._summary_event("part.done", part=summary(text).payload()),
            self._out.done(reasoning_item(self._chat, text, "completed")),
        ]

    def _of_message(self, call: CallState | None) -> list[bytes]:
        events = []
        for text in self._fresh.of(call):
            if self._text is None:
                self._text = ""
                events += self._close_reasoning()
                events.append(self._out.added(message_item(self._chat, "", "in_progress")))
                events.append(self._message_event("content_part.added", part=part("").payload()))
            self._text += text
            events.append(self._message_event("output_text.delta", delta=text, logprobs=[]))
        return events

    def _message_event(self, name: str, **fields: Any) -> bytes:
        where = {
            "item_id": message_id(self._chat),
            "output_index": self._out.index,
            "content_index": 0,
        }
        return self._out.event(f"response.{name}", **where, **fields)

    def close_message(self, status: ItemStatus = "completed") -> list[bytes]:
        if self._text is None:
            return self._close_reasoning()
        text, self._text = self._text, None
        return [
            self._message_event("output_text.done", text=text, logprobs=[]),
            self._message_event("content_part.done", part=part(text).payload()),
            self._out.done(message_item(self._chat, text, status)),
        ]

    def _calls(self, answer: shapes.FinalAnswer) -> list[bytes]:
        events, out = [], self._out
        for number, called in enumerate(answer.tool_calls):
            begun = call_item(self._chat, number, called, "in_progress")
            item = call_item(self._chat, number, called, status_of(answer))
            where = {"item_id": item.id, "output_index": out.index}
            written = item.arguments
            arguments = "response.function_call_arguments"
            events += [
                out.added(begun),
                out.event(f"{arguments}.delta", **where, delta=written),
                out.event(f"{arguments}.done", **where, name=item.name, arguments=written),
                out.done(item),
            ]
        return events

    def end(self, pictures: list[str]) -> list[bytes]:
        chat, answer, out = self._chat, self.answer, self._out
        assert answer
        events = [*self.close_message(status_of(answer)), *self._calls(answer)]
        for number, address in enumerate(pictures):
            item = picture_item(chat, number, address)
            events += [out.added(item), out.done(item)]
        if self._fusion_at is not None:
            # What became of the synthesis is known only now.
            out.items[self._fusion_at] = fusion_item(chat, self.state)
        if self._reasoning_at is not None and answer.reasoning:
            out.items[self._reasoning_at] = reasoning_item(chat, answer.reasoning, "completed")
        response = out.asked.finished(chat, self.state, answer, out.items)
        return [*events, out.response(f"response.{response.status}", response)]
