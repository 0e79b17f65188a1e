"""A single model that does not take the usual request, as a program sees it."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.api.conftest import Api
from tests.upstream import Script

MESSAGES = [
    {"role": "system", "content": "Answer in French."},
    {"role": "user", "content": "Why is rain wet?"},
]


def without_a_system(body: dict[str, Any]) -> Script:
    if any(message["role"] == "system" for message in body["messages"]):
        return Script(status=400, error_message="System role not supported")
    return Script(text="Fine.")


def never_streamed(body: dict[str, Any]) -> Script:
    message = "Your organization must be verified to stream this model."
    return Script(status=400, error_message=message) if body["stream"] else Script(text="Fine.")


def without_a_schema(body: dict[str, Any]) -> Script:
    message = "This response_format type is unavailable now"
    refused = "response_format" in body
    return Script(status=400, error_message=message) if refused else Script(text="Fine.")


def asked(api: Api, model: str, **body: Any) -> Any:
    return api.post(json={"model": f"openrouter:{model}", "messages": MESSAGES, **body})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [without_a_system, never_streamed])
def test_it_is_asked_again_and_the_program_has_its_answer(
    api: Api, script: Any, stream: bool
) -> None:
    model = f"picky-{script.__name__}-{stream}"
    api.script(model, script)
    response = asked(api, model, stream=stream)
    assert response.status_code == 200 and "Fine." in response.text
    first, second = api.upstream.calls_of(model)
    assert first.body["messages"] == MESSAGES
    assert "Answer in French." in str(second.body["messages"])


def test_a_form_that_was_asked_for_by_name_is_refused_in_words(api: Api) -> None:
    schema = {"name": "a", "schema": {"type": "object"}}
    wanted = {"type": "json_schema", "json_schema": schema}
    api.script("picky-form", without_a_schema)
    response = asked(api, "picky-form", response_format=wanted)
    assert response.status_code >= 400
    assert "response_format type is unavailable" in response.json()["error"]["message"]
    assert len(api.upstream.calls_of("picky-form")) == 1


def refuses(body: dict[str, Any]) -> Script:
    deltas = [{"refusal": "I will"}, {"refusal": " not."}]
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    lines = [f"data: {json.dumps(e)}\n\n".encode() for e in (*events, end)]
    return Script(raw=[*lines, b"data: [DONE]\n\n"])


def test_a_refusal_is_an_answer_that_a_filter_ended(api: Api, program: openai.OpenAI) -> None:
    model: Any = {"model": "openrouter:unwilling"}
    api.script("unwilling", refuses)
    whole = program.chat.completions.create(messages=MESSAGES, **model).choices[0]  # type: ignore[arg-type]
    assert (whole.finish_reason, whole.message.content) == ("content_filter", "I will not.")
    response = program.responses.create(input="Why is rain wet?", **model)
    assert response.status == "incomplete" and response.incomplete_details
    assert response.incomplete_details.reason == "content_filter"
    assert response.output_text == "I will not."
    after = {"previous_response_id": response.id, "input": "Do."} | model
    assert program.responses.create(**after).status == "incomplete"
    sent = api.upstream.calls_of("unwilling")[-1].body["messages"]
    assert {"role": "assistant", "content": "I will not."} in sent
    fusion: Any = response.fusion
    run = api.get(f"/runs/{fusion['run_id']}").json()
    assert (run["status"], run["calls"][0]["reason"]) == ("failed", "content_filter")


def test_of_one_that_is_filtered_at_once_there_is_the_end_alone(api: Api) -> None:
    api.script("filtered", Script(text="", finish_reason="content_filter"))
    (choice,) = asked(api, "filtered").json()["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", None)


def test_it_is_no_failure_that_stands(another: Api) -> None:
    another.script("filtered-again", Script(text="One", finish_reason="content_filter"))
    for _ in range(2):
        assert asked(another, "filtered-again").status_code == 200
    assert len(another.upstream.calls_of("filtered-again")) == 2


@pytest.mark.parametrize(
    ("field", "allowed"), [("response_format", "json_schema"), ("tool_choice", "required")]
)
def test_what_no_server_knows_is_refused_with_the_words_that_are(
    api: Api, field: str, allowed: str
) -> None:
    bogus: Any = {"type": "bogus"} if field == "response_format" else "bogus"
    said = asked(api, "good", **{field: bogus}).json()["error"]
    assert said["param"] == field and allowed in said["message"]
    assert not api.upstream.calls
