"""U-11 … U-13, U-37, U-39, U-40: a body that is not what was asked for."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache

from console.engine.errors import Reason
from tests.upstream import Script
from tests.upstream.sse import DONE, text

from .connection import STREAM, TWO_WORDS
from .scenario import Scenario, completed, good

HTML = "<!doctype html><h1>Just a moment…</h1><script>alert(1)</script>" + "x" * 1_000_000
PAIR = {"usage": {"input_tokens": 4, "output_tokens": 2}}


@cache
def bomb() -> bytes:
    """200 MB of nothing in 194 KB."""
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(200))
    return packed + packer.flush()


def compressed(title: str, body: bytes, coding: str, **more: object) -> Scenario:
    return Scenario(
        "U-37",
        title,
        Script(body=body, headers={"Content-Encoding": coding}, content_type="text/event-stream"),
        sees=("failed", "compressed data that was not asked for"),
        reason=Reason.BAD_RESPONSE,
        **more,  # type: ignore[arg-type]
    )


TABLE = [
    Scenario(
        "U-11",
        "502 with a page of HTML, 1 MB",
        Script(status=502, body=HTML, content_type="text/html"),
        sees=("failed", "unexpected HTML"),
        reason=Reason.UPSTREAM_ERROR,
        calls=3,
        usual=True,
    ),
    Scenario(
        "U-11",
        "200 with a page of HTML, 1 MB",
        Script(body=HTML, content_type="text/html"),
        sees=("failed", "unexpected HTML"),
        reason=Reason.BAD_RESPONSE,
        usual=True,
    ),
    Scenario(
        "U-12",
        "200 with an empty body",
        Script(body=""),
        sees=("empty", "The model returned an empty answer."),
        reason=Reason.EMPTY,
        usual=True,
    ),
    Scenario(
        "U-12",
        "200 with nothing but [DONE]",
        Script(raw=[DONE]),
        sees=("empty", "The model returned an empty answer."),
        reason=Reason.EMPTY,
    ),
    Scenario(
        "U-13",
        "204",
        Script(status=204, body=""),
        sees=("empty", "The model returned an empty answer."),
        reason=Reason.EMPTY,
        usual=True,
    ),
    completed(
        "U-13",
        "100 and 103 before the answer",
        Script(wire=[
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
            STREAM + b"Content-Length: %d\r\n\r\n" % len(TWO_WORDS) + TWO_WORDS,
        ]),
        "one two",
        usual=True,
    ),
    completed(
        "U-13",
        "one JSON document instead of a stream",
        Script(body=json.dumps({
            "choices": [{
                "message": {"role": "assistant", "content": "one two"}, "finish_reason": "stop"
            }],
            "usage": {"prompt_tokens": 4, "completion_tokens": 2},
        })),
        "one two",
        usual=True,
    ),
    compressed("gzip", gzip.compress(TWO_WORDS), "gzip", usual=True),
    compressed("deflate", zlib.compress(TWO_WORDS), "deflate"),
    compressed("br (the label is wrong)", TWO_WORDS, "br"),
    compressed("zstd (the label is wrong)", TWO_WORDS, "zstd"),
    compressed("gzip twice", gzip.compress(gzip.compress(TWO_WORDS)), "gzip, gzip"),
    compressed("a bomb: 194 KB that become 200 MB", bomb(), "gzip", peak_mib=20, usual=True),
    Scenario(
        "U-37",
        "gzip without a label",
        Script(body=gzip.compress(TWO_WORDS), content_type="text/event-stream"),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
    ),
    Scenario(
        "U-39",
        "10,000 headers",
        Script(wire=[STREAM + b"X-Header: 1234567890\r\n" * 10_000 + b"\r\n" + TWO_WORDS]),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
        usual=True,
    ),
    Scenario(
        "U-39",
        "a header of 1 MB",
        Script(wire=[STREAM + b"X-A: " + b"1" * 1_000_000 + b"\r\n\r\n" + TWO_WORDS]),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
    ),
    Scenario(
        "U-39",
        "a bare line break within a header",
        Script(wire=[STREAM + b"X-A: 1\r\nnot a header\r\n\r\n" + TWO_WORDS]),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
    ),
    completed(
        "U-39",
        "cookies are set",
        good("one two", headers={"Set-Cookie": "spy=1; Path=/"}),
        "one two",
        usual=True,
    ),
    completed(
        "U-40",
        "a good stream labelled as HTML",
        good("one two", content_type="text/html"),
        "one two",
        usual=True,
    ),
    Scenario(
        "U-40",
        "an error as JSON, labelled as a stream with status 200",
        Script(body='{"error": {"message": "Not today."}}', content_type="text/event-stream"),
        sees=("failed", "Not today."),
        reason=Reason.UPSTREAM_ERROR,
        usual=True,
    ),
    Scenario(
        "U-40",
        "plain text labelled as a stream",
        Script(body="Hello there", content_type="text/event-stream"),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
    ),
    Scenario(
        "U-40",
        "a server of another protocol",
        Script(wire=[b"SSH-2.0-OpenSSH_9.2\r\n\r\n"]),
        sees=("failed", "The provider sent something that is not an answer."),
        reason=Reason.BAD_RESPONSE,
    ),
    Scenario(
        "U-15",
        "a chunk whose size is no number",
        Script(wire=[
            STREAM + b"Transfer-Encoding: chunked\r\n\r\n",
            b"%x\r\n%s\r\n" % (len(text("one")), text("one")), 0.1, b"not a size\r\n",
        ]),
        sees=("failed", "The provider sent something that is not an answer.", "word it wrote"),
        reason=Reason.BAD_RESPONSE,
        text="one",
    ),
    Scenario(
        "U-15",
        "the same, in one piece with good text",
        Script(wire=[
            STREAM + b"Transfer-Encoding: chunked\r\n\r\n", 0.1,
            b"%x\r\n%s\r\nnot a size\r\n" % (len(text("one")), text("one")),
        ]),
        sees=("failed", "The provider sent something that is not an answer.", "word it wrote"),
        reason=Reason.BAD_RESPONSE,
        text="one",
    ),
]  # fmt: skip
