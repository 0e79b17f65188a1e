"""What else a server may send, or not send: statuses, bodies, headers, connections."""

import gzip
import json
import socket
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from console.engine.errors import SENTENCES, Reason
from console.providers.wire.retry_after import parse_retry_after
from tests.providers.asking import KEY, collect
from tests.upstream import Script

HTML = "<!doctype html><script>alert(1)</script>" + "x" * 1_000_000
TOO_LONG = "This model's maximum context length is 8192 tokens, your prompt has 9000."


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (400, Reason.BAD_REQUEST, False),
        (401, Reason.UNAUTHORIZED, False),
        (402, Reason.INSUFFICIENT_CREDITS, False),
        (403, Reason.FORBIDDEN, False),
        (404, Reason.INVALID_MODEL, False),
        (405, Reason.BAD_REQUEST, False),
        (408, Reason.UPSTREAM_ERROR, True),
        (409, Reason.UPSTREAM_ERROR, True),
        (413, Reason.CONTEXT_LENGTH, False),
        (422, Reason.BAD_REQUEST, False),
        (425, Reason.UPSTREAM_ERROR, True),
        (429, Reason.RATE_LIMITED, True),
        (500, Reason.UPSTREAM_ERROR, True),
        (502, Reason.UPSTREAM_ERROR, True),
        (503, Reason.UPSTREAM_ERROR, True),
        (504, Reason.UPSTREAM_ERROR, True),
        (520, Reason.UPSTREAM_ERROR, True),
        (529, Reason.UPSTREAM_ERROR, True),
    ],
)
async def test_a_status_has_a_reason_and_says_whether_to_try_again(
    ask, up, status, reason, retryable
):
    got = await ask(Script(status=status, error_message="Said so."))
    assert (got.reason, got.error.retryable) == (reason, retryable)
    assert got.error.status_code == status
    assert got.error.message == f"{SENTENCES[reason]} It said: Said so."
    assert len(up.calls) == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error": {"message": TOO_LONG}}, Reason.CONTEXT_LENGTH),
        (400, {"error": {"code": "context_length_exceeded", "message": ""}}, Reason.CONTEXT_LENGTH),
        (400, {"error": {"message": "x is not a valid model ID"}}, Reason.INVALID_MODEL),
        (429, {"error": {"code": "insufficient_quota"}}, Reason.INSUFFICIENT_CREDITS),
        (403, {"error": {"metadata": {"error_type": "content_policy_violation"}}},
         Reason.CONTENT_FILTER),
        (404, {"detail": "Not Found"}, Reason.CONFIGURATION),
        (404, "<html>nginx</html>", Reason.CONFIGURATION),
        (400, {"object": "error", "message": "vLLM says no"}, Reason.BAD_REQUEST),
        (400, {"error": "a plain string"}, Reason.BAD_REQUEST),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, Reason.BAD_REQUEST),
        (500, [1, 2], Reason.UPSTREAM_ERROR),
    ],
)  # fmt: skip
async def test_what_the_provider_says_refines_the_reason(ask, status, body, reason):
    text = body if isinstance(body, str) else json.dumps(body)
    got = await ask(Script(status=status, body=text))
    assert got.reason == reason
    assert not got.error.retryable or status == 500


async def test_a_provider_may_say_that_trying_again_is_pointless(ask):
    error = {"error": {"message": "gone", "availability": {"retryable": False}}}
    got = await ask(Script(status=503, body=json.dumps(error)))
    assert not got.error.retryable


@pytest.mark.parametrize(
    ("said", "header", "seconds"), [(7, "", 7), (7, "3", 3), ("soon", "", None), (None, "", None)]
)
async def test_a_provider_may_say_in_the_body_when_to_come_back(ask, said, header, seconds):
    error = {"error": {"message": "busy", "availability": {"retryable": True, "retry_after": said}}}
    headers = {"Retry-After": header} if header else {}
    got = await ask(Script(status=503, body=json.dumps(error), headers=headers))
    assert (got.error.retryable, got.error.retry_after) == (True, seconds)


async def test_a_refused_key_is_refused_again_whatever_is_said(ask):
    error = {"error": {"message": "no", "availability": {"retryable": True}}}
    got = await ask(Script(status=401, body=json.dumps(error)))
    assert (got.reason, got.error.retryable) == (Reason.UNAUTHORIZED, False)


async def test_out_of_credit_is_tried_again_only_when_the_provider_says_when(ask):
    got = await ask(Script(status=402, headers={"Retry-After": "3"}))
    assert (got.error.retryable, got.error.retry_after) == (True, 3)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2), ("1.5", 1.5), ("1e9", 1e9), ("0", 0), ("-1", None), ("soon", None), ("", None),
     ("nan", None), ("inf", None), ("Wed, 99 Foo", None), (None, None)],
)  # fmt: skip
def test_retry_after_in_seconds_or_nonsense(value, seconds):
    assert parse_retry_after(value) == seconds


