"""Text that any database, socket and log keeps."""

from __future__ import annotations

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


def ended(text: str) -> str:
    """What somebody else said, as a sentence that another may follow."""
    text = text.rstrip()
    is_ended = not text or text.rstrip("\"'”’)»]*`").endswith(_STOPS)
    return text if is_ended else f"{text}."
