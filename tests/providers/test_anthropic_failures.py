"""How an answer of Anthropic's fails: whatever its server does, there is an answer or a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from console.engine.errors import Reason
from tests.providers import test_anthropic_stream
from tests.providers.asking import KEY
from tests.providers.test_anthropic_stream import SAID, WET, Ask
from tests.upstream import Script
from tests.upstream.anthropic import (
    PING,
    begin,
    block,
    close,
    delta,
    end,
    error,
    event,
    message,
    text,
)

asks = test_anthropic_stream.asks  # the fixture

# ---- misbehaviours


@dataclass(frozen=True)
class Row:
    title: str
    does: Script | bytes
    text: str = ""
    reason: Reason | None = None  # None: it is an answer
    stop: str | None = "stop"
    reasoning: str = ""

    def __str__(self) -> str:
        return self.title


def failing(kind: str, words: str, **more: Any) -> bytes:
    return event("error", error={"type": kind, "message": words}, **more)


def refusing(status: int, words: str, kind: str = "", **more: Any) -> Script:
    body = error(status, words)
    body["error"] |= ({"type": kind} if kind else {}) | more
    return Script(status=status, body=json.dumps(body))


def over(headers: dict[str, str], status: int = 429) -> Script:
    return Script(status=status, headers=headers, error_message="Slow down.")


CALLS = block(1, "tool_use", id="toolu_1", name="weather", input={})
HALF = begin() + block(0, "text", text="") + delta(0, "text_delta", text="Rain ")
GOOD = begin() + WET + end()
HTML = "<!doctype html><html><h1>Bad gateway</h1></html>"

ROWS = [
    # It ends too early.
    Row("no byte at all", b"", reason=Reason.EMPTY),
    Row("nothing but pings", PING * 3, reason=Reason.TRUNCATED),
    Row("cut in message_start", begin()[:60], reason=Reason.TRUNCATED),
    Row("cut after message_start", begin(), reason=Reason.TRUNCATED),
    Row(
        "cut in a thought",
        begin() + block(0, "thinking", thinking="") + delta(0, "thinking_delta", thinking="Hm"),
        reason=Reason.TRUNCATED,
        reasoning="Hm",
    ),
    Row("cut in the text", HALF, "Rain ", Reason.TRUNCATED),
    Row("cut within an event", HALF + WET[:40], "Rain ", Reason.TRUNCATED),
    Row(
        "cut in a tool's arguments",
        begin() + CALLS + delta(1, "input_json_delta", partial_json='{"ci'),
        reason=Reason.TRUNCATED,
    ),
    Row("the text is whole and nothing ends it", begin() + WET, SAID, Reason.TRUNCATED),
    Row("the connection breaks", Script(deltas=["Rain ", "is"], cut_after=1, cut="reset"), "Rain ",
        Reason.DISCONNECTED),
    # It ends, but not as it should.
    Row("no message_stop", begin() + WET + end().split(b"event: message_stop")[0], SAID),
    Row("no message_delta", begin() + WET + event("message_stop"), SAID, stop=None),
    Row("no reason to stop", begin() + WET + end(None), SAID, stop=None),
    Row("no block is closed", HALF + delta(0, "text_delta", text="is wet.") + end(), SAID),
    Row("text after the end", GOOD + text("And more."), SAID),
    Row("[DONE], as elsewhere", begin() + WET + end() + b"data: [DONE]\n\n", SAID),
    Row("message_stop twice", GOOD + event("message_stop"), SAID),
    Row("nothing was said", begin() + end(), ""),
    Row("an empty text", begin() + text("") + end(), ""),
    Row("content null", Script(body=json.dumps(message("alpha", content=None))),
        reason=Reason.BAD_RESPONSE),
    # Things nobody knows, or in the wrong place.
    Row("unknown events", begin() + event("aside", x=1) + WET + event("message_mood", text="x")
        + end(), SAID),
    Row("unknown blocks", begin() + block(0, "hologram", text="x") + delta(0, "light", text="y")
        + close(0) + WET + end(), SAID),
    Row("a piece of a block that never began", begin() + delta(7, "text_delta", text=SAID)
        + delta(9, "input_json_delta", partial_json="{}") + end(), SAID),
    Row("no message_start", WET + end(), SAID),
    Row("no index", begin() + block(None, "text", text="") + delta(None, "text_delta", text=SAID)
        + end(), SAID),
    Row("indices that are none", begin() + block([1], "text", text="") + delta({"a": 1},
        "text_delta", text=SAID) + close("x") + end(), SAID),
    Row("what is no text", begin() + block(0, "text", text=7) + delta(0, "text_delta", text=["x"])
        + delta(0, "text_delta", text=SAID) + delta(0, "thinking_delta", thinking={}) + end(),
        SAID),
    Row("parts that are none", event("message_start", message=[]) + event("content_block_start")
        + event("content_block_delta", delta="x", index=0) + WET + event("message_delta")
        + end(), SAID),
    Row("no tool has that name", begin() + WET + block(1, "tool_use", id=4, name=None, input=[])
        + end(), SAID),
    Row("the type is missing, the event is named", begin() + b'event: ping\ndata: {}\n\n' + WET
        + end(), SAID),
    Row("no event is named", (begin() + WET + end()).replace(b"event:", b"id:"), SAID),
    Row("begun twice before a word", begin() + begin("alpha") + WET + end(), SAID),
    Row("begun twice in mid-answer", HALF + GOOD, "Rain ", Reason.BAD_RESPONSE),
    Row("chunks of another API", b'data: {"choices":[{"delta":{"content":"Rain is wet."},'
        b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n', SAID),
    # Bytes.
    Row("half a letter", begin() + block(0, "text", text="") + delta(0, "text_delta", text="ü")
        .replace("ü".encode(), b"\xc3") + end(), "\ufffd"),
    Row("lines that are no JSON", begin() + b"data: {oops\n\n" * 3 + WET + end(), SAID),
    Row("too many lines that are none", begin() + b"data: {oops\n\n" * 4 + WET,
        reason=Reason.BAD_RESPONSE),
    Row("a line without an end", begin() + b"data: " + b"x" * 1_200_000, reason=Reason.TOO_LARGE),
    Row("a text without an end", begin() + block(0, "text", text="")
        + delta(0, "text_delta", text="x" * 900_000) * 3, "x" * 2 * 1024 * 1024, Reason.TOO_LARGE),
    Row("HTML with status 200", Script(body=HTML, content_type="text/html"),
        reason=Reason.BAD_RESPONSE),
    Row("HTML with status 502", Script(status=502, body=HTML, content_type="text/html"),
        reason=Reason.UPSTREAM_ERROR),
    Row("JSON of something else", Script(body='{"type": "completion", "completion": "x"}'),
        reason=Reason.BAD_RESPONSE),
    Row("a list", Script(body="[1, 2]"), reason=Reason.BAD_RESPONSE),
    Row("status 204", Script(status=204, body=""), reason=Reason.EMPTY),
    # It fails on the way.
    Row("an error before the first word", begin() + failing("overloaded_error", "Overloaded"),
        reason=Reason.UPSTREAM_ERROR),
    Row("an error after a few", HALF + failing("api_error", "Internal server error"), "Rain ",
        Reason.UPSTREAM_ERROR),
    Row("an error after the end", GOOD + failing("api_error", "Internal server error"), SAID),
    Row("limited in mid-answer", HALF + failing("rate_limit_error", "Slow down"), "Rain ",
        Reason.RATE_LIMITED),
    Row("an error without words", HALF + b"event: error\ndata: {}\n\n", "Rain ",
        Reason.UPSTREAM_ERROR),
    Row("an error that is no JSON", HALF + b"event: error\ndata: upstream died\n\n", "Rain ",
        Reason.UPSTREAM_ERROR),
    Row("an error in a document", Script(body=json.dumps(error(529, "Overloaded"))),
        reason=Reason.UPSTREAM_ERROR),
    # It does not begin.
    Row("overloaded", refusing(529, "Overloaded"), reason=Reason.UPSTREAM_ERROR),
    Row("broken", refusing(500, "Internal server error"), reason=Reason.UPSTREAM_ERROR),
    Row("too slow", refusing(504, "Request timed out."), reason=Reason.UPSTREAM_ERROR),
    Row("limited", over({"retry-after": "7"}), reason=Reason.RATE_LIMITED),
    Row("no money", refusing(400, "Your credit balance is too low to access the Anthropic API."),
        reason=Reason.INSUFFICIENT_CREDITS),
    Row("a bill is due", refusing(402, "Billing."), reason=Reason.INSUFFICIENT_CREDITS),
    Row("a limit of one's own", refusing(400, "You have reached your specified workspace API usage "
        "limits. You will regain access on 2026-12-01 at 00:00 UTC."),
        reason=Reason.INSUFFICIENT_CREDITS),
    Row("a limit of the month", refusing(429, "Limit reached.",
        details={"error_code": "enforced_spend_limit_reached"}),
        reason=Reason.INSUFFICIENT_CREDITS),
    Row("no such key", refusing(401, "invalid x-api-key"), reason=Reason.UNAUTHORIZED),
    Row("not allowed", refusing(403, "Your API key may not use this."), reason=Reason.FORBIDDEN),
    Row("no such model", refusing(404, "model: alpha"), reason=Reason.INVALID_MODEL),
    Row("too many bytes", refusing(413, "Request exceeds the maximum size"),
        reason=Reason.CONTEXT_LENGTH),
    Row("too many words", refusing(400, "prompt is too long: 213462 tokens > 200000 maximum"),
        reason=Reason.CONTEXT_LENGTH),
    Row("filtered", refusing(400, "Output blocked by content filtering policy"),
        reason=Reason.CONTENT_FILTER),
    Row("asked wrongly", refusing(400, "messages: final content must not be empty"),
        reason=Reason.BAD_REQUEST),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_whatever_it_does_there_is_an_answer_or_a_reason(asks: Ask, row: Row) -> None:
    got = await asks(row.does)
    assert (got.text, got.reasoning, got.reason) == (row.text, row.reasoning, row.reason)
    if row.reason is None:
        assert got.finish and got.finish.finish_reason == row.stop
        assert not got.finish.tool_calls
    else:
        assert got.error and got.error.message
        assert KEY not in got.error.message


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        (over({"retry-after": "7"}), 7),
        (over({"anthropic-ratelimit-requests-remaining": "0",
               "anthropic-ratelimit-requests-reset": "3s"}), 3),
        (over({"anthropic-ratelimit-tokens-remaining": "9",
               "anthropic-ratelimit-tokens-reset": "3s"}), None),
        (refusing(529, "Overloaded"), None),
    ],
)  # fmt: skip
async def test_when_it_may_be_asked_again_is_read(asks: Ask, script: Script, seconds: Any) -> None:
    got = await asks(script)
    assert got.error and got.error.retryable and got.error.retry_after == seconds


async def test_a_failure_tells_the_number_that_its_support_asks_for(asks: Ask) -> None:
    said = "The provider reported an error. It said: Overloaded (req_1)"
    assert (await asks(refusing(529, "Overloaded"))).error.message == said  # type: ignore[union-attr]
    within = begin() + failing("overloaded_error", "Overloaded", request_id="req_1")
    assert (await asks(within)).error.message == said  # type: ignore[union-attr]
    for number in ("", None, 7, "x" * 200):
        got = await asks(begin() + failing("overloaded_error", "Overloaded", request_id=number))
        assert got.error and got.error.message.endswith("It said: Overloaded")


async def test_a_limit_of_the_month_is_not_waited_for(asks: Ask) -> None:
    row = next(row for row in ROWS if row.title == "a limit of the month")
    got = await asks(row.does)
    assert got.error and not got.error.retryable
