"""Log lines: one event, one line, no secrets.

Secrets never reach a logger on purpose; `Redact` is the second net.
"""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(
    r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:(?:bearer|basic)\s+)?|bearer\s+"
    r"|api[_-]?key['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"
    # Who has the address has what it leads to.
    r"|(?<=/shared/)[\w-]{8,}|(?<=/claim/)[\w-]{8,}"
    r"|\b(?:sk-|fus_)[A-Za-z0-9_\-]{8,}|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
# What moves a terminal's cursor, ends a line for some readers, or turns the order of letters.
_CONTROL = {c: f"\\x{c:02x}" for c in [*range(0x20), *range(0x7F, 0xA0)]}
_CONTROL |= {c: f"\\u{c:04x}" for c in [*range(0x2028, 0x202F), *range(0x2066, 0x206A)]}
_CONTROL |= {0x0A: "\\n", 0x0D: "\\r"}


def redact(text: str) -> str:
    return _SECRET.sub(lambda m: (m.group(1) or "") + "***", text)


class Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


class Unready(logging.Filter):
    """ "Not yet" is a good answer of `/readyz`, asked several times a second at a start."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        return not (path == "/readyz" and getattr(record, "status_code", 0) == 503)


class Meant(logging.Filter):
    """A reply that was broken off on purpose is no error of the server's."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not getattr(error, "is_meant", False)


class Untraced(logging.Filter):
    """What anybody may send, as a host that is not ours, is worth a line and no more."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True


class OneLine(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record)).translate(_CONTROL)
