"""A single model that does not take the usual request, as a program sees it."""

from __future__ import annotations

from typing import Any

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
