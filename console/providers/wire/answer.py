"""Reading one answer: the JSON of a stream, event by event, into chunks.

Tolerant where providers differ, strict where money or trust is concerned:
only choice 0 counts, usage replaces usage (it is cumulative), whatever follows
`[DONE]` is ignored, an error object ends the answer whatever the HTTP status, unless it had ended.
Some servers send a finish reason with every chunk: where more text follows, only
`[DONE]` or the end of the body is the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, ReasoningDelta, Recast, TextDelta
from console.engine.text import REPLACEMENT, storable, storable_all

from .attachments import MOST_BASE64, Attachments, words_beside
from .citations import Citations
from .error_body import error_object
from .finish_reasons import finish_reason
from .growing import Growing
from .pictures import CutOut, PictureMarks
from .refusals import Scrub, in_band
from .sse import ServerSentEvent
from .thoughts import Moved, Piece, Thoughts
from .thoughts_back import ThoughtsBack
from .tool_calls import ToolCalls
from .usage import cost_from, usage_from

Delta = TextDelta | ReasoningDelta | Recast

MIB = 1024 * 1024
PLAIN_FIELDS = {"content", "role"}  # of a delta that is a piece of text and nothing else
# What a chunk that brings one may have beside it without saying more.
CHUNK = "chat.completion.chunk"
PLAIN_PAYLOAD = {"id", "object", "created", "model", "provider", "choices", "usage"}
PLAIN_PAYLOAD |= {"system_fingerprint", "service_tier", "obfuscation"}
PLAIN_CHOICE = {"index", "delta", "finish_reason", "native_finish_reason", "logprobs"}
THOUGHT_PARTS = ("thinking", "reasoning", "thought")  # types of parts of content
# What of an answer is said under which names.
TEXT = ("content", "refusal")
REASONING = ("reasoning_content", "reasoning", "reasoning_details")
CALLS = ("tool_calls", "function_call")


@dataclass(frozen=True)
class AnswerLimits:
    """What one answer may take, in bytes and numbers."""

    text: int = 2 * MIB
    reasoning: int = 2 * MIB
    line: int = MIB
    whole: int = 8 * MIB  # an answer that is one JSON document
    pictures: int = 64 * MIB  # what is passed over of them, in base64
    events: int = 200_000
    unreadable: int = 3
    error_body: int = 64 * 1024


class Unicode:
    """Storable text of a stream, up to a limit of bytes."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._high = ""  # half of a pair, its other half may come with the next delta

    def take(self, text: str) -> tuple[str, bool]:
        """(what may be shown now, whether the limit was reached)."""
        if text.isascii() and "\0" not in text and not self._high and self._has_room(text):
            self.size += len(text)  # as most pieces are: nothing to be mended or counted
            return text, False
        text = self._high + text
        self._high = ""
        if "\ud800" <= text[-1:] <= "\udbff":
            self._high, text = text[-1], text[:-1]
        text = storable(text)
        encoded = text.encode()
        room = self._limit - self.size
        self.size += len(encoded)
        if len(encoded) > room:
            return encoded[:room].decode(errors="ignore"), True
        return text, False

    def _has_room(self, ascii_text: str) -> bool:
        return self.size + len(ascii_text) <= self._limit

    def rest(self) -> str:
        high, self._high = self._high, ""
        return REPLACEMENT if high else ""


