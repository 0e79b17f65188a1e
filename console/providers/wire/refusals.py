"""What a provider says when it refuses: an HTTP status, an error object, or both."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

from console.engine.errors import SENTENCES, ProviderError, Reason

MESSAGE_LIMIT = 500
A_YEAR = 365 * 24 * 3600
HTML = "The provider sent unexpected HTML."
Scrub = Callable[[str], str]

KEY_LIKE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|hf)[-_]|AIza)[\w*.…-]{8,}")
IN_A_HEADER = re.compile(r"(?i)\b(bearer|basic|x-api-key:?|authorization:?)\s+[^\s,;\"'}]+")
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

# Words of providers for the same few things; the first that is found decides.
WORDS: tuple[tuple[str, Reason], ...] = (
    ("context_length", Reason.CONTEXT_LENGTH),
    ("context length", Reason.CONTEXT_LENGTH),
    ("context window", Reason.CONTEXT_LENGTH),
    ("context size", Reason.CONTEXT_LENGTH),
    ("prompt is too long", Reason.CONTEXT_LENGTH),
    ("insufficient_quota", Reason.INSUFFICIENT_CREDITS),
    ("insufficient_credits", Reason.INSUFFICIENT_CREDITS),
    ("payment_required", Reason.INSUFFICIENT_CREDITS),
    ("content_policy", Reason.CONTENT_FILTER),
    ("content_filter", Reason.CONTENT_FILTER),
    ("model_not_found", Reason.INVALID_MODEL),
    ("not a valid model", Reason.INVALID_MODEL),
    ("rate_limit", Reason.RATE_LIMITED),
)
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


def refusal(status: int, headers: Any, body: bytes, scrub: Scrub) -> ProviderError:
    """An answer whose status is not 2xx, as an error. Whether it may be tried again:
    nothing was billed, so busy and broken servers may, the rest would say the same."""
    if 300 <= status < 400:
        where = CONTROL.sub("", headers.get("location", "")).split("?")[0]
        message = f"The provider answered with a redirect to {where}, which is not followed."
        if not where:
            message = f"The provider answered with status {status}, which is no answer."
        return ProviderError(Reason.REDIRECT, _short(message, scrub), status_code=status)
    payload = parse(body)
    error = error_object(payload) or {}
    message = words_of(error) or (text_of(body) if payload is None else "")
    reason = _reason(status, error, message)
    retry_after = parse_retry_after(headers.get("retry-after"))
    if status == 404 and (not error or message == "Not Found"):
        where = "The provider's address is not that of its API."
        return ProviderError(Reason.CONFIGURATION, where, status_code=status)
    availability = error.get("availability")
    availability = availability if isinstance(availability, dict) else {}
    if retry_after is None and availability.get("retry_after") is not None:
        retry_after = parse_retry_after(str(availability["retry_after"]))
    hint = availability.get("retryable")
    if isinstance(hint, bool):
        retryable = hint and reason != Reason.UNAUTHORIZED  # the same key is refused again
    elif reason == Reason.INSUFFICIENT_CREDITS:
        retryable = status == 402 and retry_after is not None
    else:
        busy = status in (408, 409, 425, 429) or status >= 500
        retryable = busy and reason in (Reason.RATE_LIMITED, Reason.UPSTREAM_ERROR)
    return ProviderError(
        reason,
        _in_words(reason, message, scrub, retry_after),
        retryable=retryable,
        status_code=status,
        retry_after=retry_after,
    )


def in_band(error: dict[str, Any], scrub: Scrub) -> ProviderError:
    """An error object within a 200 answer. The call may have been billed: no retry."""
    code = error.get("code")
    status = int(str(code)) if str(code).isdecimal() and len(str(code)) == 3 else None
    message = words_of(error)
    reason = _reason(status or 500, error, message)
    return ProviderError(reason, _in_words(reason, message, scrub), status_code=status)


def error_object(payload: Any) -> dict[str, Any] | None:
    """The error in an answer: OpenAI's shape, also in a list as Google wraps it, vLLM's,
    FastAPI's, or a plain string."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, dict):
        return None
    error = payload.get("error")
    if isinstance(error, dict):
        return error
    if error:
        return {"message": str(error)}
    if payload.get("object") == "error":
        return payload
    plain = payload.get("detail") or payload.get("message")
    if "choices" not in payload and isinstance(plain, (str, list)):
        return {"message": plain}
    return None


def words_of(error: dict[str, Any]) -> str:
    message = error.get("message") or ""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw and raw not in str(message):
        message = f"{message}: {raw}"  # what the provider behind a router said
    message = message if isinstance(message, str) else json.dumps(message)
    param = error.get("param")
    if isinstance(param, str) and param not in message:
        message = f"{message} ({param})"
    return message


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


def parse_retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds, or None where the header is missing or makes no sense."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
            seconds = max(0.0, date.timestamp() - (time.time() if now is None else now))
        except (ValueError, OverflowError, OSError):
            return None
    return seconds if seconds >= 0 and math.isfinite(seconds) else None


def _reason(status: int, error: dict[str, Any], message: str) -> Reason:
    metadata = error.get("metadata")
    kind = metadata.get("error_type") if isinstance(metadata, dict) else None
    known = f"{kind} {error.get('code')} {error.get('type')} {message}".lower()
    if status < 500 or kind or not str(error.get("code")).isdecimal():
        for words, reason in WORDS:
            if words in known:
                return reason
    if status in STATUSES:
        return STATUSES[status]
    return Reason.UPSTREAM_ERROR if status >= 500 else Reason.BAD_REQUEST


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
