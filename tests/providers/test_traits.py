"""What a provider knows of a model when it is made, and tells when it has learned."""

import pytest

from console.providers.openai_compatible import OpenAICompatible
from console.providers.traits import Traits
from tests.providers.asking import collect
from tests.upstream import Script

TEMPERATURE = "Unsupported parameter: 'temperature'."


def test_a_trait_is_told_once_when_it_is_new():
    kept = []
    traits = Traits([("a", "stream", "without")], lambda *trait: kept.append(trait))
    traits.learn("a", "stream", "without")
    traits.learn("b", "stream", "without")
    traits.learn("b", "stream", "without")
    traits.forget("a", "stream")
    traits.forget("a", "stream")
    assert kept == [("b", "stream", "without"), ("a", "stream", "")]
    assert (traits.of("a"), traits.of("b"), traits.of("c")) == ({}, {"stream": "without"}, {})
    with pytest.raises(ValueError, match="200 characters"):
        traits.learn("b", "note", "x" * 201)


async def test_a_provider_begins_with_what_is_known_and_tells_what_is_new(up, client):
    def script(body):
        for name in ("temperature", "seed"):
            if name in body:
                return Script(status=400, error_message=f"Unsupported parameter: '{name}'.")
        return Script(text="Fine.")

    kept = []
    traits = Traits([("alpha", "temperature", "without")], lambda *trait: kept.append(trait))
    provider = OpenAICompatible(up.url, "", client=client, traits=traits)
    up.script("alpha", script)
    options = {"temperature": 0.5, "seed": 1}
    assert (await collect(provider, **options)).error.adapted
    assert kept == [], "a refusal alone proves nothing"
    assert (await collect(provider, **options)).text == "Fine."
    assert (len(up.calls), kept) == (2, [("alpha", "seed", "without")])


async def test_what_is_known_never_takes_away_what_was_asked_for_by_name(up, client):
    def script(body):
        if "response_format" in body:
            return Script(status=400, error_message="response_format is not supported")
        return Script(text="Fine.")

    traits = Traits([("alpha", "response_format", "without")])
    provider = OpenAICompatible(up.url, "", client=client, traits=traits)
    up.script("alpha", script)
    assert (await collect(provider, response_schema={"type": "object"})).text == "Fine."
    got = await collect(provider, options={"response_format": {"type": "json_object"}})
    assert "response_format is not supported" in got.error.message and not got.error.adapted
    assert up.calls[-1].body["response_format"] == {"type": "json_object"}


async def test_a_call_that_had_nothing_to_do_without_proves_nothing(up, client):
    kept = []
    provider = OpenAICompatible(
        up.url, "", client=client, traits=Traits(tell=lambda *trait: kept.append(trait))
    )
    up.script("alpha", Script(status=400, error_message=TEMPERATURE), Script(text="Fine."))
    assert (await collect(provider, temperature=0.5)).error.adapted
    assert (await collect(provider)).text == "Fine."
    assert kept == []
    assert (await collect(provider, temperature=0.5)).text == "Fine."
    assert kept == [("alpha", "temperature", "without")]
    assert "temperature" not in up.calls[-1].body
