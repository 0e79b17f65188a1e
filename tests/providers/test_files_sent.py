"""A picture and a document as each kind of server takes them."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.given_files import FileData
from console.engine.provider import Request
from console.providers.anthropic import make as anthropic
from console.providers.openai_compatible import make as openai
from console.providers.wire.http import make_client
from tests.providers.asking import KEY
from tests.upstream import Upstream

FILES = {
    "abc": FileData("a.png", "image/png", b"picture"),
    "def": FileData("a.pdf", "application/pdf", b"report"),
}
PARTS: list[dict[str, Any]] = [
    {"type": "file", "hash": "abc"},
    {"type": "text", "text": "What is it?"},
    {"type": "file", "hash": "def"},
]
ASK = [{"role": "user", "content": PARTS}]


async def sent(make: Any, model: str, files: Any = FILES) -> Any:
    async with Upstream() as up, make_client() as client:
        provider = make(base_url=up.url, api_key=KEY, client=client)
        async for _ in provider.stream(Request(model, ASK, files=files)):
            pass
        return up.calls[0].body["messages"]


async def test_in_openais_words() -> None:
    [message] = await sent(openai, "good")
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,cGljdHVyZQ=="}},
        {"type": "text", "text": "What is it?"},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,cmVwb3J0"},
        },
    ]


async def test_in_anthropics_words() -> None:
    [message] = await sent(anthropic, "claude-opus-5")

    def source(type: str, data: str) -> dict[str, str]:
        return {"type": "base64", "media_type": type, "data": data}

    assert message["content"] == [
        {"type": "image", "source": source("image/png", "cGljdHVyZQ==")},
        {
            "type": "document",
            "source": source("application/pdf", "cmVwb3J0"),
            "title": "a.pdf",
        },
        {"type": "text", "text": "What is it?"},
    ]


async def test_a_file_that_does_not_go_along_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ProviderError) as refused:
        await sent(openai, "good", {})
    assert refused.value.reason is Reason.BAD_REQUEST
