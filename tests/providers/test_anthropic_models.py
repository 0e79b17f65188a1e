"""Which models Anthropic lists, and what is known of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from console.engine.errors import ProviderError, Reason
from console.providers import registry
from console.providers.listing import ModelInfo
from tests.providers.asking import KEY
from tests.upstream import Script, Upstream


async def listed(up: Upstream, client: httpx.AsyncClient) -> list[ModelInfo]:
    asked: dict[str, Any] = {"base_url": up.url, "api_key": KEY, "client": client}
    return await registry.list_models("anthropic", **asked)


def page(*rows: Any, **more: Any) -> Script:
    return Script(body=json.dumps({"data": list(rows), "has_more": False, **more}))


async def test_they_come_with_their_names_and_how_much_they_read(
    up: Upstream, client: httpx.AsyncClient
) -> None:
    able = {"thinking": {"supported": True, "types": {}}, "image_input": {"supported": True}}
    unable = {"thinking": {"supported": False}, "image_input": {"supported": False}, "batch": 1}
    rows = [
        {"id": "claude-a", "display_name": "Claude A", "max_input_tokens": 1_000_000,
         "max_tokens": 128_000, "capabilities": able, "type": "model", "lifecycle": "deprecated",
         "created_at": "2026-02-04T00:00:00Z", "retires_at": "2027-02-04T00:00:00Z"},
        {"id": "claude-b", "display_name": "", "max_input_tokens": None, "capabilities": unable},
        {"id": "claude-c", "display_name": 7, "max_input_tokens": -1, "retires_at": None},
        {"id": "claude-gone", "lifecycle": "retired"},
        {"id": "claude-a", "display_name": "again"},
        {"id": ""}, {"id": "x\ny"}, {"id": 5}, {}, None, "claude-d",
    ]  # fmt: skip
    up.script("/v1/models?limit=1000", page(*rows))
    assert await listed(up, client) == [
        ModelInfo(
            "claude-a",
            "Claude A",
            1_000_000,
            reasons=True,
            output_tokens=128_000,
            inputs=("text", "image"),
            published_at=datetime(2026, 2, 4, tzinfo=UTC),
            expires_at=datetime(2027, 2, 4, tzinfo=UTC),
        ),
        ModelInfo("claude-b", "claude-b", reasons=False, inputs=("text",)),
        ModelInfo("claude-c", "claude-c"),
    ]
    assert up.requests[0].headers["anthropic-version"] == "2023-06-01"
    assert up.requests[0].headers["x-api-key"] == KEY


async def test_page_after_page_is_asked_for_and_none_for_ever(
    up: Upstream, client: httpx.AsyncClient
) -> None:
    first = "/v1/models?limit=1000"
    more = {"has_more": True, "last_id": "a-1"}
    up.script(first, page({"id": "a-1"}, **more))
    second = page({"id": "b"}, has_more=True, last_id="a-1")
    up.script("/v1/models?limit=1000&after_id=a-1", second)
    assert [model.id for model in await listed(up, client)] == ["a-1", "b"]
    assert len(up.requests) == 3, "the third brings nothing new"
    for last in (None, 5, {}):
        up.script(first, page({"id": "a-1"}, has_more=True, last_id=last))
        assert len(await listed(up, client)) == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=401), Reason.UNAUTHORIZED),
        (Script(status=529), Reason.UPSTREAM_ERROR),
        (Script(body="{}"), Reason.BAD_RESPONSE),
        (Script(body='{"data": "none"}'), Reason.BAD_RESPONSE),
        (Script(body="[]"), Reason.BAD_RESPONSE),
        (Script(body="<html>"), Reason.BAD_RESPONSE),
    ],
)
async def test_what_is_no_list_is_an_error(
    up: Upstream, client: httpx.AsyncClient, script: Script, reason: Reason
) -> None:
    up.script("/v1/models?limit=1000", script)
    with pytest.raises(ProviderError) as caught:
        await listed(up, client)
    assert caught.value.reason == reason


async def test_a_key_that_cannot_be_one_is_told_before_anybody_is_asked(
    up: Upstream, client: httpx.AsyncClient
) -> None:
    asked: dict[str, Any] = {"base_url": up.url, "client": client}
    told = await registry.test_credential("anthropic", api_key="sk-ant-ü", **asked)
    assert not told.ok and "copy it again" in told.sentence
    assert not up.requests
