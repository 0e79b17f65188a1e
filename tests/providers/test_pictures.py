"""Pictures beside a text and within it: a mark stands for them, and their bytes go nowhere."""

from __future__ import annotations

import base64
import functools
import json
import random

import pytest

from console.engine.errors import Reason
from console.providers.wire.pictures import KEPT, PictureMarks, Shortened, size_of
from tests.growth import BOUND, growth
from tests.upstream import Script
from tests.upstream.sse import STOP, event

PNG = "data:image/png;base64,"
BYTES = random.Random(7).randbytes(180_000)
LONG = base64.b64encode(BYTES).decode()
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
)
MARK = "[picture: PNG, 180 kB]"


def marked(text, size):
    marks = PictureMarks()
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    return "".join(map(marks.take, pieces)) + marks.end()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Here: ![rain]({PNG}{LONG}) done", f"Here: {MARK} (rain) done"),
        (f"Here: ![]({PNG}{LONG}) done", f"Here: {MARK} done"),
        (f"Here: {PNG}{LONG} done", f"Here: {MARK} done"),
        (f'<img src="{PNG}{LONG}" alt="x">', f'<img src="{MARK}" alt="x">'),
        (f'![a](<{PNG}{LONG}> "rain")![b]({PNG}{LONG})', f"{MARK} (a){MARK} (b)"),
        (f"![a]({PNG}{LONG}", MARK + " (a)"),
        (f"`{PNG}{LONG}`", f"`{MARK}`"),
        (f"[link]({PNG}{LONG})", f"[link]({MARK})"),
        (f"![rain]({PNG}{PIXEL}) done", "[picture: PNG, 69 bytes] (rain) done"),
        (f"![rain]({PNG}AAAA)", "[picture: PNG, 3 bytes] (rain)"),
        ("![s](data:image/svg+xml,%3Csvg%3E)", "[picture: SVG, 9 bytes] (s)"),
        (f"data:audio/wav;base64,{LONG}!", "[recording: WAV, 180 kB]!"),
        (f"data:application/pdf;base64,{LONG}!", "[file: PDF, 180 kB]!"),
        (f"DATA:image/jpeg;charset=x;BASE64,{LONG}", "[picture: JPEG, 180 kB]"),
    ],
)
def test_a_mark_stands_where_a_picture_stood(text, expected):
    assert {marked(text, size) for size in (1, 2, 3, 7, 1000, 10**6)} == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "Rain is wet. And data: none.",
        "![rain](https://a.example/rain.png) ![](rain.png) ![x] ![y",
        f"An image of one pixel is `{PNG}{PIXEL}`.",
        f'```css\nbackground: url("{PNG}{PIXEL}")\n```\n',
        "```css\nurl(data:image/svg+xml,%3Csvg xmlns='x'%3E%3C/svg%3E)\n```",
        f"![not closed]({PNG}{PIXEL}",
        f"![with a space]({PNG}AAAA BBBB)",
        f"metadata:image/png;base64,{'A' * 3000}",
        "data:;base64,AAAA",
        f"{PNG}AAAA#1#2#3",
        "!d!da!dat!data!data:!data:i ![![[![](d![a](da",
        "x" * 5000,
        "![" + "a" * 400 + f"]({PNG}AAAA)",
        "",
    ],
)
def test_other_text_stays(text):
    assert {marked(text, size) for size in (1, 2, 3, 7, 1000, 10**6)} == {text}


