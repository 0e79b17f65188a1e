"""Pictures and files from programs: in chat, Responses and runs, to who can see and who cannot."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.api.conftest import Api
from tests.api.test_errors import error
from tests.api.test_mcp import ask, over_http, words
from tests.api.test_runs import ended
from tests.files import making

PICTURE = "data:image/png;base64," + base64.b64encode(making.picture()).decode()
REPORT = "data:application/pdf;base64," + base64.b64encode(making.pdf(["Rain is wet."])).decode()
SEES = {"type": "image_url", "image_url": {"url": PICTURE}}
READS = {"type": "file", "file": {"filename": "report.pdf", "file_data": REPORT}}
ASKS = {"type": "text", "text": "What is it?"}
PANEL = {"panel": ["good", "writer"], "judge": "good"}
TAKES = """
from console.models import CatalogModel
of = CatalogModel.objects.filter(credential__slug="openrouter")
for model, inputs in {takes!r}.items():
    of.filter(model=model).update(inputs=inputs)
"""


@pytest.fixture(autouse=True)
def takes(api: Api) -> Iterator[None]:
    """`good` sees and reads documents, `writer` neither; of `echo` nobody says."""
    api.get("/models")
    api.stack.shell(TAKES.format(takes={"good": ["text", "image", "file"], "writer": ["text"]}))
    yield
    api.stack.shell(TAKES.format(takes={"good": None, "writer": None}))


def asked(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def sent_to(api: Api, model: str) -> Any:
    """What its first request of a panel asked."""
    return api.upstream.calls_of(model)[0].body["messages"][-1]["content"]


def test_who_can_see_is_sent_the_picture_and_the_answer_says_who_could_not(
    api: Api, program: openai.OpenAI
) -> None:
    answer = program.chat.completions.create(
        model="fusion",
        messages=asked(ASKS, SEES, READS),  # type: ignore[arg-type]
        extra_body={"fusion": PANEL},
    )
    text, picture, report = sent_to(api, "good")
    assert (text, picture) == (ASKS, SEES)
    assert report["file"]["file_data"] == REPORT
    blind = sent_to(api, "writer")
    assert "[page 1]\nRain is wet." in blind and "takes no pictures" in blind
    judged = [c for c in api.upstream.calls_of("good") if c.wants_json][0]
    said, *_, line, seen = judged.body["messages"][1]["content"]
    assert "Rain is wet." in said["text"] and seen == SEES
    assert line["text"] == "[Attached picture 1: PNG, 40 × 30]"
    fusion: Any = answer.fusion  # type: ignore[attr-defined]
    assert {(f["seat"], f["name"], f["given"]) for f in fusion["attachments"]} == {
        ("A", "picture-1.png", "as_it_is"),
        ("A", "report.pdf", "as_it_is"),
        ("B", "picture-1.png", "not_given"),
        ("B", "report.pdf", "text"),
    }
    assert fusion["warnings"] == [
        "B (writer) takes no pictures and is asked without “picture-1.png”."
    ]


def test_where_nobody_sees_the_models_that_could_are_named(api: Api) -> None:
    body = {"model": "writer", "messages": asked(ASKS, SEES)}
    said = error(api.post(json=body), 400, "unsupported_content")
    assert "None of those who are asked takes pictures: writer." in said["message"]
    assert "openrouter:good" in said["message"]
    assert not api.upstream.calls


def test_text_may_be_chosen_for_a_seat_whatever_it_takes(api: Api) -> None:
    blind = {"model": "writer", "messages": asked(ASKS, SEES), "fusion": {"files_as_text": ["A"]}}
    reply = api.post(json=blind).json()
    assert "text was chosen instead" in sent_to(api, "writer")
    assert "warnings" not in reply["fusion"]
    body = {"model": "good", "messages": asked(ASKS, READS), "fusion": {"files_as_text": ["A"]}}
    [given] = api.post(json=body).json()["fusion"]["attachments"]
    assert given["given"] == "text" and "[page 1]\nRain is wet." in sent_to(api, "good")


def test_who_refuses_a_picture_is_asked_again_without(api: Api) -> None:
    from tests.upstream import Script

    refusal = '{"error": {"message": "This model has no image input.", "code": 400}}'
    api.script("echo", Script(status=400, body=refusal), Script(text="I see nothing."))
    body = {"model": "echo", "messages": asked(ASKS, SEES)}
    reply = api.post(json=body).json()
    assert reply["choices"][0]["message"]["content"] == "I see nothing."
    first, second = api.upstream.calls_of("echo")
    assert PICTURE in str(first.body) and PICTURE not in str(second.body)
    [given] = reply["fusion"]["attachments"]
    assert given["given"] == "not_given"


def test_responses_have_their_own_words_and_go_on_with_the_same_picture(
    api: Api, program: openai.OpenAI
) -> None:
    content: Any = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": PICTURE},
        {"type": "input_file", "filename": "report.pdf", "file_data": REPORT},
    ]
    first = program.responses.create(model="good", input=[{"role": "user", "content": content}])
    assert SEES in sent_to(api, "good")
    program.responses.create(model="good", input="And then?", previous_response_id=first.id)
    later = api.upstream.calls_of("good")[-1].body["messages"]
    assert SEES in later[0]["content"] and later[-1]["content"] == "And then?"


@pytest.mark.database
def test_a_run_says_of_each_call_how_it_was_given_what(api: Api) -> None:
    body = {"messages": asked(ASKS, READS), "model": "fusion", "fusion": PANEL}
    run = ended(api, api.post("/runs", json=body).json()["id"])
    given = {call["seat"]: call["files"] for call in run["calls"] if call["step"] == "panel"}
    assert [f["given"] for seat in "AB" for f in given[seat]] == ["as_it_is", "text"]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}, "fetched"),
        ({"type": "image_url", "image_url": {"url": "data:image/png,x"}}, "in base64"),
        ({"type": "file", "file": {"file_data": "data:;base64,???"}}, "no base64"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "not kept by their id"),
        ({"type": "fusion_file", "ticket": "made-up"}, "Attach it again"),
        ({"type": "file", "file": {"filename": "a.exe", "file_data": "TVoAAA=="}}, "a program"),
    ],
)
def test_what_cannot_be_taken_has_a_sentence(api: Api, part: Any, says: str) -> None:
    said = error(
        api.post(json={"model": "good", "messages": asked(ASKS, part)}), 400, "unsupported_content"
    )
    assert says in said["message"] and said["param"] == "messages.0.content"


async def test_a_resource_that_a_client_has_read_goes_with_the_question(api: Api) -> None:
    """By MCP: each seat is given it as it can take it, and who was not is named."""
    picture = {"uri": "file:///screens/a%20b.png", "blob": PICTURE.partition(",")[2]}
    note = {"uri": "notes://today/rain.md", "mimeType": "text/markdown", "text": "Rain is wet."}
    panel = {"panel": ["openrouter:good", "openrouter:writer"], "judge": "openrouter:good"}
    asks = {"prompt": "What is it?"} | panel
    async with over_http(api) as client:
        result = await ask(client, "fusion_ask", **asks, files=[picture, note])
        broken = await ask(client, "fusion_ask", **asks, files=[picture | {"blob": "no!"}])
        blind = asks | {"panel": ["openrouter:writer"]}
        unseen = await ask(client, "fusion_ask", **blind, files=[picture])
    assert not result.is_error, words(result)
    seats = {seat["seat"]: seat["not_given"] for seat in result.structured_content["panel"]}
    assert seats == {"A": [], "B": ["was not given “a b.png”: it takes no pictures"]}
    assert "was not given “a b.png”" in words(result)
    assert [part["type"] for part in sent_to(api, "good")] == ["image_url", "text", "text"]
    assert "File: rain.md" in str(sent_to(api, "writer")) and "Rain is wet." in str(
        sent_to(api, "writer")
    )
    assert words(broken) == "The blob of “a b.png” is no base64 that can be read."
    assert "None of those who are asked takes pictures" in words(unseen)
