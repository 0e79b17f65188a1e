"""An error as a server wrote it down: the codes it gave and the sentence it said.

Servers differ in where they put both. What is read here is what they say of the refusal
and nothing else: a prompt that an error quotes, in its sentence or in fields of its own,
says nothing about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

READ = 4_000  # characters of a sentence; it is its beginning that says what is wrong
CODE_LIMIT = 100
DEPTH = 3  # errors within errors, as routers pass them on
QUOTE_BEGINS = 12  # characters of a prompt by which its quotation is recognised
PASSAGE = 20  # characters by which a passage from the middle is
SHORT = 20_000  # characters of a conversation
QUOTES = re.compile(r"\"([^\"]{12,})\"|'([^']{12,})'|`([^`]{12,})`|“([^”]{12,})”")
MESSAGES = re.compile(r"[\"']messages[\"']\s*:\s*\[")
CODE_FIELDS = ("code", "type", "status", "reason", "error_type", "__type", "error_code")
NUMBER = "request_id"
MESSAGE_FIELDS = ("message", "msg", "error_msg", "detail", "errorMessage")


@dataclass(frozen=True)
class ErrorBody:
    """`codes` are words and numbers that name an error, in small letters; `message` is without
    what it quotes; `details` are google.rpc's and those of a router."""

    codes: frozenset[str] = frozenset()
    message: str = ""
    param: str = ""
    details: tuple[dict[str, Any], ...] = ()


def error_object(payload: Any) -> dict[str, Any] | None:
    """The error in an answer: OpenAI's shape, also in a list as Google wraps it, vLLM's,
    FastAPI's, or a plain string beside a code, as xAI has it."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, dict):
        return None
    error = payload.get("error")
    if error in (None, {}) and "choices" in payload and payload.get("object") != "error":
        return None  # as every chunk of an answer is
    if isinstance(error, dict):
        # Anthropic's support asks for the number that stands beside it.
        number = payload.get("request_id") if payload.get("type") == "error" else None
        is_one = isinstance(number, str) and len(number) <= CODE_LIMIT
        return {**error, NUMBER: number} if is_one else error
    beside = {name: payload[name] for name in CODE_FIELDS if payload.get(name)}
    if isinstance(error, str) and error:
        # Some write a word here and the sentence beside it: {"error": "Too Many Requests", …}.
        sentence = payload.get("message")
        return beside | {"message": sentence if isinstance(sentence, str) else error}
    if error:
        return {"message": str(error)}
    if payload.get("object") == "error":
        return payload
    plain = payload.get("detail") or payload.get("message")
    if "choices" not in payload and isinstance(plain, (str, list, dict)):
        return beside | {"message": plain}
    return None


def words_of(error: dict[str, Any]) -> str:
    """What it says, for people: with what the server behind a router said."""
    message = _for_people(error.get("message") or "")
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw and (behind := _for_people(raw)) not in message:
        message = f"{message}: {behind}"
    for name in ("param", NUMBER):
        beside = error.get(name)
        if isinstance(beside, str) and beside not in message:
            message = f"{message} ({beside})"
    return message


def _for_people(value: Any) -> str:
    """An error that was written into a sentence as JSON says what it says."""
    inner = error_object(_decoded(value))
    return _sentence(inner.get("message") or value) if inner else _sentence(value)


def read_error(error: dict[str, Any], sent: dict[str, Any] | None = None) -> ErrorBody:
    """`sent` is the request that was refused, for telling its words from the server's."""
    codes: set[str] = set()
    sentences: list[str] = []
    details: list[dict[str, Any]] = []
    for part in _parts(error):
        codes |= set(_codes(part))
        if sentence := next((_sentence(part[n]) for n in MESSAGE_FIELDS if part.get(n)), ""):
            sentences.append(sentence[:READ])
            if len(sentence.split()) == 1 and len(sentence) <= CODE_LIMIT:
                codes.add(sentence.lower())  # some say nothing but the code
        inner = part.get("details")
        inner = inner if isinstance(inner, list) else [inner]  # Anthropic's is one
        details += [d for d in inner if isinstance(d, dict)]
        beside = (part.get("metadata"), part.get("availability"))
        details += [d for d in beside if isinstance(d, dict)]
    for detail in details:
        codes |= set(_codes(detail))
    param = error.get("param")
    message = unquoted(" ".join(dict.fromkeys(sentences)), sent or {})
    message = _without_its_name(message, (sent or {}).get("model"))
    return ErrorBody(
        frozenset(codes), message, param if isinstance(param, str) else "", tuple(details)
    )


