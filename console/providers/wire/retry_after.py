"""When a server that refused wants to be asked again: in seconds from now.

Most say it in a header, some in their error's details or only in its sentence, and some
leave it to be read from the limit that is used up. What is said of this refusal comes
before what is said of a limit.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .error_body import ErrorBody

UNITS = {
    "ms": 0.001, "millisecond": 0.001, "milliseconds": 0.001,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
}  # fmt: skip
PART = rf"(\d+(?:\.\d+)?)\s*({'|'.join(sorted(UNITS, key=len, reverse=True))})(?![a-z])"
# OpenAI, Groq: "Please try again in 1m20s", "in 350ms"; Azure: "Please retry after 7 seconds";
# Google: "Please retry in 37.4s."; Moonshot: "please try again after 1 seconds".
IN_A_SENTENCE = re.compile(
    r"\b(?:re-?try|try(?:ing)? again|retry(?:ing)?|come back|wait)\b(?: your request)?"
    rf"(?: (?:again|in|after|for|at least|about|another))* ((?:{PART}\s*(?:and |, )?)+)",
    re.IGNORECASE,
)
# Numbers above these are moments since 1970, in milliseconds or seconds.
MILLISECONDS, MOMENT = 100_000_000_000, 1_000_000_000
# The limits of OpenAI, Groq, Azure, Anthropic, OpenRouter and of the draft for a standard:
# what is left of one stands beside when it begins anew.
RESET = re.compile(r"^(x-ratelimit|anthropic-ratelimit|ratelimit)-(?:(.+)-)?reset(?:-(.+))?$")


def when_to_come_back(
    headers: Mapping[str, str], error: ErrorBody, *, limited: bool
) -> float | None:
    """`limited`: it was refused for a limit, so what is said of limits counts."""
    headers = _lowered(headers)
    for value in (
        _scaled(headers.get("retry-after-ms"), 0.001),
        parse_retry_after(headers.get("retry-after")),
        *map(_of_details, error.details),
        _of_sentence(error.message),
    ):
        if value is not None:
            return value
    if not limited:
        return None
    resets = list(_of_limits(headers))
    for detail in error.details:
        if isinstance(within := detail.get("headers"), dict):  # OpenRouter's, in the metadata
            resets += _of_limits(_lowered(within))
    return max(resets, default=None)


def parse_retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds, or None where the header is missing or makes no sense."""
    if not value:
        return None
    try:
        return _possible(float(value))
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
            return _from_now(date.timestamp(), now)
        except (ValueError, OverflowError, OSError):
            return None


def duration(text: str) -> float | None:
    """`4.2s`, `1m20s`, `350ms`, `2 minutes`; None for what is none."""
    parts = re.findall(PART, text, re.IGNORECASE)
    rest = re.sub(PART, "", text, flags=re.IGNORECASE)
    if not parts or re.search(r"[^\s,]", rest.replace("and", "")):
        return None
    return _possible(sum(float(number) * UNITS[unit.lower()] for number, unit in parts))


def _of_details(detail: dict[str, Any]) -> float | None:
    """google.rpc.RetryInfo: a duration, or its seconds and nanoseconds; OpenRouter's words."""
    if (after := detail.get("retry_after")) is not None:
        return parse_retry_after(str(after))
    delay = detail.get("retryDelay", detail.get("retry_delay"))
    if isinstance(delay, str):
        return duration(delay)
    if isinstance(delay, dict):
        seconds, nanos = delay.get("seconds", 0), delay.get("nanos", 0)
        if _is_number(seconds) and _is_number(nanos):
            return _possible(float(seconds) + float(nanos) / 1e9)
    return None


def _of_sentence(message: str) -> float | None:
    match = IN_A_SENTENCE.search(message)
    return duration(match[1]) if match else None


def _of_limits(headers: Mapping[str, str]) -> Iterator[float]:
    """Of limits that are used up: another's end is of no use."""
    for name, value in headers.items():
        if not (match := RESET.match(name)):
            continue
        kind, before, after = match.groups()
        of = before or after
        left = [f"{kind}-remaining"] if of is None else [f"{kind}-{of}-remaining"]
        left += [] if of is None else [f"{kind}-remaining-{of}"]
        if not any(_scaled(headers.get(other)) == 0 for other in left):
            continue
        if (seconds := _moment_or_span(value)) is not None:
            yield seconds


def _moment_or_span(value: str) -> float | None:
    number = _scaled(value)
    if number is None:
        if (span := duration(value)) is not None:
            return span
        try:
            return _from_now(datetime.fromisoformat(value).timestamp())
        except (ValueError, OverflowError, OSError):
            return None
    if number >= MILLISECONDS:
        return _from_now(number / 1000)
    return _from_now(number) if number >= MOMENT else number


def _scaled(value: str | None, factor: float = 1) -> float | None:
    try:
        return _possible(float(value) * factor) if value else None
    except ValueError:
        return None


def _from_now(moment: float, now: float | None = None) -> float | None:
    return _possible(max(0.0, moment - (time.time() if now is None else now)))


def _possible(seconds: float) -> float | None:
    return round(seconds, 6) if seconds >= 0 and math.isfinite(seconds) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and _scaled(str(value)) is not None


def _lowered(headers: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}