@pytest.mark.parametrize(
    "unit", ["![", "![a](", f"![a]({PNG}", "data:", PNG, "!d", LONG[:3000], f"![a]({PNG}AAAA) "]
)
@pytest.mark.parametrize("before", ["", PNG, f"![a]({PNG}"])
@pytest.mark.parametrize("size", [11, 10**6])
def test_no_text_makes_it_slow(unit, before, size):
    def prepare(length):
        return functools.partial(marked, before + unit * (length // len(unit)), size)

    assert growth(prepare, 15_000) < BOUND


def shortened(body, *sizes):
    """What every cutting comes to, which is one."""
    outcomes = set()
    for size in sizes or (1, 2, 7, 1000, KEPT, 10**7):
        parser = Shortened()
        outcomes.add(b"".join(parser.feed(body[n : n + size]) for n in range(0, len(body), size)))
    assert len(outcomes) == 1
    return outcomes.pop()


@pytest.mark.parametrize(
    "of",
    [
        lambda payload: {"images": [{"image_url": {"url": PNG + payload}}]},
        lambda payload: {"inline_data": {"mime_type": "image/png", "data": payload}},
        lambda payload: {"b64_json": payload},
        lambda payload: {"content": f"Here: ![rain]({PNG}{payload}) done"},
        lambda payload: {"content": f'<img src="{PNG}{payload}">'},
    ],
)
def test_a_body_keeps_the_beginning_of_a_picture_and_its_size(of):
    body = json.dumps(of(LONG)).encode()
    short = shortened(body)
    assert len(short) < KEPT + 200
    left_out = len(LONG) - KEPT
    assert json.loads(short) == json.loads(json.dumps(of(f"{LONG[:KEPT]}#{left_out}")))
    assert size_of(f"{LONG[:KEPT]}#{left_out}") in (len(BYTES), len(BYTES) + 1)


def test_escaped_base64_stays_json():
    """As PHP escapes slashes, and as some break it into lines."""
    lines = "\n".join(LONG[n : n + 76] for n in range(0, len(LONG), 76))
    for body in (json.dumps({"b64": LONG}).replace("/", "\\/"), json.dumps({"b64": lines})):
        short = json.loads(shortened(body.encode(), 1, 2, 7, 1000, 10**7))
        assert short["b64"][:1000] == json.loads(body)["b64"][:1000]
        assert len(short["b64"]) < KEPT + 10


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"content": "x" * 100_000}).encode(),
        json.dumps({"reasoning": "x" * 100_000, "arguments": "y" * 100_000}).encode(),
        json.dumps({"data": "not base64 " * 10_000}).encode(),
        json.dumps({"data": LONG[:KEPT]}).encode(),
        json.dumps({"url": PNG + PIXEL}).encode(),
        b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n' * 1000,
        b"",
    ],
)
def test_a_body_without_long_base64_stays_as_it_is(body):
    assert shortened(body, 7, 1000, 10**7) == body


# over the wire


async def test_a_picture_beside_the_text_does_not_cut_it_off(ask):
    picture = {"type": "image_url", "image_url": {"url": PNG + LONG * 7}}
    beside = event({"content": "", "images": [picture]})
    assert len(beside) > 1_600_000
    got = await ask(
        Script(raw=[event({"content": "Rain "}), beside, event({"content": "is wet."}), STOP])
    )
    assert (got.text, got.finish.finish_reason) == ("Rain is wet.", "stop")


async def test_a_reply_in_one_piece_may_hold_a_large_picture(ask):
    message = {"content": "Rain is wet.", "images": [{"image_url": {"url": PNG + LONG * 40}}]}
    whole = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    assert len(whole) > 9_000_000
    got = await ask(Script(body=whole))
    assert (got.text, got.finish.finish_reason) == ("Rain is wet.", "stop")


@pytest.mark.parametrize("size", [5000, 10**6])
async def test_a_picture_within_the_text_is_a_mark(ask, size):
    text = f"Here: ![rain]({PNG}{LONG}) done"
    got = await ask(Script(deltas=[text[n : n + size] for n in range(0, len(text), size)]))
    assert got.text == f"Here: {MARK} (rain) done"
    got = await ask(Script(text="x", reasoning=text))
    assert got.reasoning == f"Here: {MARK} (rain) done"


async def test_pictures_without_end_are_cut_off(ask, make):
    provider = make(pictures=500_000)
    endless = [event({"content": PNG}), *[event({"content": LONG})] * 5, STOP]
    got = await ask(Script(raw=endless), by=provider)
    assert (got.text[:13], got.reason) == ("[picture: PNG", Reason.TOO_LARGE)
    url = event({"images": [{"image_url": {"url": PNG + LONG * 5}}]})
    got = await ask(Script(raw=[event({"content": "hi"}), url, STOP]), by=provider)
    assert (got.text, got.reason) == ("hi", Reason.TOO_LARGE)


async def test_other_lines_are_as_long_as_they_were(ask):
    long = event({"images": [{"caption": "not base64 " * 100_000}]})
    got = await ask(Script(raw=[event({"content": "hi"}), long, STOP]))
    assert (got.text, got.reason) == ("hi", Reason.TOO_LARGE)


DATA = "data:image/png;base64,AAAA"
AS_PNG = {"type": "image/png", "bytes": 3}


