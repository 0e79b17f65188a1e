import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest
import uvloop

from console.providers.openai_compatible import OpenAICompatible
from console.providers.wire.answer import AnswerLimits
from console.providers.wire.http import make_client
from tests.providers.asking import KEY, Got, collect
from tests.upstream import Upstream
from tests.upstream.server import Choice

Transport = Literal["aiohttp", "httpx"]
Make = Callable[..., OpenAICompatible]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that a worker's calls run in."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture(params=["aiohttp", "httpx"])
def transport(request: pytest.FixtureRequest) -> Transport:
    chosen: Transport = request.param
    return chosen


@pytest.fixture
async def client(transport: Transport) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(connect_timeout=3, write_timeout=3, transport=transport) as client:
        yield client


@pytest.fixture
def make(up: Upstream, client: httpx.AsyncClient) -> Make:
    def make(
        kind: type[OpenAICompatible] = OpenAICompatible,
        url: str | None = None,
        key: str = KEY,
        linger: float = 0.2,
        headers: dict[str, str] | None = None,
        **limits: Any,
    ) -> OpenAICompatible:
        return kind(
            url or up.url,
            key,
            client=client,
            linger=linger,
            headers=headers,
            limits=AnswerLimits(**limits) if limits else None,
        )

    return make


@pytest.fixture
def provider(make: Make) -> OpenAICompatible:
    return make()


@pytest.fixture
def ask(up: Upstream, provider: OpenAICompatible) -> Callable[..., Awaitable[Got]]:
    """Scripts the model `alpha` and asks it."""

    async def ask(*scripts: Choice, by: OpenAICompatible | None = None, **options: Any) -> Got:
        up.script("alpha", *scripts)
        return await collect(by or provider, **options)

    return ask
