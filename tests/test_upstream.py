"""The scripted upstream itself: what other tests rely on."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.upstream import Script, Upstream
from tests.upstream.script import by_name
from tests.upstream.shapes import fill

SCHEMA = {
    "type": "object",
    "required": ["consensus", "stances"],
    "properties": {
        "consensus": {"type": "array", "maxItems": 3, "items": {"$ref": "#/$defs/point"}},
        "stances": {
            "type": "array",
            "minItems": 2,
            "items": {"type": "object", "properties": {"seat": {"enum": ["A", "B"]}}},
        },
        "none": {"type": "array", "maxItems": 0, "items": {"type": "string"}},
        "sure": {"type": "boolean"},
        "score": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
    },
    "$defs": {"point": {"type": "string", "minLength": 80, "maxLength": 90}},
}


def test_made_up_json_fits_its_schema() -> None:
    made = json.loads(fill(SCHEMA))
    assert list(made) == list(SCHEMA["properties"])
    assert [80 <= len(text) <= 90 for text in made["consensus"]] == [True]
    assert {stance["seat"] for stance in made["stances"]} == {"A", "B"}
    assert (made["none"], made["sure"], made["score"]) == ([], True, 3)


def test_options_ride_on_a_name() -> None:
    script = by_name("good--tokens_per_second=20--text=hello there--done=false")
    assert script == Script(tokens_per_second=20, text="hello there", done=False)
    assert by_name("fault-418") == Script(status=418)
    assert by_name("unknown") is None
    with pytest.raises(ValueError, match="no field"):
        by_name("good--speed=3")


def test_a_thread_serves_sync_code_and_records_it() -> None:
    with Upstream(strict=True) as up, httpx.Client(base_url=up.url) as client:
        up.script("alpha", Script(status=500), Script(text="Second."))
        body = {"model": "alpha", "messages": [{"role": "user", "content": "hi"}]}
        first, second = (client.post("/chat/completions", json=body) for _ in range(2))
        assert first.status_code == 500
        assert second.json()["choices"][0]["message"]["content"] == "Second."
        assert client.post("/chat/completions", json={"model": "beta"}).status_code == 404
        assert "alpha" in [model["id"] for model in client.get("/models").json()["data"]]
        assert [(c.model, c.finished) for c in up.calls_of("alpha")] == [("alpha", True)] * 2
        assert up.open_connections == 1
    assert up.open_connections == 0


@pytest.mark.parametrize(
    ("system", "is_json"),
    [("Return JSON only.", True), ("The analysis below is JSON. Write prose.", False)],
)
def test_a_judge_is_known_by_what_it_is_told(system: str, is_json: bool) -> None:
    with Upstream() as up:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "hi"}]
        body = {"model": "good", "messages": messages}
        said = httpx.post(f"{up.url}/chat/completions", json=body, trust_env=False).json()
        assert said["choices"][0]["message"]["content"].startswith("{") == is_json
        assert up.calls[0].wants_json == is_json


@pytest.fixture(scope="module")
def shared() -> Iterator[Upstream]:
    with Upstream() as up:
        up.script("kept", Script(text="Of the folder."))
        up.keep()
        yield up


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_scripts_asks_and_holds_the_next_one_knows_nothing_of(
    shared: Upstream, turn: int
) -> None:
    def ask(model: str) -> str:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        reply = httpx.post(f"{shared.url}/chat/completions", json=body).json()
        return str(reply["choices"][0]["message"]["content"])

    assert shared.calls == []
    assert ask("waits") == "This is the scripted answer of waits."
    assert ask("kept") == "Of the folder."
    shared.script("waits", Script(text="One."), Script(text="Two."))
    shared.script("kept", Script(text="Of a test."))
    assert (ask("waits"), ask("waits"), ask("kept")) == ("One.", "Two.", "Of a test.")
    assert len(shared.calls_of("waits")) == 3
    shared.hold()
