"""U-04 … U-10, U-38: the upstream answers, and says no."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

from console.engine.errors import Reason
from tests.upstream import Script

from .scenario import Scenario, completed, good
from .stage import PLANTED

AGAIN = "One two three."
TOO_LONG = "This model's maximum context length is 8192 tokens, your prompt has 9000."
TOO_MANY = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
ANSWERS = good(AGAIN)
LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"


def no(status: int, message: str = "Said so.", **script: object) -> Script:
    return Script(status=status, error_message=message, **script)  # type: ignore[arg-type]


def limited(after: str) -> Script:
    return no(429, "Slow down.", headers={"Retry-After": after})


def google_limited(delay: str) -> Script:
    """It says nothing in a header."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    error = {"code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": [info]}
    return Script(status=429, body=json.dumps([{"error": error}]))


def in_two_seconds(body: object) -> Script:
    """A date has whole seconds, so this is in one to two."""
    return limited(formatdate(time.time() + 2, usegmt=True))


def at_once(status: int, reason: Reason, *sees: str, title: str = "", **more: object) -> Scenario:
    """Refused, and nothing would be gained by asking again."""
    number = str(more.pop("id", "U-06"))
    does = more.pop("does", no(status))
    title = title or f"{status}"
    return Scenario(number, title, does, sees=("failed", *sees), reason=reason, **more)  # type: ignore[arg-type]


def second_try(id: str, title: str, first: object, **more: object) -> Scenario:
    """Asked once more, and then it answers; only the second call is billed."""
    said: dict[str, object] = {"calls": 2, "waits": 0.3}
    said["sees"] = ("done", "asked again")
    return completed(id, title, (first, ANSWERS), AGAIN, **said | more)  # type: ignore[arg-type]