class AnswerReader:
    """`thinks` is what an earlier answer of the model taught of how it writes its thoughts."""

    def __init__(
        self,
        model: str,
        limits: AnswerLimits,
        scrub: Scrub,
        host: str = "",
        *,
        thinks: str = "",
        sent: dict[str, Any] | None = None,
    ) -> None:
        self.done = False  # `[DONE]` was seen
        self.finish_reason: str | None = None
        self.usage_after_finish = False
        self._has_calls = False
        self._finished_alone = False  # the finish reason came with nothing else
        self.finishes_early = False  # a finish reason came, and then more of the answer
        self.events = 0
        self.generation_id = ""
        self._asked = self._model = model
        self._provider = ""
        self._noted: tuple[Any, Any, Any] = (None, None, None)  # by the chunk before
        self._usage: dict[str, Any] = {}
        self._host = host
        self._limits = limits
        self._scrub = scrub
        self._sent = sent
        self._unreadable = 0
        self._asked_for_tools = False
        self._refused = False
        self._told: set[tuple[str, ...]] = set()  # what deltas brought: text, thoughts
        self._tools = ToolCalls(limits.text)
        # Where it cannot ask for a tool nothing has to go back.
        self._keeps_thoughts = bool(sent and sent.get("tools"))
        self._back = ThoughtsBack(limits.reasoning)
        self._citations = Citations(scrub)
        self.cut_out = CutOut(MOST_BASE64)
        self._attachments = Attachments(scrub, self.cut_out)
        self._text = Unicode(limits.text)
        self._reasoning = Unicode(limits.reasoning)
        self._thoughts = Thoughts(thinks)
        self._marks = PictureMarks(self.pass_over, self._attachments.take_from_text, MOST_BASE64)
        self._marks_apart = PictureMarks(self.pass_over)
        self._passed_over = 0
        self._reasoned = Growing()
        self._apart = Growing()

    @property
    def learned(self) -> str | None:
        """How the next answer's thoughts are to be told from its text; None: nothing new."""
        return self._thoughts.learned

    def pass_over(self, size: int) -> None:
        """Of a picture, of which it is only said that it was there."""
        self._passed_over += size

    @property
    def is_too_large(self) -> bool:
        return self._passed_over > self._limits.pictures

    def take(self, event: ServerSentEvent) -> Iterator[Delta]:
        data = event.data.strip()
        if self.done or not data:
            return
        self.events += 1
        if self.events > self._limits.events:
            raise ProviderError(Reason.TOO_LARGE)
        if data == "[DONE]":
            self.done = True
            return
        try:
            payload = json.loads(data)
            if not isinstance(payload, dict):
                raise ValueError
        except (ValueError, RecursionError):
            self._unreadable += 1
            if event.event == "error" and not self._has_ended:
                raise in_band({"message": data}, self._scrub, self._sent) from None
            if self._unreadable > self._limits.unreadable:
                raise ProviderError(Reason.BAD_RESPONSE) from None
            return
        plain = "" if event.event == "error" else self._plain(payload)
        if plain:
            self._told.add(TEXT)
            yield from self._write(plain)
        else:
            yield from self.take_object(payload, failed=event.event == "error")

    def _plain(self, payload: dict[str, Any]) -> str:
        """The text of a chunk that is a piece of it and nothing else, of the answer that the
        chunk before was of, as nearly all are: then that is all there is to be looked for. "" of
        any other, which is untouched."""
        choices = payload.get("choices")
        if not (isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict)):
            return ""
        choice: dict[str, Any] = choices[0]
        delta = choice.get("delta")
        if not (
            isinstance(delta, dict)
            and isinstance(content := delta.get("content"), str)
            and self.finish_reason is None
            and choice.get("finish_reason") is None
            and not choice.get("index")
            and payload.get("object") == CHUNK
            and not payload.get("usage")
            and payload.keys() <= PLAIN_PAYLOAD
            and choice.keys() <= PLAIN_CHOICE
            and _is_plain(delta)
            and _named(payload) == self._noted
            and self._marks.has_none_in(content)
            and self._thoughts.has_none_in(content)
        ):
            return ""
        self._marks.went_by(content)
        return content

    def take_object(self, payload: dict[str, Any], *, failed: bool = False) -> Iterator[Delta]:
        choice = _first_choice(payload)
        self._note(payload, choice)
        delta = self._new_in(choice)
        brings = bool(any(map(delta.get, CALLS)))
        if delta:
            for chunk in self._deltas(delta):
                brings = True
                self._goes_on()
                yield chunk
        error = error_object(payload)
        if error is None and choice.get("error"):
            error = error_object({"error": choice["error"]})
        if (error is not None or failed) and not self._has_ended:
            raise in_band(error or payload, self._scrub, self._sent)
        reason = finish_reason(choice)
        if reason == "error" and not self._has_ended:
            raise ProviderError(Reason.UPSTREAM_ERROR)
        if reason and (self.finish_reason is None or self.finishes_early):
            self.finish_reason = reason
            self._finished_alone = not brings

    @property
    def _has_ended(self) -> bool:
        """No error is the answer's any more. Where the end was said with a piece of it, it may be
        said with every piece."""
        has_one = bool(self._text.size or self._tools.whole())
        return self._finished_alone and not self.finishes_early and has_one

    def is_whole(self, payload: dict[str, Any]) -> bool:
        """Whether one document is an answer."""
        return isinstance(payload.get("choices"), list)

    def _new_in(self, choice: dict[str, Any]) -> dict[str, Any]:
        """Its delta. Some servers have a message in its place, and some end a stream with all of
        it once more: of that what no delta has said."""
        delta, message = choice.get("delta"), choice.get("message")
        if delta and isinstance(delta, dict):
            self._told |= {kind for kind in (TEXT, REASONING, CALLS) if any(map(delta.get, kind))}
            return delta
        if delta or not isinstance(message, dict):
            return {}
        told = {name for kind in self._told for name in kind}
        return {name: value for name, value in message.items() if name not in told}

    def _goes_on(self) -> None:
        self.finishes_early |= self.finish_reason is not None
        self.usage_after_finish = False

    def finish(self) -> Finish:
        reason = self.finish_reason
        if reason == "stop" and self._refused:
            reason = "content_filter"
        asked_for_tools = self._asked_for_tools or self._thoughts.asked_for_tools
        if reason == "stop" and asked_for_tools and not self._text.size:
            reason = "tool_calls"
        return Finish(
            finish_reason=reason,
            usage=usage_from(self._usage, self._host),
            # In words of the server's own, which may quote what it was sent.
            model=self._model if self._model == self._asked else self._scrub(self._model),
            provider=self._scrub(self._provider),
            generation_id=self._scrub(self.generation_id),
            cost=cost_from(self._usage),
            tool_calls=self._tools.whole(),
            unreadable=self._unreadable,
            citations=self._citations.whole(),
            attachments=self._attachments.whole(),
            pictures=self._attachments.pictures(),
            goes_on=self.goes_on(),
        )

    def goes_on(self) -> dict[str, Any]:
        """What has to come back where the answer ended in calls of tools, and is no end."""
        if not self._tools.whole():
            return {}
        beside = self._tools.beside()
        return self._back.whole() | ({"extra_content": storable_all(beside)} if beside else {})

    def rest(self, *, finished: bool) -> Iterator[Delta]:
        """What was held back for what might follow it."""
        cut = self.finish_reason == "length"
        yield from self._reason(self._marks_apart.end())
        yield from self._split(self._thoughts.take(self._marks.end()))
        yield from self._split(self._thoughts.end(finished=finished, cut=cut))
        if text := self._reasoning.rest():
            yield ReasoningDelta(text)
        if text := self._text.rest():
            yield TextDelta(text)

    def _note(self, payload: dict[str, Any], choice: dict[str, Any]) -> None:
        usage = payload.get("usage") or choice.get("usage")
        if isinstance(usage, dict):
            self._usage = usage
            self.usage_after_finish |= bool(self.finish_reason or finish_reason(choice))
        if "citations" in payload:
            self._citations.take(payload["citations"], is_whole=True)
        # Perplexity names the same pages once more, with their titles; Google what its answers
        # are grounded on.
        if "search_results" in payload:
            self._citations.take(payload["search_results"])
        for said in (payload, choice):
            self._citations.take_grounding(said)
        named = model, provider, number = _named(payload)
        if named == self._noted:
            return
        self._noted = named
        if isinstance(model, str) and model:
            self._model = _short(model)
        if isinstance(provider, str) and provider:
            self._provider = _short(provider)
        if isinstance(number, str) and not self.generation_id:
            self.generation_id = _short(number)

    def _deltas(self, delta: dict[str, Any]) -> Iterator[Delta]:
        content = delta.get("content")
        if isinstance(content, str) and content and _is_plain(delta):
            # As nearly all of thoughts in the text are: nothing else is looked for.
            yield from self._split(self._thoughts.take(self._marks.take(content)))
            return
        self._take_calls(delta)
        if self._keeps_thoughts:
            self._back.take(delta)
        self._citations.take(delta.get("annotations"))
        self._attachments.take(delta)
        # The same thoughts may come under several names: the first that holds any.
        if thoughts := next(
            filter(None, (_text(delta.get(n)) or _thoughts(delta.get(n)) for n in REASONING)), ""
        ):
            yield from self._think(thoughts)
        refused = _text(delta.get("refusal"))
        if refused:
            self._refused = True
        if thoughts := _thoughts(content):
            yield from self._think(thoughts)
        if content := _text(content) or refused or words_beside(delta):
            yield from self._split(self._thoughts.take(self._marks.take(content)))

    def _take_calls(self, delta: dict[str, Any]) -> None:
        calls, older = delta.get("tool_calls"), delta.get("function_call")
        if not (calls or older):
            return
        self._asked_for_tools = True
        self._goes_on()
        self._has_calls |= bool(calls)
        if calls or not self._has_calls:  # some servers say them once more as they were before
            self._tools.take(calls or _older_call(older))

    def _think(self, thoughts: str) -> Iterator[Delta]:
        """Thoughts that the server keeps apart from the text."""
        thoughts = self._marks_apart.take(thoughts)
        self._apart.add(thoughts)
        self._thoughts.none_are_assumed()
        yield from self._reason(thoughts)

    def _split(self, pieces: Iterator[Piece]) -> Iterator[Delta]:
        for piece in pieces:
            match piece:
                case TextDelta(text):
                    yield from self._write(text)
                case ReasoningDelta(text):
                    yield from self._reason(text)
                case Moved(thoughts, text):
                    yield from self._move(thoughts, text)

    def _write(self, text: str) -> Iterator[Delta]:
        text, full = self._text.take(text)
        if text:
            yield TextDelta(text)
        if full:
            raise ProviderError(Reason.TOO_LARGE)

    def _reason(self, thoughts: str) -> Iterator[Delta]:
        text, full = self._reasoning.take(thoughts)
        if text:
            self._reasoned.add(text)
            yield ReasoningDelta(text)
        if full:
            raise ProviderError(Reason.TOO_LARGE)

    def _move(self, thoughts: str, text: str) -> Iterator[Delta]:
        """`text` are the thoughts that there were, or else what was text are thoughts, too."""
        before = str(self._apart if text else self._reasoned)
        reasoning, text = storable("\n\n".join(filter(None, [before, thoughts]))), storable(text)
        self._text, self._reasoning = Unicode(self._limits.text), Unicode(self._limits.reasoning)
        text, reasoning = self._text.take(text)[0], self._reasoning.take(reasoning)[0]
        self._reasoned = Growing(reasoning)
        yield Recast(text, reasoning)