def test_retry_after_as_a_date():
    date = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
    assert parse_retry_after(format_datetime(date, usegmt=True), date.timestamp() - 30) == 30
    assert parse_retry_after(format_datetime(date, usegmt=True), date.timestamp() + 30) == 0


@pytest.mark.parametrize(
    ("after", "said"),
    [("3", "3 s"), ("120", "2 min"), ("1e6", "278 hours"), ("1e300", "more than a year")],
)
async def test_rate_limits_say_when_to_come_back(ask, after, said):
    got = await ask(Script(status=429, headers={"Retry-After": after}))
    assert got.error.retry_after == float(after)
    assert got.error.message.endswith(f"It asks to try again in {said}.")


@pytest.mark.parametrize("status", [200, 502])
async def test_html_is_summarised_never_quoted(ask, status):
    got = await ask(Script(status=status, body=HTML, content_type="text/html"))
    assert got.reason == (Reason.BAD_RESPONSE if status == 200 else Reason.UPSTREAM_ERROR)
    assert got.error.message.endswith("The provider sent unexpected HTML.")
    assert "<" not in got.error.message


async def test_long_messages_are_cut_and_control_characters_removed(ask):
    got = await ask(Script(status=400, error_message="\x1b[31mred\x00\n" + "x" * 5000))
    quoted = got.error.message.partition("It said: ")[2]
    assert quoted.startswith("[31mred xxx")
    assert len(quoted) == 500


@pytest.mark.parametrize(
    "message",
    [
        f"Incorrect API key provided: {KEY}.",
        f"Key {KEY[:14]}… is unknown",
        f"It ends in {KEY[-12:]}",
        f"header Authorization: Bearer {KEY}",
        "Incorrect API key provided: sk-proj-********************abcd",
        "see https://user:hunter2@example.com/",
    ],
)
@pytest.mark.parametrize("status", [200, 401])
async def test_no_key_is_ever_quoted(ask, message, status):
    error = json.dumps({"error": {"message": message}})
    got = await ask(Script(status=status, body=error))
    assert "***" in got.error.message
    for piece in (KEY, KEY[:12], KEY[-10:], "abcd", "hunter2"):
        assert piece not in got.error.message
    assert KEY not in repr(got.error)


async def test_nor_kept_in_what_a_server_says_about_itself(ask):
    got = await ask(Script(chunk={"id": f"gen {KEY}", "provider": KEY, "model": f"m ({KEY})"}))
    assert got.text
    assert "***" in got.finish.model and KEY[:12] not in repr(got.finish)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(body=""), Reason.EMPTY),
        (Script(raw=[b" \n"]), Reason.EMPTY),
        (Script(status=204, body=""), Reason.EMPTY),
        (Script(body="Hello there", content_type="text/event-stream"), Reason.BAD_RESPONSE),
        (Script(body="[1, 2]"), Reason.BAD_RESPONSE),
        (Script(body="{}"), Reason.BAD_RESPONSE),
        (Script(body="{broken"), Reason.BAD_RESPONSE),
        (Script(body="[" * 100_000), Reason.BAD_RESPONSE),
        (Script(body='{"error": {"message": "no"}}'), Reason.UPSTREAM_ERROR),
        (Script(raw=[b": nothing but comments\n\n"]), Reason.TRUNCATED),
    ],
)
async def test_a_200_without_an_answer_is_no_answer(ask, script, reason):
    got = await ask(script)
    assert (got.text, got.reason, got.error.retryable) == ("", reason, False)


async def test_done_alone_ends_properly_with_no_text(ask):
    got = await ask(Script(raw=[b"data: [DONE]\n\n"]))
    assert (got.text, got.finish.finish_reason) == ("", None)


async def test_a_server_that_does_not_stream_is_understood(ask):
    message = {"role": "assistant", "content": "All at once.", "reasoning": "Hmm."}
    whole = {"choices": [{"message": message, "finish_reason": "length"}], "model": "m"}
    whole["usage"] = {"prompt_tokens": 3, "completion_tokens": 4}
    got = await ask(Script(body=json.dumps(whole)))
    assert (got.text, got.reasoning, got.finish.finish_reason) == ("All at once.", "Hmm.", "length")
    assert (got.finish.usage.input_tokens, got.finish.model) == (3, "m")


async def test_the_body_counts_not_its_label(ask):
    got = await ask(Script(text="Fine.", content_type="application/json"))
    assert got.text == "Fine."