@pytest.mark.parametrize(
    ("message", "attachments"),
    [
        ({"images": [{"type": "image_url", "image_url": {"url": DATA}}]}, [AS_PNG]),
        ({"images": [{"image_url": DATA}]}, [AS_PNG]),
        ({"images": [{"url": DATA}, {"b64_json": "/9j/AAAA"}]},
         [AS_PNG, {"type": "image/jpeg", "bytes": 6}]),
        ({"images": [DATA]}, []),
        ({"content": [{"type": "image_url", "image_url": {"url": DATA}}]}, [AS_PNG]),
        ({"content": [{"type": "image", "source": {"media_type": "image/png", "data": "AAAA"}}]},
         [AS_PNG]),
        ({"content": [{"type": "output_image", "data": "AAAA"}]}, [{"type": "image", "bytes": 3}]),
        ({"content": [{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]}, [AS_PNG]),
        ({"content": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}, [AS_PNG]),
        ({"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}, [AS_PNG]),
        ({"images": [{"image_url": {"url": "https://a.example/x.png"}}]},
         [{"type": "image", "url": "https://a.example/x.png"}]),
        ({"images": [{"image_url": {"url": "https://user@a.example/"}}]}, [{"type": "image"}]),
        ({"audio": {"data": "AAAA"}}, [{"type": "audio", "bytes": 3}]),
        ({"content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]},
         [{"type": "audio/wav", "bytes": 3}]),
        ({"content": [{"type": "file", "file": {"file_data": "JVBERi0AAAAA"}}]},
         [{"type": "application/pdf", "bytes": 9}]),
        ({"images": [{"image_url": {"url": f"data:image/png;base64,{LONG}"}}]},
         [{"type": "image/png", "bytes": len(BYTES)}]),
        ({"images": None, "audio": None, "content": [5, None, {"type": "image"}, []]}, []),
        ({"images": [{"images": [{"images": [{"images": [{"url": DATA}]}]}]}]}, []),
        ({"images": {"url": 7}, "image": {}, "parts": "x"}, []),
    ],
)  # fmt: skip
async def test_what_comes_beside_the_text_is_noted_and_not_kept(ask, message, attachments):
    for raw in ([event(message), event(message), STOP], [event(message), STOP]):
        got = await ask(Script(raw=raw))
        noted = [one | {"bytes": one.get("bytes")} for one in got.finish.attachments]
        if "audio" in message and len(raw) > 2:  # sound comes in pieces
            noted = [{**one, "bytes": one["bytes"] and one["bytes"] // 2} for one in noted]
        expected = [one | {"bytes": one.get("bytes")} for one in attachments]
        assert noted == expected
        assert (got.text, got.reasoning) == ("", "")
    whole = {"choices": [{"message": message, "finish_reason": "stop"}]}
    got = await ask(Script(body=json.dumps(whole)))
    assert list(got.finish.attachments) == attachments


async def test_the_words_of_a_recording_are_the_text(ask):
    said = ("Rain ", "is wet.")
    pieces = [event({"audio": {"data": "AAAA", "transcript": word}}) for word in said]
    got = await ask(Script(raw=[*pieces, STOP]))
    assert (got.text, got.finish.attachments) == ("Rain is wet.", ({"type": "audio", "bytes": 6},))


@pytest.mark.parametrize(
    ("message", "within"),
    [
        ({"content": "x", "images": [{"type": "image_url", "image_url": {"url": PNG + LONG}}]}, ""),
        ({"content": [{"type": "image_url", "image_url": {"url": PNG + LONG}}]}, ""),
        ({"parts": [{"inlineData": {"mimeType": "image/png", "data": LONG}}]}, ""),
        ({"content": f"Here: ![rain]({PNG}{LONG}) done"}, "rain"),
        ({"images": [{"image_url": PNG + PIXEL}]}, ""),
    ],
)
async def test_a_small_picture_is_handed_on_whole(ask, message, within):
    sent = base64.b64decode(PIXEL if PIXEL in str(message) else LONG)
    whole = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    for script in (
        Script(raw=[event(message), STOP]),
        Script(raw=[event(message).replace(b"/", b"\\/"), STOP]),
        Script(body=whole),
    ):
        got = await ask(script)
        [picture] = got.finish.pictures
        noted = got.finish.attachments[picture.place]
        assert (base64.b64decode(picture.base64), noted["type"]) == (sent, "image/png")
        assert noted.get("alt", "") == within and "pictures" not in got.finish.to_dict()


async def test_what_is_too_large_or_too_many_is_said(ask):
    large = {"images": [{"image_url": PNG + LONG * 30}]}
    got = await ask(Script(raw=[event(large), STOP]))
    assert got.finish.pictures == () and got.finish.attachments[0]["why"] == "larger than 5 MB"
    many = [{"image_url": f"{PNG}{chr(65 + n)}{LONG[1:]}"} for n in range(10)]
    got = await ask(Script(raw=[event({"images": many}), STOP]))
    assert [p.place for p in got.finish.pictures] == [*range(8)]
    assert [one.get("why", "")[:4] for one in got.finish.attachments[7:]] == ["", "more", "more"]
