"""The forms that one request can take, for models that do not take the usual one.

Each difference from the usual form is a change: a name and a value, which is also how it
is remembered as a trait of the model. A change drops nothing that bounds what a call may
cost, and no instruction.
"""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]
Change = tuple[str, str]

OUTPUT_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
OPTIONAL = (
    "response_format",
    "stream_options",
    "reasoning_effort",
    "reasoning",
    "temperature",
    "seed",
)
WITHOUT = "without"
LENIENT = "lenient"  # a schema that is asked for, not insisted on
JSON_OBJECT = "json_object"  # any JSON at all
INSTRUCTIONS = ("system", "developer")

# What a change is called, with all that it may be; "": a number. Whatever else a newer
# version may have stored changes nothing.
CHANGES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(OPTIONAL, (WITHOUT,)),
    "response_format": (LENIENT, JSON_OBJECT, WITHOUT),
    "limit_field": tuple(OUTPUT_LIMITS),
    "max_output": ("",),
    "system_role": ("first", "user"),
    "roles": ("alternate",),
    "stream": (WITHOUT,),
    # Anthropic's: by a number of tokens, as the model likes, or so that it cannot be kept from it.
    "thinking": ("budget", "adaptive", "always"),
}
# The fields of the request that a change touches, where they have another name.
TOUCHES = {"limit_field": "", "max_output": "", "system_role": "messages", "roles": "messages"}


def is_known(name: str, value: str) -> bool:
    known = CHANGES.get(name, ())
    return value in known or ("" in known and value.isdecimal() and int(value) > 0)


def change(body: Body, name: str, value: str) -> Body:
    """The body in the other form; the same one where there is nothing to change."""
    match name:
        case "limit_field":
            other = OUTPUT_LIMITS[value]
            if other not in body:
                return body
            return {value if key == other else key: kept for key, kept in body.items()}
        case "max_output":
            return limited(body, int(value))
        case "system_role" if value == "first":
            return _with_messages(body, _instructions_first(body["messages"]))
        case "system_role":
            return _with_messages(body, _instructions_in_front(body["messages"]))
        case "roles":
            return _with_messages(body, _alternating(body["messages"]))
        case "stream":
            rest = {key: kept for key, kept in body.items() if key != "stream_options"}
            return {**rest, "stream": False} if body.get("stream") else body
        case "thinking":
            return {**body, name: value} if body.get(name, value) != value else body
    if name not in body:
        return body
    if value == LENIENT:
        schema = {**body[name]["json_schema"], "strict": False}
        return {**body, name: {**body[name], "json_schema": schema}}
    if value == JSON_OBJECT:
        return {**body, name: {"type": "json_object"}}
    return {key: kept for key, kept in body.items() if key != name}


def limited(body: Body, limit: int) -> Body:
    """With an output limit of at most this; a request without one is not given one."""
    name = limit_field(body)
    if name is None or body[name] <= limit:
        return body
    return {**body, name: limit}


def limit_field(body: Body) -> str | None:
    return next((name for name in OUTPUT_LIMITS if isinstance(body.get(name), int)), None)


def has_instructions(body: Body) -> bool:
    return any(message.get("role") in INSTRUCTIONS for message in body["messages"])


def has_late_instructions(body: Body) -> bool:
    """A system's message that does not stand at the beginning, or a second one."""
    return any(message.get("role") in INSTRUCTIONS for message in body["messages"][1:])


def has_neighbours(body: Body) -> bool:
    """Two messages of one role in a row."""
    return _alternating(body["messages"]) is not body["messages"]


def _with_messages(body: Body, messages: list[Body]) -> Body:
    return body if messages is body["messages"] else {**body, "messages": messages}


def _instructions_first(messages: list[Body]) -> list[Body]:
    """All that a system says as one message at the beginning."""
    given = [message for message in messages if message.get("role") in INSTRUCTIONS]
    rest = [message for message in messages if message.get("role") not in INSTRUCTIONS]
    if not given or (len(given) == 1 and messages[0] is given[0]):
        return messages
    content = _joined([message.get("content") for message in given])
    return [{**given[0], "content": content}, *rest]


def _instructions_in_front(messages: list[Body]) -> list[Body]:
    """Those of a system go in front of the user's message that follows them."""
    if not any(message.get("role") in INSTRUCTIONS for message in messages):
        return messages
    given: list[Any] = []
    changed: list[Body] = []
    for message in messages:
        if message.get("role") in INSTRUCTIONS:
            given.append(message.get("content"))
            continue
        if given and message.get("role") == "user":
            message = {**message, "content": _joined([*given, message.get("content")])}
            given = []
        changed.append(message)
    if given:
        changed.append({"role": "user", "content": _joined(given)})
    return _alternating(changed)


def _alternating(messages: list[Body]) -> list[Body]:
    """Neighbours of one role as one message, where both hold nothing but what was said."""
    changed: list[Body] = []
    for message in messages:
        before = changed[-1] if changed else {}
        plain = set(message) == {"role", "content"} == set(before)
        if plain and message["role"] == before["role"] and message["role"] in ("user", "assistant"):
            content = _joined([before["content"], message["content"]])
            changed[-1] = {**before, "content": content}
        else:
            changed.append(message)
    return messages if len(changed) == len(messages) else changed


def _joined(contents: list[Any]) -> Any:
    """One text, or one list of parts where one of them is a list."""
    contents = [content for content in contents if content]
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    parts: list[Any] = []
    for content in contents:
        parts += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return parts
