"""When to come back, wherever a server says it: headers, details, its sentence, used-up limits."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.engine.errors import Reason
from console.providers.wire.refusals import refusal
from console.providers.wire.retry_after import duration, parse_retry_after

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
LIMIT = "Rate limit reached for requests."


def asks(
    headers: dict[str, str] | None = None, body: Any = None, status: int = 429
) -> float | None:
    body = body or {"error": {"message": LIMIT, "code": "rate_limit_exceeded"}}
    return refusal(status, headers or {}, json.dumps(body).encode(), str).retry_after


def google(delay: Any) -> list[Any]:
    details = [{"@type": "…QuotaFailure"}, {"@type": RETRY_INFO, "retryDelay": delay}]
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota.", "details": details}
    return [{"error": error}]


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("3.2s", 3.2), ("37s", 37), ("0.5s", 0.5), ("0s", 0), ({"seconds": 3, "nanos": 5e8}, 3.5),
     ({"seconds": "4"}, 4), ("soon", None), ("-3s", None), (None, None), ({"seconds": "x"}, None),
     ([], None)],
)  # fmt: skip
def test_google_says_it_in_the_details_of_its_error(delay: Any, seconds: float | None) -> None:
    assert asks(body=google(delay)) == seconds


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("Limit 3, Used 3. Please try again in 4.2s. Visit https://x.example to learn.", 4.2),
        ("Please try again in 1m20s.", 80),
        ("Please try again in 350ms.", 0.35),
        ("Please try again in 7m10.2s. Need more?", 430.2),
        ("Please try again in 1h2m3s", 3723),
        ("Please retry after 7 seconds.", 7),
        ("please try again after 1 seconds", 1),
        ("Please retry in 37.4s.", 37.4),
        ("Try again in 2 minutes and 5 seconds.", 125),
        ("Please wait 12 seconds.", 12),
        ("Retry your request after 20 sec", 20),
        ("Please wait for at least 3 secs", 3),
        ("Please try again later.", None),
        ("Please try again in a moment.", None),
        ("You may ask 3 times in 20s.", None),
        ("Please try again with 3 s fewer tokens.", None),
        ("Try again in 4 sentences.", None),
    ],
)
def test_or_in_its_sentence(sentence: str, seconds: float | None) -> None:
    assert asks(body={"error": {"message": f"{LIMIT} {sentence}"}}) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1250"}, 1.25),
        ({"Retry-After-Ms": "1250", "Retry-After": "2"}, 1.25),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, 360),
        ({"x-ratelimit-reset-tokens": "350ms", "x-ratelimit-remaining-tokens": "0"}, 0.35),
        ({"x-ratelimit-reset-requests": "12", "x-ratelimit-remaining-requests": "0"}, 12),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "9",
          "x-ratelimit-reset-tokens": "2s", "x-ratelimit-remaining-tokens": "0"}, 2),
        ({"x-ratelimit-reset-requests": "3s", "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-tokens": "2s", "x-ratelimit-remaining-tokens": "0"}, 3),
        ({"x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "1"}, None),
        ({"x-ratelimit-reset": "9", "x-ratelimit-remaining": "0"}, 9),
        ({"ratelimit-reset": "9", "ratelimit-remaining": "0"}, 9),
        ({"ratelimit-reset": "soon", "ratelimit-remaining": "0"}, None),
        ({"retry-after": "2", "x-ratelimit-reset": "9", "x-ratelimit-remaining": "0"}, 2),
    ],
)  # fmt: skip
def test_or_in_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert asks(headers) == seconds


@pytest.mark.parametrize("ahead", [20, -20])
@pytest.mark.parametrize("form", ["milliseconds", "seconds", "iso", "anthropic"])
def test_a_moment_is_told_from_a_span(form: str, ahead: float) -> None:
    moment = time.time() + ahead
    text = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat().replace("+00:00", "Z")
    name, value = {
        "milliseconds": ("x-ratelimit", str(int(moment * 1000))),
        "seconds": ("x-ratelimit", str(int(moment) + 1)),
        "iso": ("ratelimit", text),
        "anthropic": ("anthropic-ratelimit-input-tokens", text),
    }[form]
    seconds = asks({f"{name}-reset": value, f"{name}-remaining": "0"})
    assert seconds is not None
    assert (seconds == 0) if ahead < 0 else (0 < seconds <= ahead + 1)


def test_openrouter_hands_its_headers_on_in_the_body() -> None:
    reset = str(int((time.time() + 20) * 1000))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    error = {"code": 429, "message": "Rate limit exceeded", "metadata": {"headers": headers}}
    seconds = asks(body={"error": error})
    assert seconds is not None and 0 < seconds <= 20


def test_a_used_up_limit_says_nothing_of_another_refusal() -> None:
    headers = {"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}
    assert asks(headers, {"error": {"message": "No such thing."}}, status=400) is None


def test_a_time_that_the_prompt_speaks_of_is_not_the_server_s() -> None:
    prompt = "Why do they say: please try again in 20s? Explain."
    sent = {"messages": [{"role": "user", "content": prompt}]}
    body = {"error": {"message": f"Slow down with '{prompt}'"}}
    assert refusal(429, {}, json.dumps(body).encode(), str, sent).retry_after is None


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-reset": "1", "x-ratelimit-remaining": "0"}])
def test_a_time_does_not_bring_money(headers: dict[str, str]) -> None:
    body = {"error": {"message": "Insufficient credits. Please try again in 3s."}}
    error = refusal(402, headers, json.dumps(body).encode(), str)
    assert (error.reason, error.retryable) == (Reason.INSUFFICIENT_CREDITS, False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d2h", 93600), ("1.5m", 90), ("2 minutes, 3 s", 123), ("", None), ("5", None), ("5x", None),
     ("s", None), ("1m and more", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds
    assert parse_retry_after("1.5") == 1.5
