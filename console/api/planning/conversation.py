"""A client's messages as the conversation a panel is asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple, get_args

from django.conf import settings
from django.contrib.auth.models import User

from ...engine.content import Part as ContentPart
from ...engine.provider import Message
from ...services.attaching import ToAttach, text_instead
from ..http.errors import ApiError
from .attached import PICTURES, file_of, is_file
from .schemas import ChatMessage, Part, Seat, ToolCall

_SEATS = get_args(Seat)


class Conversation(NamedTuple):
    """`prompt` is what the run is known by; `files` are those that its messages name. `warnings`
    are sentences about what of them is not shown."""

    messages: list[Message]
    prompt: str
    files: list[ToAttach]
    warnings: tuple[str, ...] = ()


def conversation(
    chat_messages: list[ChatMessage],
    *,
    with_tools: bool,
    owner: User,
    files_as_text: Sequence[Seat] = (),
) -> Conversation:
    """Raises ApiError.

    `with_tools` keeps tool calls and their results as they are, for one model that is given
    the tools; to a panel, which is not, they are told as text. Files are kept as they come, of
    `owner`.
    """
    chat_messages = _with_numbers(_with_a_question(chat_messages))
    messages: list[Message] = []
    files: list[ToAttach] = []
    prompt = ""
    size = 0
    for number, message in enumerate(chat_messages):
        before = len(files)
        parts = _parts(message, number, owner, files)
        text = _text(message, number)
        size += len(text)
        if message.role == "user" and (text.strip() or len(files) > before):
            prompt = text if text.strip() else ", ".join(file.name for file in files[before:])
        converted = _as_it_is(message, text) if with_tools else _as_text(message, text)
        messages.append(converted | {"content": parts} if parts else converted)
    messages = [m for m in messages if m["content"] or m.get("tool_calls") or m["role"] == "tool"]
    if not prompt.strip():
        raise ApiError("invalid_request", "No message of the user says anything.", param="messages")
    if size > settings.MAX_PROMPT_CHARACTERS:
        raise ApiError(
            "context_length_exceeded",
            f"The conversation is too long: its messages have {size:,} characters; at most "
            f"{settings.MAX_PROMPT_CHARACTERS:,} are accepted.",
            param="messages",
        )
    files = text_instead(files, map(_SEATS.index, files_as_text))
    return Conversation(messages, prompt, files, _warnings(chat_messages))


def _with_a_question(chat_messages: list[ChatMessage]) -> list[ChatMessage]:
    """Some programs ask in system messages alone: where no user has a message, not even an empty
    one, the last that says something of those at the head is the question."""
    if any(message.role == "user" for message in chat_messages):
        return chat_messages
    head = takewhile(lambda one: _role(one[1]) == "system", enumerate(chat_messages))
    said = [number for number, message in head if _text(message, number).strip()]
    if not said:
        return chat_messages
    asked = chat_messages[said[-1]].model_copy(update={"role": "user"})
    return [*chat_messages[: said[-1]], asked, *chat_messages[said[-1] + 1 :]]


def _with_numbers(chat_messages: list[ChatMessage]) -> list[ChatMessage]:
    """Calls of functions as there were before there could be several at once: their results name
    the function and nothing else."""
    numbered, count = [], 0
    for message in chat_messages:
        called = message.function_call
        if called and called.name and not message.tool_calls:
            count += 1
            call = ToolCall(id=f"call_{count}", function=called)
            message = message.model_copy(update={"tool_calls": [call]})
        elif message.role == "function" and count and not message.tool_call_id:
            message = message.model_copy(update={"tool_call_id": f"call_{count}"})
        numbered.append(message)
    return numbered


def _warnings(chat_messages: list[ChatMessage]) -> tuple[str, ...]:
    results = [m.content for m in chat_messages if _role(m) == "tool"]
    count = sum(is_file(part) for parts in results if isinstance(parts, list) for part in parts)
    return (f"Pictures and files in results of tools are not shown: {count}.",) if count else ()


def _named(part: Part) -> str:
    """In the place of what a tool gave: servers take no pictures in results of tools."""
    return "[a picture]" if part.type in PICTURES else "[a file]"


def _parts(
    message: ChatMessage, number: int, owner: User, files: list[ToAttach]
) -> list[ContentPart]:
    """Of a message that has files in it; its files are put to the others. Raises ApiError."""
    content = message.content
    if message.role != "user" or not isinstance(content, list) or not any(map(is_file, content)):
        return []
    parts: list[ContentPart] = []
    for part in content:
        if is_file(part):
            if len(files) >= settings.RUN_FILES:  # each is read in a process of its own
                few = f"At most {settings.RUN_FILES} files go with a question."
                raise ApiError("invalid_request", few, param="messages")
            file = file_of(part, owner, number=number, count=len(files))
            files.append(file)
            parts.append(file.part)
        elif text := _part(part, number):
            parts.append({"type": "text", "text": text})
    return parts


def _text(message: ChatMessage, number: int) -> str:
    match message.content:
        case None | "" | []:
            return message.refusal or ""
        case str(text):
            return text
        case parts if _role(message) == "tool":
            return "\n".join(_named(p) if is_file(p) else _part(p, number) for p in parts)
        case parts:
            passed_over = is_file if message.role == "user" else _is_thought
            return "\n".join(_part(p, number) for p in parts if not passed_over(p))


def _is_thought(part: Part) -> bool:
    """As some servers put them beside the text of an answer, for nobody else to read."""
    return part.type in ("thinking", "redacted_thinking", "reasoning")


def _part(part: Part, number: int) -> str:
    if part.type in ("text", "input_text", "output_text", "refusal"):
        return part.text or part.refusal or ""
    raise ApiError(
        "unsupported_content",
        f"Message {number} has a part of type “{part.type}”, which cannot be asked about here; "
        "pictures and files stand in messages of the user.",
        param=f"messages.{number}.content",
    )


def _role(message: ChatMessage) -> str:
    return {"developer": "system", "function": "tool"}.get(message.role, message.role)


def _as_it_is(message: ChatMessage, text: str) -> Message:
    converted: dict[str, Any] = {"role": _role(message), "content": text}
    if message.tool_calls:
        converted["tool_calls"] = [c.model_dump() for c in message.tool_calls]
    if converted["role"] == "tool":
        converted["tool_call_id"] = message.tool_call_id or message.name or ""
    return converted


def _as_text(message: ChatMessage, text: str) -> Message:
    role = _role(message)
    if role == "tool":
        name = message.name or message.tool_call_id or "a tool"
        return {"role": "user", "content": f"[Result of {name}]\n{text}"}
    calls = [f"[{c.function.name}({c.function.arguments})]" for c in message.tool_calls or ()]
    return {"role": role, "content": "\n".join(filter(None, [text, *calls]))}