def _older_call(call: Any) -> dict[str, Any] | None:
    """Of servers that have one call at a time, and no ids."""
    return {"index": 0, "function": call} if isinstance(call, dict) else None


def _named(payload: dict[str, Any]) -> tuple[Any, Any, Any]:
    return payload.get("model"), payload.get("provider"), payload.get("id")


def _first_choice(payload: dict[str, Any]) -> dict[str, Any]:
    choices = payload.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and (choice.get("index") or 0) == 0:
            return choice
    return {}


def _is_plain(delta: dict[str, Any]) -> bool:
    """Some name every field there is, and say null in most."""
    return all(value is None or name in PLAIN_FIELDS for name, value in delta.items())


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (
        part if isinstance(part, str) else part.get("text") or part.get("summary")
        for part in content
        if isinstance(part, str) or (isinstance(part, dict) and not _is_thought(part))
    )
    return "".join(text for text in texts if isinstance(text, str))


def _thoughts(content: Any) -> str:
    """Of content in parts, as Mistral sends it."""
    parts = content if isinstance(content, list) else ()
    thoughts = (part for part in parts if isinstance(part, dict) and _is_thought(part))
    return "".join(
        next(filter(None, (_text(part.get(name)) for name in THOUGHT_PARTS)), "")
        or _text(part.get("text"))
        or _text(part.get("summary"))
        for part in thoughts
    )


def _is_thought(part: dict[str, Any]) -> bool:
    return part.get("type") in THOUGHT_PARTS


def _short(text: str) -> str:
    return Unicode(200).take(text)[0]
