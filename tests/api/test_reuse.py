"""The very same question again: a program is served the answer that is there where it asks for
that, its preset lets it stand, and it may read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.upstream import Script

from .conftest import Api
from .test_runs import ended, start

pytestmark = pytest.mark.database

MADE = """
from console.models import Credential, Preset
server = Credential.objects.get(slug="openrouter")
made, _ = Preset.objects.get_or_create(
    slug="standing", defaults=dict(name="Standing", judge_model="writer", judge_credential=server)
)
made.reuse_minutes = {minutes}
made.save()
for seat, model in enumerate(("good", "echo")):
    made.panelists.get_or_create(seat=seat, defaults=dict(credential=server, model=model))
"""


def ask(api: Api, prompt: str, **more: Any) -> Any:
    headers = more.pop("headers", {})
    body = {
        "model": "fusion/standing",
        "messages": [{"role": "user", "content": prompt}],
        "fusion": more,
    }
    response = api.post("/chat/completions", json=body, headers=headers)
    assert response.status_code == 200, response.text
    return response


def test_the_answer_that_is_there_is_served_with_its_age_at_no_cost(api: Api) -> None:
    api.stack.shell(MADE.format(minutes=60))
    api.script("writer", Script(text="Seven.", cost=0.02))
    first = ask(api, "Name a prime number.")
    run = first.json()["fusion"]["run_id"]
    assert "x-openrouter-cache-status" not in first.headers
    said = ask(api, " Name a  prime number.", reuse=True)
    assert said.headers["x-openrouter-cache-status"] == "HIT"
    assert 0 <= int(said.headers["x-openrouter-cache-age"]) < 3600
    told = said.json()
    assert (told["fusion"]["run_id"], told["usage"]["cost"]) == (run, 0)
    assert told["choices"][0]["message"]["content"] == "Seven."
    by_header = ask(api, "Name a prime number.", headers={"X-OpenRouter-Cache": "true"})
    assert by_header.headers["x-openrouter-cache-status"] == "HIT"
    # Who does not ask for it is answered anew, and so is another question.
    assert ask(api, "Name a prime number.").json()["fusion"]["run_id"] != run
    other = ask(api, "Name an even number.", reuse=True)
    assert other.headers["x-openrouter-cache-status"] == "MISS"
    again = start(
        api, model="fusion/standing", prompt="Name an even number.", fusion={"reuse": True}
    )
    assert again["id"] == other.json()["fusion"]["run_id"] and again["status"] == "completed"
    assert ended(api, again["id"])["id"] == again["id"]
    api.stack.shell(MADE.format(minutes=None))
    assert (
        ask(api, "Name a prime number.", reuse=True).headers["x-openrouter-cache-status"] == "MISS"
    )


def test_a_response_too_is_the_answer_that_is_there(api: Api) -> None:
    api.stack.shell(MADE.format(minutes=60))
    api.script("writer", Script(text="Eleven.", cost=0.02))
    body = {"model": "fusion/standing", "input": "Name a larger prime number."}
    run = api.post("/responses", json=body).json()["fusion"]["run_id"]
    for more in ({"fusion": {"reuse": True}}, {"fusion": {"reuse": True}, "stream": True}):
        said = api.post("/responses", json=body | more)
        assert said.headers["x-openrouter-cache-status"] == "HIT"
        assert 0 <= int(said.headers["x-openrouter-cache-age"]) < 3600
        assert run in said.text and "Eleven." in said.text
        if "stream" not in more:
            usage = said.json()["usage"]
            assert usage["cost"] == 0 and said.json()["status"] == "completed"
    seen = api.post("/responses", json=body, headers={"X-OpenRouter-Cache": "true"})
    assert seen.json()["fusion"]["run_id"] == run
    assert api.post("/responses", json=body).json()["fusion"]["run_id"] != run


def test_nobody_is_served_what_they_may_not_read(api: Api) -> None:
    api.stack.shell(MADE.format(minutes=60))
    run = ask(api, "Name a colour.").json()["fusion"]["run_id"]
    bob = replace(api, key=api.token(user="bob"))
    said = ask(bob, "Name a colour.", reuse=True)
    assert said.headers["x-openrouter-cache-status"] == "MISS"
    assert said.json()["fusion"]["run_id"] != run
