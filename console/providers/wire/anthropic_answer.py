"""Reading an answer of Anthropic's Messages API.

Each event is put into the words of chat completions and read as those are, so limits, thoughts
in the text, pictures and errors are treated alike. Blocks are told apart by their index: text,
thoughts and calls of our tools are read; what its own tools do, signatures, thoughts that are
kept secret and whatever is not known are passed over.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.text import storable_all

from .answer import AnswerReader, Delta

Json = dict[str, Any]

STOPS = {
    "model_context_window_exceeded": "length",
    "pause_turn": "",  # a tool of its own is not done: it does not say that the answer is whole
}
GIVEN = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
MADE = "output_tokens"
THOUGHT = "thinking_tokens"
BREAK = "\n\n"
# What is said again as it came: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
FIELDS = {
    "text": ("type", "text"),
    "thinking": ("type", "thinking", "signature"),
    "redacted_thinking": ("type", "data"),
}
PIECES = ("text", "thinking", "signature", "partial_json")  # of deltas
THOUGHTS = ("thinking", "redacted_thinking")
GIVEN_BACK = (*FIELDS, "tool_use")


class MessagesReader(AnswerReader):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kinds: dict[Any, str] = {}  # of blocks, by their index
        self._calls: dict[Any, int] = {}  # which call of a tool a block is
        self._tokens: dict[str, int] = {}
        self._last = ""  # the kind of the block before
        self._said = {"text": False, "thinking": False}
        self._breaks = {"text": False, "thinking": False}
        self._began = False
        # As they came, for the turn after calls of tools: the texts of each in pieces.
        self._blocks: dict[Any, tuple[Json, dict[str, list[str]]]] = {}
        self._room = self._limits.text + self._limits.reasoning

    def goes_on(self) -> Json:
        """All that it said, since thoughts are signed for where they stand in it."""
        if self._room < 0:
            return {}  # more than is kept
        blocks = [one for one in self._blocks.values() if one[0]["type"] in GIVEN_BACK]
        kinds = {block["type"] for block, _ in blocks}
        if "tool_use" not in kinds or not kinds & set(THOUGHTS):
            return {}
        return {"blocks": [storable_all(_read(*one)) for one in blocks]}

    def is_whole(self, payload: Json) -> bool:
        return isinstance(payload.get("content"), list) or super().is_whole(payload)

    def take_object(self, payload: Json, *, failed: bool = False) -> Iterator[Delta]:
        kind = payload.get("type")
        if not isinstance(kind, str) and isinstance(payload.get("content"), list):
            kind = "message"
        if failed or kind == "error" or not isinstance(kind, str):
            yield from super().take_object(payload, failed=failed)
            return
        for translated in self._translated(kind, payload):
            yield from super().take_object(translated)
        self.done |= kind == "message_stop"

    def _translated(self, kind: str, payload: Json) -> Iterator[Json]:
        match kind:
            case "message_start":
                yield self._head(_object(payload, "message"))
            case "content_block_start":
                yield from self._start(payload.get("index"), _object(payload, "content_block"))
            case "content_block_delta":
                yield from self._piece(payload.get("index"), _object(payload, "delta"))
            case "message_delta":
                yield from self._stop(_object(payload, "delta"), payload.get("usage"))
            case "message":
                yield self._head(payload)
                for index, block in enumerate(_list(payload.get("content"))):
                    if isinstance(block, dict):
                        yield from self._start(index, block)
                yield from self._stop(payload, payload.get("usage"))

    def _head(self, message: Json) -> Json:
        if self._began and any((*self._said.values(), self._calls)):
            # Whoever passes the stream on has asked once more: two answers are none.
            raise ProviderError(Reason.BAD_RESPONSE, "The provider began its answer a second time.")
        self._began = True
        self._count(message.get("usage"), GIVEN)
        return {"id": message.get("id"), "model": message.get("model")}

    def _start(self, index: Any, block: Json) -> Iterator[Json]:
        kind = str(block.get("type"))
        self._kinds[_key(index)] = kind
        if self._keeps_thoughts:
            self._room -= len(json.dumps(block))
            self._blocks[_key(index)] = {**block, "type": kind}, {}
        if kind in self._said:
            self._breaks[kind] = self._said[kind] and self._last != kind
        self._last = kind
        match kind:
            case "text":
                yield from self._say("text", block.get("text"))
                for citation in _list(block.get("citations")):
                    yield from _cited(citation)
            case "thinking":
                self._breaks["thinking"] = self._said["thinking"]
                yield from self._say("thinking", block.get("thinking"))
            case "tool_use":
                number = self._calls[_key(index)] = len(self._calls)
                given = block.get("input")
                function = {"name": block.get("name")}
                if isinstance(given, dict) and given:
                    # Whole already: what might still come in pieces would be it again.
                    function["arguments"] = json.dumps(given, ensure_ascii=False)
                    self._kinds[_key(index)] = "tool_use, whole"
                yield _delta(
                    tool_calls=[{"index": number, "id": block.get("id"), "function": function}]
                )

    def _grow(self, texts: dict[str, list[str]], delta: Json) -> None:
        """A block as it goes back."""
        for name in PIECES:
            if isinstance(piece := delta.get(name), str) and self._room >= 0:
                self._room -= len(piece)
                texts.setdefault(name, []).append(piece)

    def _piece(self, index: Any, delta: Json) -> Iterator[Json]:
        if kept := self._blocks.get(_key(index)):
            self._grow(kept[1], delta)
        match delta.get("type"):
            case "text_delta":
                yield from self._say("text", delta.get("text"))
            case "thinking_delta":
                yield from self._say("thinking", delta.get("thinking"))
            case "citations_delta":
                yield from _cited(delta.get("citation"))
            case "input_json_delta" if self._kinds.get(_key(index)) == "tool_use":
                function = {"arguments": delta.get("partial_json")}
                call = {"index": self._calls[_key(index)], "function": function}
                yield _delta(tool_calls=[call])

    def _say(self, kind: str, words: Any) -> Iterator[Json]:
        if not isinstance(words, str) or not words:
            return
        if self._breaks[kind]:
            # Between two texts stood something else: they are no one sentence.
            words, self._breaks[kind] = BREAK + words, False
        self._said[kind] = True
        yield _delta(**{"content" if kind == "text" else "reasoning": words})

    def _stop(self, end: Json, usage: Any) -> Iterator[Json]:
        self._count(usage, (*GIVEN, MADE))
        reason = end.get("stop_reason")
        reason = STOPS.get(reason, reason) if isinstance(reason, str) else ""
        why = _object(end, "stop_details").get("explanation")
        if reason == "refusal" and isinstance(why, str) and not self._said["text"]:
            yield _delta(refusal=why)
        yield {"choices": [{"finish_reason": reason}], "usage": self._usage_in_words()}

    def _count(self, usage: Any, names: tuple[str, ...]) -> None:
        """Counts only grow: some say at the end that nothing was read."""
        usage = usage if isinstance(usage, dict) else {}
        for name in names:
            value = usage.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                self._tokens[name] = max(value, self._tokens.get(name, value))
        details = usage.get("output_tokens_details")
        thought = details.get(THOUGHT) if isinstance(details, dict) else None
        if isinstance(thought, int):
            # A part of the output, whatever it says.
            self._tokens[THOUGHT] = min(thought, self._tokens.get(MADE, thought))

    def _usage_in_words(self) -> Json:
        given = [self._tokens[name] for name in GIVEN if name in self._tokens]
        is_sum = GIVEN[0] in self._tokens and min(given) >= 0
        return {
            "prompt_tokens": sum(given) if is_sum else None,
            "completion_tokens": self._tokens.get(MADE),
            "prompt_tokens_details": {"cached_tokens": self._tokens.get(GIVEN[2])},
            "completion_tokens_details": {"reasoning_tokens": self._tokens.get(THOUGHT)},
        }


def _read(block: Json, texts: dict[str, list[str]]) -> Json:
    """With the input of a call as the object that it is."""
    said = {name: "".join(pieces) for name, pieces in texts.items()}
    if block["type"] != "tool_use":
        whole = {name: str(block.get(name) or "") + words for name, words in said.items()}
        block = block | whole
        return {name: block[name] for name in FIELDS[block["type"]] if name in block}
    try:
        given = json.loads(said["partial_json"]) if "partial_json" in said else block.get("input")
    except (ValueError, RecursionError):
        given = {}
    return {
        "type": "tool_use",
        "id": block.get("id"),
        "name": block.get("name"),
        "input": given if isinstance(given, dict) else {},
    }


def _delta(**delta: Any) -> Json:
    return {"choices": [{"delta": delta}]}


def _cited(citation: Any) -> Iterator[Json]:
    """Of a page on the web; what is cited of a document of one's own has no address."""
    if isinstance(citation, dict):
        url = citation.get("url") or citation.get("source")
        yield _delta(annotations=[{"url": url, "title": citation.get("title")}])


def _object(payload: Json, name: str) -> Json:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _key(index: Any) -> Any:
    return index if isinstance(index, (int, str)) else None
