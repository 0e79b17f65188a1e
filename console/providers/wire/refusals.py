"""What a provider says when it refuses: an HTTP status, an error object, or both."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from console.engine.errors import SENTENCES, ProviderError, Reason

from .error_body import ErrorBody, error_object, read_error, words_of
from .retry_after import when_to_come_back
from .wordings import wording_of

MESSAGE_LIMIT = 500
A_YEAR = 365 * 24 * 3600
HTML = "The provider sent unexpected HTML."
Scrub = Callable[[str], str]

KEY_LIKE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|hf)[-_]|AIza)[\w*.…-]{8,}")
IN_A_HEADER = re.compile(r"(?i)\b(bearer|basic|x-api-key:?|authorization:?)\s+[^\s,;\"'}]+")
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

STATUSES = {
    401: Reason.UNAUTHORIZED,
    402: Reason.INSUFFICIENT_CREDITS,
    403: Reason.FORBIDDEN,
    404: Reason.INVALID_MODEL,
    408: Reason.UPSTREAM_ERROR,
    409: Reason.UPSTREAM_ERROR,
    413: Reason.CONTEXT_LENGTH,
    425: Reason.UPSTREAM_ERROR,
    429: Reason.RATE_LIMITED,
}


def scrubber(key: str) -> Scrub:
    """Takes the key, pieces of it, and whatever looks like one out of a text."""
    lengths = range(len(key), 7, -1)
    pieces = dict.fromkeys([key[:n] for n in lengths] + [key[-n:] for n in lengths])
    if 6 <= len(key) < 8:
        pieces[key] = None

    def scrub(text: str) -> str:
        for piece in pieces:
            text = text.replace(piece, "***")
        text = IN_A_HEADER.sub(r"\1 ***", text)
        return USERINFO.sub("***@", KEY_LIKE.sub("***", text))

    return scrub


class Refusal(ProviderError):
    """What a server said instead of an answer, as it was read."""

    body = ErrorBody()


def refusal(
    status: int, headers: Any, body: bytes, scrub: Scrub, sent: dict[str, Any] | None = None
) -> ProviderError:
    """An answer whose status is not 2xx, as an error; `sent` is what was refused.

    Whether it may be tried again: nothing was billed, so busy and broken servers may,
    the rest would say the same.
    """
    if 300 <= status < 400:
        where = CONTROL.sub("", headers.get("location", "")).split("?")[0]
        message = f"The provider answered with a redirect to {where}, which is not followed."
        if not where:
            message = f"The provider answered with status {status}, which is no answer."
        return ProviderError(Reason.REDIRECT, _short(message, scrub), status_code=status)
    payload = parse(body)
    error = error_object(payload) or {}
    plain = text_of(body) if payload is None else ""
    message = words_of(error) or plain
    if status == 404 and (not error or message == "Not Found"):
        where = "The provider's address is not that of its API."
        return ProviderError(Reason.CONFIGURATION, where, status_code=status)
    read = read_error(error or {"message": plain}, sent)
    reason, passes = _reason(status, read)
    retry_after = when_to_come_back(headers, read, limited=reason == Reason.RATE_LIMITED)
    hint = next((d["retryable"] for d in read.details if "retryable" in d), None)
    if isinstance(hint, bool):
        retryable = hint and reason != Reason.UNAUTHORIZED  # the same key is refused again
    elif reason == Reason.INSUFFICIENT_CREDITS:
        retryable = status == 402 and retry_after is not None and "retry-after" in headers
    else:
        busy = status in (408, 409, 425, 429) or status >= 500
        retryable = passes or (busy and reason in (Reason.RATE_LIMITED, Reason.UPSTREAM_ERROR))
    refused = Refusal(
        reason,
        _in_words(reason, message, scrub, retry_after),
        retryable=retryable,
        status_code=status,
        retry_after=retry_after,
    )
    refused.body = read
    return refused


def in_band(
    error: dict[str, Any], scrub: Scrub, sent: dict[str, Any] | None = None
) -> ProviderError:
    """An error object within a 200 answer. The call may have been billed: no retry."""
    code = error.get("code")
    status = int(str(code)) if str(code).isdecimal() and len(str(code)) == 3 else None
    read = read_error(error, sent)
    reason, _ = _reason(status or 500, read)
    refused = Refusal(reason, _in_words(reason, words_of(error), scrub), status_code=status)
    refused.body = read
    return refused


def text_of(body: bytes) -> str:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return HTML
    return start.decode(errors="replace")


def parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _reason(status: int, error: ErrorBody) -> tuple[Reason, bool]:
    """(what it means, whether its words say that it passes)."""
    if wording := wording_of(status, error):
        return wording.reason, wording.passes
    if status in STATUSES:
        return STATUSES[status], False
    return Reason.UPSTREAM_ERROR if status >= 500 else Reason.BAD_REQUEST, False


def _in_words(reason: Reason, message: str, scrub: Scrub, retry_after: float | None = None) -> str:
    """What it means for the reader, then what the provider said, then when to come back."""
    quoted = _short(message, scrub)
    words = [SENTENCES[reason]]
    if quoted == HTML:
        words.append(quoted)
    elif quoted:
        words.append(f"It said: {quoted}")
    if retry_after and retry_after >= 1:
        words.append(f"It asks to try again in {_span(retry_after)}.")
    return " ".join(words)


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.0f} hours" if seconds < A_YEAR else "more than a year"


def _short(message: str, scrub: Scrub) -> str:
    text = CONTROL.sub(" ", scrub(message)).strip()
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
