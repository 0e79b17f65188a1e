"""U-17 … U-27: server-sent events as the standard allows, and as it does not."""

from __future__ import annotations

from console.engine.errors import Reason
from tests.upstream import Script
from tests.upstream.sse import DONE, STOP, data, event, text

from .scenario import Scenario, completed, cost, good

STRANGE = "a\u2028b\u2029c\u0085d\x0be\x1cf g"
COUNT = event(finish="stop") + data(
    {"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}
)
END = COUNT + DONE
STREAM = text("one") + text(" two") + END
EMOJI = "\U0001f600 two"


def raw(*pieces: bytes | float) -> Script:
    return Script(raw=pieces)


def one_by_one(body: bytes) -> Script:
    return raw(*(body[i : i + 1] for i in range(len(body))))


def intact(id: str, title: str, script: Script, said: str = "one two", **more: object) -> Scenario:
    """However it is framed: the text is whole, and counted as the upstream counts it."""
    usage = {"usage": {"input_tokens": 4, "output_tokens": 2}, "cost": cost(2)}
    return completed(id, title, script, said, **usage | more)  # type: ignore[arg-type]


def uncounted(id: str, title: str, script: Script, said: str, **more: object) -> Scenario:
    return completed(id, title, script, said, **{"usage": {}, "cost": None} | more)  # type: ignore[arg-type]


def escaped(content: str) -> bytes:
    """Raw in UTF-8 but for what JSON must escape."""
    return data({"choices": [{"index": 0, "delta": {"content": content}}]}, ascii=False)


def failed(title: str, script: Script, said: str, *sees: str, **more: object) -> Scenario:
    return Scenario(
        "U-23",
        title,
        script,
        sees=("failed", *sees),
        reason=Reason.UPSTREAM_ERROR,
        text=said,
        **more,  # type: ignore[arg-type]
    )


ODD = [
    {"choices": None},
    {"choices": []},
    {},
    {"choices": [{"content_filter_results": {}, "prompt_filter_results": []}]},
]
ODDER = [
    {"choices": [{"finish_reason": None}]},
    {"choices": [{"delta": None}]},
    {"choices": [{"delta": {"content": 7, "new": {"x": [1]}}}], "surprise": True},
    {"choices": [{"index": 7, "delta": {"content": "of another answer"}}]},
    {"choices": "many", "model": 5, "id": {}},
]

TABLE = [
    intact(
        "U-17",
        "U+2028, U+2029, U+0085, U+000B and U+001C within the text",
        raw(escaped(STRANGE) + END),
        STRANGE,
        usual=True,
    ),
    intact("U-61", "events without a blank line between", raw(STREAM.replace(b"\n\n", b"\n"))),
    intact("U-18", "one byte at a time", one_by_one(text("one two") + END), usual=True),
    intact("U-18", "cut within an emoji", one_by_one(escaped(EMOJI) + END), EMOJI),
    intact(
        "U-18",
        "cut within \\r\\n and within data:",
        one_by_one((text("one two") + END).replace(b"\n", b"\r\n")),
    ),
    intact(
        "U-18",
        "an emoji's two halves in two deltas",
        raw(text("\ud83d") + text("\ude00 two") + END),
        EMOJI,
        usual=True,
    ),
    intact("U-18", "half an emoji", raw(text("a\ud83d") + text(" b") + END), "a\ufffd b"),
    *(
        intact("U-19", f"lines end in {name}", raw(STREAM.replace(b"\n", by)))
        for name, by in (("CRLF", b"\r\n"), ("CR", b"\r"))
    ),
    intact(
        "U-19",
        "lines end now so, now so",
        raw(text("one").replace(b"\n", b"\r") + text(" two").replace(b"\n", b"\r\n") + END),
        usual=True,
    ),
    intact("U-19", "a byte order mark comes first", raw(b"\xef\xbb\xbf" + STREAM)),
    intact("U-19", "no space after data:", raw(STREAM.replace(b"data: ", b"data:"))),
    intact("U-19", "data without a colon", raw(b"data\n\n" + STREAM)),
    intact(
        "U-20",
        "a chunk over several data lines",
        raw(b'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "one two"}}]}\n\n' + END),
        usual=True,
    ),
    intact("U-20", "10,000 comments", raw(b": OPENROUTER PROCESSING\n:\n\n" * 5_000 + STREAM)),
    intact(
        "U-20",
        "lines of event, id and retry",
        raw(b"retry: 10\nid: 7\nevent: message\n" + STREAM),
    ),
    intact(
        "U-20",
        "comments for half a second before the first word",
        raw(*[b": OPENROUTER PROCESSING\n\n", 0.05] * 8, STREAM),
        waits=0.4,
        usual=True,
    ),
    intact(
        "U-20",
        "comments for longer than a silence may last, before the first word and in the middle",
        raw(
            *[b": OPENROUTER PROCESSING\n\n", 0.1] * 12,
            text("one"),
            *[event({"content": ""}), 0.1] * 12,
            text(" two") + END,
        ),
        waits=2.2,
        usual=True,
    ),
    intact("U-21", "no [DONE], the connection stays open", raw(text("one two") + COUNT, 30.0),
           usual=True),
    uncounted(
        "U-21",
        "no [DONE] and no usage, the connection stays open",
        raw(text("one two") + event(finish="stop"), 30.0),
        "one two",
        waits=4,
    ),
    intact("U-21", "no [DONE], the connection ends", raw(text("one two") + COUNT)),
    intact(
        "U-22",
        "a second answer and 1 MB of junk after [DONE]",
        raw(STREAM + text(" a second answer") + STOP + b"x" * 1_000_000),
        usual=True,
    ),
    failed(
        "an error object first of all, with status 200",
        good(error_after=0, error_message="It broke."),
        "",
        "It broke.",
        usual=True,
    ),
    failed(
        "an error object after two words",
        good("one two three", error_after=2, error_message="It broke."),
        "one two",
        "It broke.",
        "The 2 words it wrote are kept",
        usual=True,
    ),
    failed(
        "finish_reason: error after two words",
        raw(text("one two") + event(finish="error") + DONE),
        "one two",
        "The provider reported an error.",
    ),
    failed(
        "event: error after two words",
        raw(text("one two") + b'event: error\ndata: {"message": "It broke."}\n\n'),
        "one two",
        "It broke.",
    ),
    completed(
        "U-24",
        "[DONE] without a finish_reason",
        good("one two", finish_reason=None),
        "one two",
        sees=("done", "ended without a finish mark"),
        usual=True,
    ),
    intact(
        "U-25",
        "choices null, empty, missing, or a filter's report only",
        raw(b"".join(data(odd) for odd in ODD) + STREAM),
        usual=True,
    ),
    intact(
        "U-26",
        "choices without delta, with numbers, of another index",
        raw(text("one") + b"".join(data(odd) for odd in ODDER) + text(" two") + END),
        usual=True,
    ),
    intact(
        "U-26",
        "content as a list of parts",
        raw(text([{"type": "text", "text": "one"}, " two", {"type": "image"}]) + END),
    ),
    intact(
        "U-26",
        "two answers interleaved",
        raw(*(
            data({"choices": [
                {"index": 1, "delta": {"content": f"other {word}"}},
                {"index": 0, "delta": {"content": word}},
            ]})
            for word in ("one", " two")
        ), END),
    ),
    intact(
        "U-27",
        "three chunks of invalid JSON among good ones",
        raw(text("one") + b"data: {broken\n\n" * 3 + text(" two") + END),
        sees=("done", "3 pieces of it could not be read"),
        usual=True,
    ),
    Scenario(
        "U-27",
        "100 chunks of invalid JSON after two words",
        raw(text("one two") + b"data: {broken\n\n" * 100 + STOP),
        sees=("failed", "sent something that is not an answer", "The 2 words it wrote are kept"),
        reason=Reason.BAD_RESPONSE,
        text="one two",
        usual=True,
    ),
]  # fmt: skip
