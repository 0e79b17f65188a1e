"""Text that any database, socket and log keeps."""

from __future__ import annotations

REPLACEMENT = "\ufffd"


def storable(text: str) -> str:
    """PostgreSQL refuses NUL, and half a surrogate pair cannot be encoded by anybody: both
    become U+FFFD. Two halves that belong together, as JSON may spell them, are one character."""
    text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
