"""What a message says: a text, or a list of parts."""

import pytest

from console.engine.calls.limits import Reserved, reserve
from console.engine.calls.window import excess, tokens_in
from console.engine.content import parts_of, text_of
from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request
from console.engine.spec import Panelist, Policy
from console.engine.state import CallStatus
from console.engine.steps.material import prompt_text

WHY = {"type": "text", "text": "Why?"}
FILE = {"type": "file", "hash": "9f2b"}
SOURCE = {"type": "source", "number": 2}

KNOWN = [
    ("Why?", "Why?", ["text"]),
    ("", "", []),
    (None, "", []),
    ([], "", []),
    ([WHY], "Why?", ["text"]),
    ([WHY, {"type": "text", "text": "And how?"}], "Why?\nAnd how?", ["text", "text"]),
    ([WHY, FILE], "Why?\n[file 9f2b]", ["text", "file"]),
    ([SOURCE, WHY], "[source 2]\nWhy?", ["source", "text"]),
]
UNKNOWN = [
    ([WHY, {"type": "video", "hash": "9f2b"}], "Why?\n[a part of type “video”]"),
    ([{"type": "text"}], "[a part of type “text”]"),
    ([{"type": "text", "text": 7}], "[a part of type “text”]"),
    ([{"type": "text", "text": "Why?", "cache": True}], "[a part of type “text”]"),
    ([{"type": "file", "hash": "9f2b", "data": "aGk="}], "[a part of type “file”]"),
    ([{"type": "source", "number": True}], "[a part of type “source”]"),
    ([{"type": "video", "": "9f2b"}], "[a part of type “video”]"),
    ([{"type": ["text"], "text": "Why?"}], "[a part without a type]"),
    (["Why?"], "[a part without a type]"),
    (WHY, "Why?"),
    (7, "[a part without a type]"),
]


@pytest.mark.parametrize(("content", "text", "types"), KNOWN)
def test_text_and_parts_are_read_alike(content, text, types):
    assert text_of(content) == text
    assert [part["type"] for part in parts_of(content)] == types


@pytest.mark.parametrize(("content", "text"), UNKNOWN)
def test_what_is_not_known_is_named_to_whoever_reads_and_refused_to_whoever_sends(content, text):
    assert text_of(content) == text
    with pytest.raises(ProviderError) as refused:
        parts_of(content)
    assert refused.value.reason is Reason.BAD_REQUEST and not refused.value.retryable


@pytest.mark.parametrize(("content", "text"), [(c, t) for c, t, _ in KNOWN] + UNKNOWN)
def test_judges_and_estimates_read_its_text_and_never_its_notation(content, text):
    said = [{"role": "user", "content": content}]
    assert prompt_text(said) == text
    assert prompt_text([*said, *said]) == f"[user]\n{text}\n\n[user]\n{text}"
    model = Panelist("alpha", "fake", context_length=1000)
    assert excess(model, said, None) == tokens_in(text) - 900
    reserved = Reserved()
    reserve(reserved, Policy(), [], "panel-0-1", Request("alpha", said))
    assert reserved.sizes["panel-0-1"] == len(text) // 4


@pytest.mark.parametrize("content", ["Why?\nAnd how?", [WHY, {"type": "text", "text": "And how?"}]])
async def test_a_run_is_asked_in_parts_of_text_as_in_text(run_engine, content):
    ran = await run_engine({"a": ("One.",), "b": ("Two.",)}, prompt=content)
    assert ran.state.status == "completed"
    assert all(r.messages[-1]["content"] == content for r in ran.requests_to("a"))
    judged = ran.requests_to("judge")[0].messages[-1]["content"]
    assert " PROMPT ===\nWhy?\nAnd how?\n===" in judged


@pytest.mark.parametrize(
    ("part", "told", "sent"),
    [
        (FILE, "of type “file”, which cannot be sent", True),
        (SOURCE, "of type “source”, which cannot be sent", True),
        ({"type": "video", "hash": "9f2b"}, "Part 2 of a message is a part of type “video”", False),
        ({"type": "text"}, "Part 2 of a message is a part of type “text”", False),
    ],
)
async def test_what_cannot_be_sent_is_refused_once_and_before_anybody_is_asked(
    run_engine, part, told, sent
):
    """What no provider knows is not even on record as sent."""
    asked = []
    ran = await run_engine({"a": asked.append, "b": asked.append}, prompt=[WHY, part])
    assert asked == [] and ran.state.status == "failed"
    assert len(ran.state.calls) == 2
    for call in ran.state.calls.values():
        assert (call.status, call.reason) == (CallStatus.FAILED, "bad_request")
        assert told in call.error and not call.was_billable
        assert (call.sent_at is not None) == sent
    assert told in ran.state.error
