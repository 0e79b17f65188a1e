"""What a message says: a text, or a list of parts, each of one small form.

    {"type": "text", "text": …}
    {"type": "file", "hash": …}
    {"type": "source", "number": …}

A file stands for its bytes by its hash, a source for its page by its number in the run's pool:
bytes never stand in messages. Whoever reads what was said reads `text_of`, which names what is
no text rather than leaving it out. Whoever sends it goes by `parts_of`, which refuses what is not
known here: a field or a type of another version may promise something.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict, cast

from .errors import ProviderError, Reason


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class FilePart(TypedDict):
    type: Literal["file"]
    hash: str


class SourcePart(TypedDict):
    type: Literal["source"]
    number: int


Part = TextPart | FilePart | SourcePart
Content = str | list[Part]

# Type -> its one field, and what that is.
_FIELDS: dict[str, tuple[str, type]] = {
    "text": ("text", str),
    "file": ("hash", str),
    "source": ("number", int),
}


def parts_of(content: Any) -> list[Part]:
    """Raises ProviderError (`bad_request`) where a part is none of those that are known."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise ProviderError(Reason.BAD_REQUEST, "A message is neither text nor a list of parts.")
    for number, part in enumerate(content, 1):
        if not _is_known(part):
            raise ProviderError(
                Reason.BAD_REQUEST,
                f"Part {number} of a message is {_kind(part)} in a form that is not known here.",
            )
    return cast(list[Part], content)


def text_of(content: Any) -> str:
    """As it is read: by judges, by estimates of its length, by people."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(map(_told, content if isinstance(content, list) else [content]))


def refuse_unknown(messages: Iterable[dict[str, Any]]) -> None:
    """Raises ProviderError (`bad_request`)."""
    for message in messages:
        parts_of(message.get("content"))


def _is_known(part: object) -> bool:
    known = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(known, str) or known not in _FIELDS:
        return False
    name, kind = _FIELDS[known]
    # By its very type: True is no number of a source.
    return part.keys() == {"type", name} and type(part[name]) is kind


def _told(part: Any) -> str:
    if not _is_known(part):
        return f"[{_kind(part)}]"
    value = part[_FIELDS[part["type"]][0]]
    return str(value) if part["type"] == "text" else f"[{part['type']} {value}]"


def _kind(part: object) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return f"a part of type “{kind[:50]}”" if isinstance(kind, str) else "a part without a type"
