"""Nearly every delta is a piece of text and nothing else; what stands beside one is still found."""

import json

import pytest

from console.engine.provider import Finish, ReasoningDelta, TextDelta
from console.providers.wire.answer import AnswerLimits, AnswerReader
from console.providers.wire.sse import ServerSentEvent

CALL = {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PAGE = {"type": "url_citation", "url_citation": {"url": "https://a.example/1", "title": "One"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}

PLAIN = [
    {"content": "Rain."},
    {"content": "Rain.", "role": "assistant"},
    {"content": "Rain.", "refusal": None, "tool_calls": None, "reasoning": None},
]
BESIDE = {
    "reasoning": "It is wet.",
    "reasoning_content": "It is wet.",
    "tool_calls": [CALL],
    "annotations": [PAGE],
    "images": [PICTURE],
}


def read(*chunks, **fields):
    """(what it says, its end)."""
    answer = AnswerReader("m", AnswerLimits(), lambda text: text)
    said = []
    for chunk in chunks:
        payload = {"id": "1", "model": "m", **fields, **chunk}
        said += answer.take(ServerSentEvent(json.dumps(payload)))
    said += answer.rest(finished=True)
    return said, answer.finish()


def delta(**delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


@pytest.mark.parametrize("piece", PLAIN)
def test_a_piece_of_text_is_that_and_nothing_else(piece):
    said, finish = read(delta(**piece), delta(content=" It rains."))
    assert said == [TextDelta("Rain."), TextDelta(" It rains.")]
    assert finish == Finish(None, finish.usage, model="m", generation_id="1")


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_a_text_is_found(name):
    said, finish = read(delta(content="Rain.", **{name: BESIDE[name]}))
    assert TextDelta("Rain.") in said
    found = [finish.tool_calls, finish.citations, finish.attachments]
    assert any(found) or ReasoningDelta("It is wet.") in said


def test_what_a_chunk_says_of_itself_is_noted_when_it_changes():
    _, finish = read(
        delta(content="One "),
        {"model": "other", "provider": "P"} | delta(content="two "),
        {"id": "2", "model": "other", "provider": "P"} | delta(content="three."),
        {"model": "other", "provider": "P"} | delta(content=""),
    )
    assert (finish.model, finish.provider, finish.generation_id) == ("other", "P", "1")


@pytest.mark.parametrize("error", [{"message": "It broke."}, "It broke."])
def test_an_error_within_a_chunk_of_an_answer_is_one(error):
    with pytest.raises(Exception, match="broke"):
        read(delta(content="Rain."), {"error": error} | delta(content=""))