def unquoted(message: str, sent: dict[str, Any]) -> str:
    """The sentence without what it quotes of the request: its messages, or the whole of it."""
    if echo := MESSAGES.search(message):
        begin, end = message.find("{", 0, echo.start()), message.rfind("}") + 1
        end = len(message) if len(message) >= READ else max(end, echo.end())  # it was cut
        message = f"{message[:begin]}…{message[end:]}" if begin >= 0 else message
    texts = list(_texts(sent))
    for text in texts:
        start = text[: len(message)]
        for form in dict.fromkeys((start, json.dumps(start, ensure_ascii=False)[1:-1])):
            message = _without(message, form)
        for quotation in list(QUOTES.finditer(message))[:20]:
            words = next(filter(None, quotation.groups()))
            if _is_passage(words) and words in text:
                message = message.replace(words, "…")
    if sum(map(len, texts)) <= SHORT:
        message = _without_passages(message, "\0".join(texts))
    return message


def _is_passage(words: str) -> bool:
    """A field's name stands in many a prompt and is no quotation of it."""
    return words.count(" ") >= 2


def _without_its_name(message: str, model: Any) -> str:
    """Whatever it is called, what is said of it is said of the model."""
    if not isinstance(model, str) or len(model) < 4:
        return message
    for name in (model, model.rsplit("/", 1)[-1]):
        quoted = rf"(?:\bmodel )?['\"`]?(?<![\w/-]){re.escape(name)}(?![\w/-]|\.\w)['\"`]?"
        message = re.sub(quoted, "model", message, flags=re.IGNORECASE)
    return message


def _without(message: str, text: str) -> str:
    """A server quotes from the beginning, and often not to the end."""
    begin = text[:QUOTE_BEGINS]
    at = message.find(begin) if begin.strip() else -1
    while at >= 0:
        end = _common(message, at, text, 0)
        if at == 0 and end == len(message):
            return message  # nothing but this was said: then it is what the server says
        if _is_passage(message[at:end]) or end - at == len(text):
            message = f"{message[:at]}…{message[end:]}"
        at = message.find(begin, at + 1)
    return message


def _without_passages(message: str, text: str) -> str:
    """From the middle, too: of a long text any words might stand in a sentence by chance."""
    if message.strip() in text:
        return message
    at = 0
    while at + PASSAGE <= len(message):
        place = text.find(message[at : at + PASSAGE])
        end = _common(message, at, text, place) if place >= 0 else at
        if _is_passage(message[at:end]):
            message = f"{message[:at]}…{message[end:]}"
        at += 1
    return message


def _common(message: str, at: int, text: str, place: int) -> int:
    """Where in the message it ceases to say what the text says."""
    end = at
    while end < len(message) and place < len(text) and message[end] == text[place]:
        end, place = end + 1, place + 1
    return end


def _texts(sent: dict[str, Any]) -> Iterator[str]:
    """Those that are long enough to be told from words that anybody might use."""
    messages = sent.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str) and len(text.strip()) >= QUOTE_BEGINS:
                yield text.strip()


def _parts(error: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """The error and those within it: of the provider behind a router, or of Azure's filter."""
    within = [error.get("innererror"), error.get("inner_error")]
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        within.append(_decoded(metadata.get("raw")) or metadata.get("raw"))
    decoded = _decoded(error.get("message"))
    within.append(decoded)
    yield error if not isinstance(decoded, dict) else {**error, "message": ""}
    for part in within:
        if depth < DEPTH and isinstance(part, (dict, list)):
            inner = error_object(part) or (part if isinstance(part, dict) else None)
            if inner:
                yield from _parts(inner, depth + 1)
        elif isinstance(part, str) and part:
            yield {"message": part}


def _decoded(value: Any) -> Any:
    """What is JSON within a string; a plain sentence of a router's stays one."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _codes(part: dict[str, Any]) -> Iterator[str]:
    for name in CODE_FIELDS:
        value = part.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and 0 < len(value) <= CODE_LIMIT:
            yield value.lower()


def _sentence(value: Any) -> str:
    """A text, or what FastAPI lists: where and what, without the input it repeats."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _sentence(value.get("message") or value.get("msg") or json.dumps(value))
    if not isinstance(value, list):
        return str(value)
    faults = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("msg"), str):
            return json.dumps(value)
        place = item.get("loc")
        where = ".".join(map(str, place)) if isinstance(place, list) else ""
        faults.append(f"{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(faults)
