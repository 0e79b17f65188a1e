"""What Anthropic's API refuses of a request is done without, and remembered."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.errors import Reason
from console.providers.anthropic import make
from console.providers.traits import Traits
from console.providers.wire.http import make_client
from tests.providers.asking import KEY, Got, collect
from tests.providers.test_anthropic_request import ADAPTIVE, HAIKU, NEW, OPUS
from tests.upstream import Script, Upstream

# ---- what it refuses, and how it is asked next


class Picky:
    """Refuses a request as long as a test of it says so, and remembers all."""

    def __init__(self, *rules: tuple[Any, str]) -> None:
        self.rules = rules

    def __call__(self, body: dict[str, Any]) -> Script:
        for is_refused, message in self.rules:
            if is_refused(body):
                return Script(status=400, error_message=message)
        return Script(text="Fine.")


def think(kind: str) -> Any:
    return lambda body: body.get("thinking", {}).get("type") == kind


NO_BUDGET = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.'
)
ALWAYS = (
    '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode '
    'when not specified; use "thinking.type.enabled" with "budget_tokens" for extended thinking.'
)
NOT_ADAPTIVE = "adaptive thinking is not supported on this model"
TOO_LARGE = (
    "The compiled grammar is too large, which would cause performance issues. Simplify your tool "
    "schemas or reduce the number of strict tools."
)
UNIONS = (
    "Schemas contains too many parameters with union types (49 parameters with type arrays or "
    "anyOf) which exceeds the limit: 16"
)
MAX_ITEMS = "output_config.format.schema: For 'array' type, property 'maxItems' is not supported"
HIGH = {"reasoning_effort": "high"}
FORMAT = {"response_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def has(*path: str) -> Any:
    def is_there(body: Any) -> bool:
        for name in path:
            body = body.get(name, {})
        return bool(body) or body == 0

    return is_there


@pytest.mark.parametrize(
    ("rules", "asked", "traits"),
    [
        ([(think("adaptive"), NOT_ADAPTIVE)], HIGH, {"thinking": "budget"}),
        ([(think("disabled"), ALWAYS)], {"reasoning_effort": "none"}, {"thinking": "always"}),
        (
            [
                (think("adaptive"), NOT_ADAPTIVE),
                (think("enabled"), "This model does not support thinking."),
            ],
            HIGH,
            {"thinking": "budget", "reasoning_effort": "without"},
        ),
        (
            [(has("output_config", "effort"), "This model does not support the effort parameter.")],
            HIGH,
            {"reasoning_effort": "without"},
        ),
        (
            [(has("temperature"), "`temperature` is deprecated for this model.")],
            {"temperature": 0},
            {"temperature": "without"},
        ),
        (
            [(
                lambda body: body["max_tokens"] > 4096,
                "max_tokens: 16000 > 4096, which is the maximum allowed number of output tokens "
                "for claude-3-haiku-20240307",
            )],
            {},
            {"max_output": "4096"},
        ),
        *(
            ([(has("output_config", "format"), message)], FORMAT, {"response_format": "without"})
            for message in (
                TOO_LARGE,
                UNIONS,
                MAX_ITEMS,
                "output_config.format: Extra inputs are not permitted",
                "output_config: Extra inputs are not permitted",
                "This model does not support output_config.format.",
                "Schema is too complex for compilation.",
            )
        ),
        (
            [(has("output_config"), "output_config: Extra inputs are not permitted")],
            {**FORMAT, **HIGH},
            {"response_format": "without", "reasoning_effort": "without"},
        ),
    ],
)  # fmt: skip
async def test_what_it_refuses_is_done_without_and_remembered(
    rules: Any, asked: Any, traits: dict[str, str]
) -> None:
    learned: dict[str, str] = {}
    known = Traits(tell=lambda model, name, value: learned.update({name: value}))
    async with Upstream() as up, make_client() as client:
        up.script(NEW, Picky(*rules))
        provider = make(base_url=up.url, api_key=KEY, client=client, traits=known)
        for _ in range(len(traits)):
            got = await collect(provider, NEW, **asked)
            assert got.error and got.error.adapted, got.error
        assert (await collect(provider, NEW, **asked)).text == "Fine."
        assert learned == traits
        remembered = Traits([(NEW, name, value) for name, value in traits.items()])
        again = make(base_url=up.url, api_key=KEY, client=client, traits=remembered)
        assert (await collect(again, NEW, **asked)).text == "Fine."
        assert len(up.calls) == len(traits) + 2


async def test_a_model_that_was_thought_older_is_asked_as_the_newer_are() -> None:
    async with Upstream() as up, make_client() as client:
        up.script(HAIKU, Picky((think("enabled"), NO_BUDGET)))
        provider = make(base_url=up.url, api_key=KEY, client=client)
        assert (await collect(provider, HAIKU, **HIGH)).error
        assert (await collect(provider, HAIKU, **HIGH)).text == "Fine."
        assert up.calls[-1].body["thinking"] == ADAPTIVE
        # How it thinks is not changed for a call that says nothing of it.
        assert (await collect(provider, HAIKU)).text == "Fine."
        assert "thinking" not in up.calls[-1].body


@pytest.mark.parametrize(
    "message",
    [
        "messages.1.content: `thinking` blocks in the latest assistant message cannot be modified",
        "This model does not support assistant message prefill.",
        "The request was thinking about something else.",
    ],
)
async def test_other_refusals_are_not_taken_for_these(message: str) -> None:
    async with Upstream() as up, make_client() as client:
        up.script(OPUS, Script(status=400, error_message=message))
        provider = make(base_url=up.url, api_key=KEY, client=client)
        got: Got = await collect(provider, OPUS, temperature=0)
        assert (got.reason, got.error and got.error.adapted) == (Reason.BAD_REQUEST, False)
