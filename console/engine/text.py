"""Text that any database, socket and log keeps."""

from __future__ import annotations

from typing import Any

REPLACEMENT = "\ufffd"
_STOPS = (".", "!", "?", "…", "。", "！", "？")


def storable(text: str) -> str:
    """PostgreSQL refuses NUL, and half a surrogate pair cannot be encoded by anybody: both
    become U+FFFD. Two halves that belong together, as JSON may spell them, are one character."""
    text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def storable_all(value: Any) -> Any:
    """Of JSON, every text and every name."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(name)): storable_all(one) for name, one in value.items()}
    return [storable_all(one) for one in value] if isinstance(value, list) else value


def ended(text: str) -> str:
    """What somebody else said, as a sentence that another may follow."""
    text = text.rstrip()
    is_ended = not text or text.rstrip("\"'”’)»]*`").endswith(_STOPS)
    return text if is_ended else f"{text}."
