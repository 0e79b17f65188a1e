"""What a stream says, and how it ends, over real sockets."""

import json

import pytest

from console.engine.errors import Reason
from console.engine.usage import Usage
from tests.upstream import Script


def event(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
STOP = event(finish="stop") + DONE


async def test_text_usage_and_model_arrive(ask, up):
    got = await ask(Script(text="Forty-two, I think.", chunk={"model": "alpha-2026"}))
    assert got.text == "Forty-two, I think."
    assert len(got.deltas) == 3
    assert got.finish.finish_reason == "stop"
    assert got.finish.usage == Usage(input_tokens=1, output_tokens=3)
    assert got.finish.model == "alpha-2026"
    assert got.finish.generation_id.startswith("chatcmpl-")
    assert got.finish.cost is None


async def test_text_survives_any_framing(ask):
    text = "a\u2028b\u2029c\u0085d\x0be\x1cf \U0001f600 ü"
    raw_json = json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False)
    for end in (b"\n", b"\r\n", b"\r"):
        line = b"data: " + raw_json.replace("\x0b", "\\u000b").replace("\x1c", "\\u001c").encode()
        stream = b": hello" + end + line + end + end + STOP.replace(b"\n", end)
        got = await ask(Script(raw=[bytes([byte]) for byte in stream]))
        assert (got.text, got.finish.finish_reason) == (text, "stop")


@pytest.mark.parametrize(
    ("deltas", "text"),
    [
        (["\ud83d", "\ude00"], "\U0001f600"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["a\ude00b"], "a\ufffdb"),
        (["a\ud83d"], "a\ufffd"),
        (["a\0b"], "a\ufffdb"),
    ],
)
async def test_what_no_database_takes_is_replaced(ask, deltas, text):
    got = await ask(Script(deltas=deltas))
    assert got.text == text


async def test_ten_thousand_comments_are_no_text(ask):
    comments = b": OPENROUTER PROCESSING\n:\n\n" * 10_000
    got = await ask(Script(raw=[comments + event({"content": "hi"}) + comments + STOP]))
    assert got.text == "hi"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": []},
        {},
        {"choices": [{"prompt_filter_results": []}]},
        {"choices": [{"delta": None}]},
        {"choices": ["x", None, 7]},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [{"delta": {"content": None, "new": {"x": 1}}}], "error": None},
        {"choices": [{"index": 7, "delta": {"content": "another answer"}}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": ""}]},
        {"choices": 3, "usage": "many", "model": 5, "id": {}},
    ],
)
async def test_odd_chunks_change_nothing(ask, odd):
    strange = b"data: " + json.dumps(odd).encode() + b"\n\n"
    got = await ask(Script(raw=[strange, event({"content": "hi"}), strange, STOP]))
    assert (got.text, got.finish.finish_reason) == ("hi", "stop")


async def test_content_may_come_in_parts(ask):
    parts = [{"type": "text", "text": "a"}, "b", {"type": "image"}, 5]
    got = await ask(Script(raw=[event({"content": parts}), STOP]))
    assert got.text == "ab"


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": "Hmm."},
        {"reasoning_content": "Hmm."},
        {"reasoning_details": [{"type": "reasoning.text", "text": "Hmm."}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "Hmm."}]},
        {"reasoning": "Hmm.", "reasoning_details": [{"text": "Hmm."}]},
    ],
)
async def test_reasoning_is_kept_apart_from_text(ask, delta):
    got = await ask(Script(raw=[event(delta), event({"content": "42"}), STOP]))
    assert (got.reasoning, got.text) == ("Hmm.", "42")


async def test_reasoning_alone_is_no_text(ask):
    got = await ask(Script(text="", reasoning="Only thoughts."))
    assert (got.reasoning, got.text, got.finish.finish_reason) == ("Only thoughts.", "", "stop")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("model_context_window_exceeded", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("content_filter: SAFETY", "content_filter"),
        ("sensitive", "content_filter"),
    ],
)
async def test_finish_reasons_have_one_spelling(ask, said, means):
    got = await ask(Script(text="some text", finish_reason=said))
    assert (got.text, got.finish.finish_reason) == ("some text", means)