async def test_an_error_in_a_list_is_quoted_all_the_same(ask):
    body = json.dumps([{"error": {"code": 400, "message": "No such thing."}}])
    got = await ask(Script(status=400, body=body))
    assert (got.reason, got.error.message.endswith("It said: No such thing.")) == (
        Reason.BAD_REQUEST,
        True,
    )


@pytest.mark.parametrize("coding", ["", "none", "Identity"])
async def test_a_label_that_says_no_compression_is_none(ask, coding):
    got = await ask(Script(text="Fine.", headers={"Content-Encoding": coding}))
    assert got.text == "Fine."


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP, gzip"])
async def test_compressed_bodies_are_not_read(ask, coding):
    bomb = gzip.compress(b"data: x\n\n" * 1_000_000)
    got = await ask(Script(body=bomb, headers={"Content-Encoding": coding}))
    assert (got.text, got.reason) == ("", Reason.BAD_RESPONSE)
    assert "compressed" in got.error.message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(ask, up, status):
    headers = {"Location": f"{up.url}/elsewhere?key={KEY}"}
    got = await ask(Script(status=status, headers=headers, body=""))
    assert (got.reason, got.error.retryable) == (Reason.REDIRECT, False)
    assert KEY not in got.error.message
    assert len(up.requests) == 1


async def test_a_304_is_no_redirect_to_anywhere(ask):
    got = await ask(Script(status=304, body=""))
    assert got.error.message == "The provider answered with status 304, which is no answer."


async def test_cookies_are_not_kept(ask, up, client):
    for _ in range(2):
        await ask(Script(text="x", headers={"Set-Cookie": "spy=1; Path=/"}))
    assert "cookie" not in up.calls[1].headers
    assert not client.cookies


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 50_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"1" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ],
    ids=["many headers", "long header", "bad chunk", "not HTTP"],
)
async def test_what_is_not_http_is_a_bad_response(ask, wire):
    got = await ask(Script(wire=[wire]))
    assert (got.reason, got.error.retryable) == (Reason.BAD_RESPONSE, False)


async def test_http_1_0_without_a_length_is_understood(ask):
    answer = b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'
    got = await ask(Script(wire=[b"HTTP/1.0 200 OK\r\n\r\n" + answer]))
    assert (got.text, got.finish.finish_reason) == ("hi", "stop")


async def test_a_body_shorter_than_promised_is_truncated(ask):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    got = await ask(Script(wire=[head + b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n']))
    assert (got.text, got.reason) == ("hi", Reason.TRUNCATED)


async def test_a_server_that_hangs_up_before_answering_may_have_billed(ask):
    got = await ask(Script(wire=[]))
    assert (got.reason, got.error.retryable) == (Reason.DISCONNECTED, False)


async def test_a_refused_connection_may_be_tried_again(make):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        got = await collect(make(url=url))
    assert (got.reason, got.error.retryable) == (Reason.UNREACHABLE, True)
    assert got.error.message == "127.0.0.1 could not be reached."


async def test_an_unknown_host_is_named(make):
    got = await collect(make(url="http://no-such-host.invalid/v1"))
    assert (got.reason, got.error.retryable) == (Reason.DNS, True)
    assert "no-such-host.invalid" in got.error.message


async def test_a_connection_that_is_never_accepted_times_out(make):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.socket() as filler:
            filler.connect(full.getsockname())  # the queue of one is taken
            got = await collect(make(url=f"http://127.0.0.1:{full.getsockname()[1]}/v1"))
    assert (got.reason, got.error.retryable) == (Reason.UNREACHABLE, True)
    assert "in time" in got.error.message


async def test_tls_to_a_server_without_it_is_a_certificate_problem(make, up):
    server = await plain_server()
    async with server:
        port = server.sockets[0].getsockname()[1]
        got = await collect(make(url=f"https://127.0.0.1:{port}/v1"))
    assert (got.reason, got.error.retryable) == (Reason.TLS, False)


async def plain_server():
    import asyncio

    async def answer(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


@pytest.mark.parametrize("key", ["sk-ümlaut", "two words", "line\nbreak", "nul\0"])
async def test_a_key_that_cannot_be_sent_is_said_so(make, up, key):
    got = await collect(make(key=key))
    assert (got.reason, got.error.retryable) == (Reason.CONFIGURATION, False)
    assert up.requests == []


async def test_one_connection_serves_many_answers_and_none_after_a_fault(ask, up):
    for n in range(3):
        assert (await ask(Script(text=f"answer {n}"))).text == f"answer {n}"
    assert (await ask(Script(status=500))).reason == Reason.UPSTREAM_ERROR
    assert (await ask(Script(text="poison poison", cut_after=1))).reason == Reason.TRUNCATED
    assert (await ask(Script(text="clean"))).text == "clean"
    assert [r.connection for r in up.calls] == [1, 1, 1, 1, 1, 2]
