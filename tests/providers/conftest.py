import pytest
import uvloop

from console.providers.openai_compatible import OpenAICompatible
from console.providers.wire.answer import Limits
from console.providers.wire.http import make_client
from tests.providers.asking import KEY, Got, collect
from tests.upstream import Upstream


def pytest_asyncio_loop_factories():
    """The loop that a worker's calls run in."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def up():
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture(params=["aiohttp", "httpx"])
def transport(request):
    return request.param


@pytest.fixture
async def client(transport):
    async with make_client(connect_timeout=0.5, write_timeout=0.5, transport=transport) as client:
        yield client


@pytest.fixture
def make(up, client):
    def make(kind=OpenAICompatible, url=None, key=KEY, linger=0.2, headers=None, **limits):
        limits = Limits(**limits) if limits else None
        return kind(
            url or up.url, key, client=client, linger=linger, headers=headers, limits=limits
        )

    return make


@pytest.fixture
def provider(make):
    return make()


@pytest.fixture
def ask(up, provider):
    """Scripts the model `alpha` and asks it."""

    async def ask(*scripts, by=None, **options) -> Got:
        up.script("alpha", *scripts)
        return await collect(by or provider, **options)

    return ask