@pytest.mark.parametrize(
    "said", ["error", "insufficient_system_resource", "abort", "Network_Error", "timeout"]
)
async def test_an_answer_that_its_server_broke_off_is_no_whole_one(ask, said):
    got = await ask(Script(text="some text", finish_reason=said))
    assert (got.text, got.reason) == ("some text", Reason.UPSTREAM_ERROR)


@pytest.mark.parametrize("delta", [{}, None, "absent"])
@pytest.mark.parametrize("before", ["Hi you.", "<think>Hm.</think>Hi you."])
async def test_a_message_that_says_all_of_it_once_more_at_the_end_says_nothing_new(
    ask, before, delta
):
    choice = {"index": 0, "message": {"role": "assistant", "content": before}, "delta": delta}
    if delta == "absent":
        del choice["delta"]
    last = {"choices": [choice | {"finish_reason": "stop"}]}
    pieces = [event({"role": "assistant", "content": ""}), *(event({"content": c}) for c in before)]
    got = await ask(Script(raw=[*pieces, b"data: " + json.dumps(last).encode() + b"\n\n", DONE]))
    assert (got.text, got.finish.finish_reason) == ("Hi you.", "stop")


def whole(finish=None, **message):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


async def test_a_stream_may_have_messages_in_the_place_of_deltas(ask):
    got = await ask(Script(raw=[whole(content="Hi "), whole("stop", content="you."), DONE]))
    assert (got.text, got.finish.finish_reason) == ("Hi you.", "stop")


async def test_what_no_delta_said_is_taken_of_a_message_at_the_end(ask):
    thought = event({"reasoning_content": "Hm."})
    last = whole("stop", content="Hi you.", reasoning_content="Hm.")
    got = await ask(Script(raw=[thought, last, DONE]))
    assert (got.text, got.reasoning) == ("Hi you.", "Hm.")
    call = {"index": 0, "id": "a", "function": {"name": "weather", "arguments": "{}"}}
    last = whole("tool_calls", content="I look.", tool_calls=[call])
    got = await ask(Script(raw=[event({"content": "I look."}), last, DONE]))
    assert (got.text, [c["id"] for c in got.finish.tool_calls]) == ("I look.", ["a"])


async def test_a_message_that_comes_at_once_within_a_stream_is_the_answer(ask):
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi you."}}
    whole = {"choices": [choice | {"finish_reason": "stop"}]}
    began = event({"role": "assistant", "content": ""})
    got = await ask(Script(raw=[began, b"data: " + json.dumps(whole).encode() + b"\n\n", DONE]))
    assert (got.text, got.finish.finish_reason) == ("Hi you.", "stop")


async def test_a_refusal_is_shown_and_marked(ask):
    got = await ask(Script(raw=[event({"refusal": "I will not."}), STOP]))
    assert (got.text, got.finish.finish_reason) == ("I will not.", "content_filter")


async def test_asking_for_tools_is_said(ask):
    call = {"tool_calls": [{"index": 0, "function": {"name": "rm", "arguments": "{}"}}]}
    got = await ask(Script(raw=[event(call), STOP]))
    assert (got.text, got.finish.finish_reason) == ("", "tool_calls")


async def test_done_without_a_finish_reason_is_unconfirmed(ask):
    got = await ask(Script(text="All of it.", finish_reason=None))
    assert (got.text, got.finish.finish_reason) == ("All of it.", None)


async def test_nothing_after_done_is_read(ask):
    junk = event({"content": "a second answer"}) + b"x" * 1_000_000
    got = await ask(Script(raw=[event({"content": "hi"}), STOP + junk, junk]))
    assert got.text == "hi"


@pytest.mark.parametrize("last", [b"", b": still here\n\n", event({}, usage=None)])
async def test_after_the_finish_the_end_is_not_waited_for(ask, up, last):
    finished = event({"content": "hi"}) + event(finish="stop") + last
    got = await ask(Script(raw=[finished, 30.0]))
    assert (got.text, got.finish.finish_reason) == ("hi", "stop")
    await up.until(lambda: up.calls[0].closed_by_client, timeout=1)


