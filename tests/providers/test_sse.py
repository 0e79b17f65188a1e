"""The parser of server-sent events: any cutting of the same bytes gives the same events."""

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.providers.wire.sse import Parser, ServerSentEvent


def parsed(*pieces, limit=1024 * 1024):
    parser = Parser(limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.close(), parser.overflowed


def data_of(*pieces):
    return [event.data for event in parsed(*pieces)[0]]


soup = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [b"data: ", b"data:", b"data", b"event: error", b":", b": comment", b"id: 1"]
            + [b"\n", b"\r", b"\r\n", b"\n\n", b"\xef\xbb\xbf", "\u2028\U0001f600".encode(), b"x"]
        ),
    ),
    max_size=40,
).map(b"".join)


@given(stream=soup, cuts=st.lists(st.integers(0, 300), max_size=20), limit=st.sampled_from([4, 99]))
def test_any_cutting_gives_the_same_events(stream, cuts, limit):
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    whole = parsed(stream, limit=limit)
    assert parsed(*pieces, limit=limit) == whole
    assert parsed(*(bytes([byte]) for byte in stream), limit=limit) == whole


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1), min_size=1
    )
)
def test_what_was_sent_is_what_arrives(texts):
    for end in ("\n", "\r", "\r\n"):
        stream = "".join(f"data: {text}{end}{end}" for text in texts).encode()
        assert data_of(stream) == texts


EXAMPLES = 20_000 if os.environ.get("FUSION_LONG_TESTS") == "1" else 2_000
PIECES = [
    *(b"data: ", b"data:", b"data", b"event: error", b"event", b"id: 1", b"retry:", b"dat"),
    *(b":", b": comment", b" ", b"{", b"x", b"\xff", b"\xe2\x80", b"\0", b"[DONE]"),
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\n\r", b"\xef\xbb\xbf", b"\xef\xbb"),
    *("\u2028".encode(), "\x85".encode(), "\U0001f600".encode(), b"\x0b", b"\x1c"),
]


def by_the_letter(stream: bytes) -> Iterator[ServerSentEvent]:
    """The standard's rules, one character after the other; at the end a blank line more, and
    an event whose data is empty is one."""
    data: list[bytes] = []
    name = b""
    line = b""
    if stream.startswith(b"\xef\xbb\xbf"):
        stream = stream[3:]
    for at in range(len(stream) + 2):
        character = stream[at : at + 1] or b"\n"
        if character == b"\n" and stream[at - 1 : at] == b"\r" and 0 < at < len(stream):
            continue
        if character not in (b"\r", b"\n"):
            line += character
            continue
        if not line:
            if data:
                texts = (text.decode("utf-8", "replace") for text in data)
                yield ServerSentEvent("\n".join(texts), name.decode("utf-8", "replace"))
            data, name = [], b""
        colon = line.find(b":")
        field, value = (line, b"") if colon < 0 else (line[:colon], line[colon + 1 :])
        if value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
        line = b""


def test_twenty_thousand_streams_are_read_by_the_letter_however_they_are_cut():
    for number in range(EXAMPLES):
        chance = random.Random(number)
        stream = b"".join(chance.choices(PIECES, k=chance.randrange(40)))
        edges = sorted(chance.choices(range(len(stream) + 1), k=chance.randrange(12)))
        edges = [0, *edges, len(stream)]
        pieces = [stream[a:b] for a, b in zip(edges, edges[1:], strict=False)]
        said = list(by_the_letter(stream))
        assert parsed(*pieces) == (said, False), (number, pieces)
        assert parsed(*(bytes([byte]) for byte in stream)) == (said, False), (number, stream)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data\n\n", [""]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b": comment\n:\n\ndata: a\nid: 1\nretry: 5\nother: x\n\n", ["a"]),
        (b"event: ping\n\ndata: a\n\n", ["a"]),
        (
            "data: a\u2028b\u2029c\u0085d\x0be\x1cf\n\n".encode(),
            ["a\u2028b\u2029c\u0085d\x0be\x1cf"],
        ),
        (b"data: \xff\xfe\n\n", ["\ufffd\ufffd"]),
        (b"data: a\n\ndata: unfinished", ["a", "unfinished"]),
    ],
)
def test_lines_and_fields(stream, expected):
    assert data_of(stream) == expected


def test_the_name_of_an_event_is_kept_until_its_end_only():
    events, _ = parsed(b"event: error\ndata: a\n\ndata: b\n\n")
    assert events == [ServerSentEvent("a", "error"), ServerSentEvent("b")]


@pytest.mark.parametrize(
    "long", [b"data: " + b"x" * 100, b"data: 12345678901\n" * 10, b":" + b"x" * 100]
)
def test_what_is_too_long_is_dropped_and_said_so(long):
    parser = Parser(limit=50)
    events = parser.feed(long + b"\n\ndata: after\n\n")
    assert [event.data for event in events] == ["after"]
    assert parser.overflowed


def test_a_line_without_end_takes_no_memory():
    parser = Parser(limit=1000)
    for _ in range(1000):
        assert parser.feed(b"x" * 1000) == []
    assert len(parser._tail) <= 1000


def one_a_line(*said: str, end: str = "\n") -> bytes:
    return "".join(f"data: {data}{end}" for data in said).encode()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    "said",
    [
        ['{"a": 1}', '{"b": 2}', "[DONE]"],
        ['{"a": 1}', "[DONE]"],
        ['{"a": 1}', '{"a": {}}', '{"a": "\u2028"}'],
    ],
)
def test_whole_documents_with_no_blank_line_between_are_events_of_their_own(said, end):
    stream = one_a_line(*said, end=end)
    assert data_of(stream) == data_of(*(bytes([byte]) for byte in stream)) == said
    # Blank lines here and there change nothing.
    first, *others = said
    assert data_of(f"data: {first}{end}{end}".encode() + one_a_line(*others, end=end)) == said


def test_they_are_read_as_they_come():
    parser = Parser()
    assert parser.feed(one_a_line('{"a": 1}')) == []  # its blank line may follow
    told = parser.feed(one_a_line('{"b": 2}'))
    assert [event.data for event in told] == ['{"a": 1}', '{"b": 2}']
    assert [event.data for event in parser.feed(one_a_line("[DONE]"))] == ["[DONE]"]
    assert parser.close() == []


@pytest.mark.parametrize(
    "lines",
    [["{", '"a": 1', "}"], ['{"a":', "1}"], ["x", '{"a": 1}'], ['{"a": 1}', ""], ["1", "2"],
     ["[", "[DONE]", "]"], ['{"a": 1}', "x"], ["", '{"a": 1}'], ['{"a": 1', '{"b": 2}']],
)  # fmt: skip
def test_an_event_of_several_lines_stays_one(lines):
    assert data_of(one_a_line(*lines) + b"\n") == ["\n".join(lines)]


def test_the_name_of_an_event_goes_with_the_line_before_the_next():
    stream = b'event: error\ndata: {"a": 1}\ndata: {"b": 2}\n\n'
    events, _ = parsed(stream)
    assert [(e.event, e.data) for e in events] == [("error", '{"a": 1}'), ("", '{"b": 2}')]
