"""Each search engine in its own words, against a scripted one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.research.engines import KINDS, SearchFailed, WebHit, configured
from tests.upstream.engines import KEY, Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        web.add("/a", "Cold stores")
        web.add("/b", "Warm stores")
        web.add("/c", "Ships")
        yield web


@pytest.mark.parametrize("slug", [kind.slug for kind in KINDS])
async def test_an_engine_is_asked_in_its_own_words(web: Web, slug: str) -> None:
    engine = configured({slug: (KEY, web.url)})
    assert engine and engine.kind.slug == slug
    assert await engine.search("stores that are cold", 5) == [
        WebHit(f"{web.url}/a", "Cold stores"),
        WebHit(f"{web.url}/b", "Warm stores"),
    ]
    assert len(await engine.search("stores", 1)) == 1
    assert web.asked == ["stores that are cold", "stores"]


async def test_what_an_engine_refuses_is_said_in_a_sentence(web: Web) -> None:
    engine = configured({"brave": ("wrong", web.url)})
    assert engine
    with pytest.raises(SearchFailed, match="refuses the key"):
        await engine.search("stores", 1)
    searxng = configured({"searxng": ("", web.url)})
    assert searxng
    for web.status, sentence in ((429, "no more searches"), (500, "answered 500")):
        with pytest.raises(SearchFailed, match=sentence):
            await searxng.search("stores", 1)
    away = configured({"searxng": ("", "http://127.0.0.1:9")})
    assert away
    with pytest.raises(SearchFailed, match="cannot be reached"):
        await away.search("stores", 1)


def test_without_an_address_or_a_key_there_is_none() -> None:
    assert configured({}) is None
    assert configured({"searxng": ("", ""), "tavily": ("", "http://127.0.0.1")}) is None
    first = configured({"searxng": ("", "http://a"), "tavily": (KEY, "")})
    assert first and first.name == "SearXNG"