@pytest.mark.parametrize("usage", [{}, {"usage": {"prompt_tokens": 4, "completion_tokens": 3}}])
@pytest.mark.parametrize("finish", ["stop", "null"])
async def test_a_finish_reason_with_every_chunk_cuts_nothing_off(ask, make, finish, usage):
    """As some gateways send it: the first is not the end, nor is a pause after the third."""
    words = ["one", " two", " three", " four"]
    chunks = [event({"content": w}, finish=finish, **usage) for w in words]
    chunks[0] = event({"role": "assistant"}, finish="null", **usage) + chunks[0]
    last = event(finish="length", **usage)
    patient = make(linger=0.6)
    pauses = [0.1, 0.05, 0.9, 0.05]
    raw = [piece for pair in zip(chunks, pauses, strict=True) for piece in pair]
    for end in (DONE, b""):
        got = await ask(Script(raw=[*raw, last + end]), by=patient)
        assert (got.text, got.finish.finish_reason) == ("one two three four", "length")
    got = await ask(Script(raw=[*raw, DONE]), by=patient)
    assert got.finish.finish_reason == ("stop" if finish == "stop" else None)


async def test_a_server_that_finishes_with_every_chunk_and_breaks_off_has_not_finished(ask):
    finished = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(event({"content": w}, finish="stop") for w in ("hi", " there"))
    got = await ask(Script(wire=[finished + b"%x\r\n%s\r\n" % (len(body), body)]))
    assert (got.text, got.reason) == ("hi there", Reason.TRUNCATED)


async def test_a_connection_lost_after_the_finish_costs_nothing(ask):
    finished = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = event({"content": "hi"}) + event(finish="stop")
    got = await ask(Script(wire=[finished + b"%x\r\n%s\r\n" % (len(body), body)]))
    assert (got.text, got.finish.finish_reason) == ("hi", "stop")


async def test_an_error_that_is_empty_in_every_chunk_is_none(ask):
    got = await ask(
        Script(raw=[event({"content": w}, error={}) for w in ("Rain ", "falls.")] + [STOP, DONE])
    )
    assert (got.text, got.reason) == ("Rain falls.", None)


CALL = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":'}}]}


@pytest.mark.parametrize("pieces", [
    event({"content": "Rain "}, finish="stop"),  # as with every piece
    event({"content": ""}, finish="stop"),  # and nothing was said
    event(CALL, finish="tool_calls") * 2,
])  # fmt: skip
async def test_an_error_of_an_answer_that_has_not_ended_is_one(ask, pieces):
    failure = b'data: {"error": {"message": "It broke.", "code": 529}}\n\n'
    got = await ask(Script(raw=[pieces + failure + DONE]))
    assert got.reason is not None and "It broke." in got.error.message


@pytest.mark.parametrize("finish", ["stop", "length"])
@pytest.mark.parametrize("failure", [
    b'data: {"error": {"message": "Usage could not be counted.", "code": 500}}\n\n',
    b'event: error\ndata: {"message": "late"}\n\n',
    b"event: error\ndata: late\n\n",
    event(finish="error"),
])  # fmt: skip
async def test_an_error_told_after_the_finish_spoils_nothing(ask, failure, finish):
    finished = event({"content": "hi"}) + event(finish=finish)
    for end in (DONE, b""):
        got = await ask(Script(raw=[finished + failure + end]))
        assert (got.text, got.finish and got.finish.finish_reason) == ("hi", finish)


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_events_without_a_blank_line_between_are_read(ask, size):
    chunks = [*(event({"content": text}) for text in ("Rain ", "is ", "wet.")), STOP]
    stream = b"".join(chunks).replace(b"\n\n", b"\n")
    got = await ask(Script(raw=[stream[n : n + size] for n in range(0, len(stream), size)]))
    assert (got.text, got.finish.finish_reason, got.finish.unreadable) == (
        "Rain is wet.",
        "stop",
        0,
    )


async def test_the_last_event_may_lack_its_blank_line(ask):
    got = await ask(Script(raw=[event({"content": "hi"}), event(finish="stop").strip()]))
    assert (got.text, got.finish.finish_reason) == ("hi", "stop")


@pytest.mark.parametrize(("how", "reason"), [
    ("end", Reason.TRUNCATED), ("truncate", Reason.TRUNCATED), ("reset", Reason.DISCONNECTED),
])  # fmt: skip
async def test_an_answer_cut_short_keeps_its_text_and_is_not_retried(ask, up, how, reason):
    got = await ask(Script(text="one two three four five", cut_after=3, cut=how))
    assert (got.text, got.reason) == ("one two three", reason)
    assert not got.error.retryable
    assert len(up.calls) == 1