TABLE = [
    at_once(
        401,
        Reason.UNAUTHORIZED,
        "The provider refused the key. An admin can replace it.",
        "Incorrect API key provided: ***",
        id="U-04",
        title="401, and the key is quoted in it",
        does=no(401, f"Incorrect API key provided: {PLANTED}. <b>Bold</b>"),
        usual=True,
    ),
    at_once(
        402,
        Reason.INSUFFICIENT_CREDITS,
        "The provider account is out of credit.",
        "Said so.",
        id="U-05",
        title="402 without Retry-After",
        usual=True,
    ),
    second_try("U-05", "402 with Retry-After: 1", no(402, headers={"Retry-After": "1"}), waits=1),
    at_once(
        400,
        Reason.UNAUTHORIZED,
        "The provider refused the key. An admin can replace it.",
        "API key not valid.",
        id="U-04",
        title="400 for a key that is not valid",
        does=no(400, "API key not valid. Please pass a valid API key."),
    ),
    *(
        at_once(
            status,
            Reason.INSUFFICIENT_CREDITS,
            "The provider account is out of credit.",
            "all available credits",
            id="U-05",
            title=f"{status} that says the account has no money left",
            does=no(status, "Your team has used all available credits."),
            usual=status == 429,
        )
        for status in (403, 429)
    ),
    at_once(
        400,
        Reason.INVALID_MODEL,
        "The provider does not know this model.",
        "has been retired",
        title="400 for a model that was retired",
        does=no(400, "The model `subject` has been retired."),
    ),
    at_once(400, Reason.BAD_REQUEST, "The provider did not accept the request.", "Said so."),
    at_once(403, Reason.FORBIDDEN, "The provider does not allow this request.", "Said so."),
    at_once(404, Reason.INVALID_MODEL, "The provider does not know this model.", "Said so."),
    at_once(405, Reason.BAD_REQUEST, "The provider did not accept the request.", "Said so."),
    at_once(
        422,
        Reason.BAD_REQUEST,
        "field required",
        title="422 with FastAPI's list of what is wrong",
        does=Script(status=422, body=json.dumps({"detail": [{"msg": "field required"}]})),
    ),
    at_once(
        400,
        Reason.BAD_REQUEST,
        "xxx…",
        title="400 with a message of 100,000 characters and markup",
        does=no(400, "<script>alert(1)</script>" + "x" * 100_000),
        usual=True,
    ),
    second_try(
        "U-06",
        "400 for a field it does not take, then an answer",
        no(400, "Unrecognized request argument supplied: stream_options"),
        sees=("done", "asked in another form"),
        usage={},  # that field is what asks for it
        cost=None,
        waits=0,
        usual=True,
    ),
    second_try(
        "U-06",
        "400 for a model that may not be streamed, then an answer in one piece",
        no(400, "Streaming is not supported for this model."),
        sees=("done", "asked in another form"),
        waits=0,
    ),
    second_try("U-07", "408, then an answer", no(408)),
    second_try("U-07", "409, then an answer", no(409)),
    second_try("U-07", "425, then an answer", no(425)),
    Scenario(
        "U-07",
        "408 again and again",
        no(408),
        sees=("failed", "The provider reported an error.", "Said so."),
        reason=Reason.UPSTREAM_ERROR,
        calls=3,
        waits=1.2,
        usual=True,
    ),
    second_try("U-08", "429 with Retry-After: 1", limited("1"), waits=1, usual=True),
    second_try("U-08", "429 with an HTTP date", in_two_seconds, waits=0.5),
    second_try("U-08", "429 with an HTTP date long past", limited(LONG_AGO), waits=0.05),
    second_try("U-08", "429 with an HTTP date that cannot be", limited("Fri, 99 Dec 2026 99:00")),
    second_try("U-08", "429 with Retry-After: 0", limited("0"), waits=0.05),
    Scenario(
        "U-08",
        "429 with an HTTP date in the far future",
        limited("Fri, 31 Dec 9999 23:59:59 GMT"),
        sees=("rate limited", "limiting requests", "to try again in more than a year"),
        reason=Reason.RATE_LIMITED,
    ),
    second_try("U-08", "429 with Google's RetryInfo: 1.2s", google_limited("1.2s"), waits=1.2),
    Scenario(
        "U-08",
        "429 with Google's RetryInfo: 37s",
        google_limited("37s"),
        sees=("rate limited", "limiting requests", "to try again in 37 s"),
        reason=Reason.RATE_LIMITED,
    ),
    second_try(
        "U-08", "429 that says “try again in 1.3s”", no(429, "Please try again in 1.3s."), waits=1.3
    ),
    Scenario(
        "U-08",
        "429 that says “try again in 1m20s”",
        no(429, "Limit reached. Please try again in 1m20s."),
        sees=("rate limited", "limiting requests", "to try again in 80 s"),
        reason=Reason.RATE_LIMITED,
    ),
    second_try(
        "U-08",
        "429 with retry-after-ms: 900",
        no(429, headers={"retry-after-ms": "900"}),
        waits=0.9,
    ),
    second_try("U-08", "429 with Retry-After: garbage", limited("soon, I hope")),
    second_try("U-08", "429 with Retry-After: -1", limited("-1")),
    second_try("U-08", "429 without Retry-After", no(429)),
    Scenario(
        "U-08",
        "429 with Retry-After: 120",
        limited("120"),
        sees=("rate limited", "limiting requests", "to try again in 2 min"),
        reason=Reason.RATE_LIMITED,
        usual=True,
    ),
    Scenario(
        "U-08",
        "429 with Retry-After: 1e9",
        limited("1e9"),
        sees=("rate limited", "limiting requests", "try again"),
        reason=Reason.RATE_LIMITED,
    ),
    Scenario(
        "U-08",
        "429 with Retry-After: 3 where two seconds are allowed",
        limited("3"),
        sees=("rate limited", "limiting requests", "to try again in 3 s"),
        reason=Reason.RATE_LIMITED,
        policy={"max_retry_wait": 2},
    ),
    Scenario(
        "U-08",
        "429 again and again",
        limited("0"),
        sees=("rate limited", "limiting requests"),
        reason=Reason.RATE_LIMITED,
        calls=3,
    ),
    at_once(
        413,
        Reason.CONTEXT_LENGTH,
        "The prompt is too long for this model.",
        id="U-09",
        title="413 with an HTML page",
        does=Script(status=413, body="<html>nginx</html>", content_type="text/html"),
    ),
    at_once(
        400,
        Reason.CONTEXT_LENGTH,
        "The prompt is too long for this model.",
        TOO_LONG,
        id="U-09",
        title="400 that says the context is too long",
        does=no(400, TOO_LONG),
        usual=True,
    ),
    at_once(
        400,
        Reason.CONTEXT_LENGTH,
        "The prompt is too long for this model.",
        "The input token count (1200293) exceeds",
        id="U-09",
        title="400 with Google's error in a list",
        does=Script(status=400, body=json.dumps([{"error": {"code": 400, "message": TOO_MANY}}])),
    ),
    *(
        second_try("U-10", f"{status}, then an answer", no(status), usual=status == 503)
        for status in (500, 502, 503, 504, 520, 529)
    ),
    Scenario(
        "U-10",
        "500 again and again",
        no(500, "Out of order."),
        sees=("failed", "The provider reported an error.", "Out of order."),
        reason=Reason.UPSTREAM_ERROR,
        calls=3,
        waits=1.2,
        usual=True,
    ),
    Scenario(
        "U-10",
        "500 where no retries are allowed",
        no(500),
        sees=("failed", "The provider reported an error."),
        reason=Reason.UPSTREAM_ERROR,
        policy={"retries": 0},
    ),
    *(
        Scenario(
            "U-38",
            f"{status} to {where}",
            no(status, headers={"Location": where}, body=""),
            sees=("failed", "answered with a redirect", "which is not followed"),
            reason=Reason.REDIRECT,
            usual=status == 307,
        )
        for status, where in (
            (301, "https://elsewhere.example/v1"),
            (302, "/v1/chat/completions"),
            (307, "http://169.254.169.254/latest/meta-data/"),
            (308, "http://127.0.0.1:1/"),
        )
    ),
]