async def test_a_connection_lost_after_the_headers_may_have_been_billed(ask):
    got = await ask(Script(text="one", cut_after=0, cut="reset"))
    assert (got.text, got.reason, got.error.retryable) == ("", Reason.DISCONNECTED, False)


async def test_an_error_within_the_stream_keeps_the_text(ask):
    got = await ask(Script(text="one two three", error_after=2, error_message="It broke."))
    assert (got.text, got.reason) == ("one two", Reason.UPSTREAM_ERROR)
    assert got.error.message == "The provider reported an error. It said: It broke."
    assert not got.error.retryable


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b'data: {"error": {"code": "429", "message": "slow down"}}\n\n', Reason.RATE_LIMITED),
        (b'data: {"error": {"code": 402, "message": "x"}}\n\n', Reason.INSUFFICIENT_CREDITS),
        (b'data: {"error": "boom"}\n\n', Reason.UPSTREAM_ERROR),
        (b'event: error\ndata: {"message": "boom"}\n\n', Reason.UPSTREAM_ERROR),
        (b"event: error\ndata: boom\n\n", Reason.UPSTREAM_ERROR),
        (event(finish="error"), Reason.UPSTREAM_ERROR),
        (event(error={"metadata": {"error_type": "refusal"}, "message": "context_length"}),
         Reason.CONTEXT_LENGTH),
    ],
)  # fmt: skip
async def test_errors_in_band_are_errors_whatever_the_status(ask, said, reason):
    got = await ask(Script(raw=[said, STOP]))
    assert (got.reason, got.error.retryable) == (reason, False)


async def test_a_400_within_the_stream_does_not_buy_a_second_answer(ask, up):
    error = event(error={"code": 400, "message": "temperature is unsupported"})
    got = await ask(Script(raw=[event({"content": "hi"}), error]), temperature=0.5)
    assert (got.text, got.reason, len(up.calls)) == ("hi", Reason.BAD_REQUEST, 1)


async def test_a_few_unreadable_chunks_are_passed_over(ask):
    bad = b"data: {broken\n\n"
    got = await ask(Script(raw=[event({"content": "a"}), bad * 3, event({"content": "b"}), STOP]))
    assert (got.text, got.finish.unreadable) == ("ab", 3)


async def test_many_unreadable_chunks_end_the_answer_with_its_text(ask):
    got = await ask(Script(raw=[event({"content": "a"}), b"data: {broken\n\n" * 4, STOP]))
    assert (got.text, got.reason) == ("a", Reason.BAD_RESPONSE)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": -5, "completion_tokens": "7"}, Usage()),
        ({"prompt_tokens": 10**12, "completion_tokens": 7}, Usage(output_tokens=7)),
        ({"prompt_tokens": 9, "completion_tokens": 7,
          "prompt_tokens_details": {"cached_tokens": 99}}, Usage(9, 7, cached_tokens=9)),
        ({"prompt_tokens": 9, "completion_tokens": 7,
          "completion_tokens_details": {"reasoning_tokens": 3}}, Usage(9, 7, reasoning_tokens=3)),
        ({"prompt_tokens": True, "completion_tokens": None, "prompt_tokens_details": []}, Usage()),
        ({"prompt_tokens": 1e30, "completion_tokens": 7.5}, Usage()),
        ({"prompt_tokens": 9.0, "completion_tokens": 7.0}, Usage(9, 7)),
    ],
)  # fmt: skip
async def test_usage_that_cannot_be_is_unknown(ask, usage, expected):
    got = await ask(Script(usage=usage))
    assert got.finish.usage == expected


async def test_usage_in_every_chunk_is_not_summed(ask):
    chunks = [
        event({"content": "x"}, usage={"prompt_tokens": 5, "completion_tokens": n}) for n in (1, 2)
    ]
    got = await ask(Script(raw=[*chunks, STOP]))
    assert got.finish.usage == Usage(5, 2)


async def test_no_usage_is_unknown_not_zero(ask):
    assert (await ask(Script(usage={}))).finish.usage == Usage()
