"""Search engines behind one seam: words in, addresses with titles out.

Each is plain HTTP with an answer in JSON. Which there are is said by the environment
(`configured`); without any of them nothing on the web is searched, and nobody is offered it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ..engine.text import storable
from ..providers.wire.citations import is_page
from ..providers.wire.http import trusted

SECONDS = 15
LARGEST = 2_000_000  # bytes of an answer
LONGEST = 400  # characters of a query
Json = dict[str, Any]


class SearchFailed(Exception):
    """Says why, in a sentence for people."""


@dataclass(frozen=True)
class WebHit:
    url: str
    title: str


@dataclass(frozen=True)
class EngineKind:
    """`ask` makes (method, path, headers, parameters, body) of key, query and how many."""

    slug: str
    name: str
    variable: str
    usual_url: str
    ask: Callable[[str, str, int], tuple[str, str, Mapping[str, str], Json | None, Json | None]]
    found: Callable[[Json], Any]
    address: str = "url"


KINDS = (
    EngineKind(
        "searxng", "SearXNG", "SEARXNG_URL", "",
        lambda key, query, count: ("GET", "/search", {}, {"q": query, "format": "json"}, None),
        lambda said: said.get("results"),
    ),
    EngineKind(
        "tavily", "Tavily", "TAVILY_API_KEY", "https://api.tavily.com",
        lambda key, query, count: (
            "POST", "/search", {"Authorization": f"Bearer {key}"}, None,
            {"query": query, "max_results": count},
        ),
        lambda said: said.get("results"),
    ),
    EngineKind(
        "brave", "Brave", "BRAVE_API_KEY", "https://api.search.brave.com",
        lambda key, query, count: (
            "GET", "/res/v1/web/search", {"X-Subscription-Token": key},
            {"q": query, "count": count}, None,
        ),
        lambda said: said.get("web", {}).get("results"),
    ),
    EngineKind(
        "exa", "Exa", "EXA_API_KEY", "https://api.exa.ai",
        lambda key, query, count: (
            "POST", "/search", {"x-api-key": key}, None, {"query": query, "numResults": count},
        ),
        lambda said: said.get("results"),
    ),
    EngineKind(
        "serper", "Serper", "SERPER_API_KEY", "https://google.serper.dev",
        lambda key, query, count: (
            "POST", "/search", {"X-API-KEY": key}, None, {"q": query, "num": count},
        ),
        lambda said: said.get("organic"),
        address="link",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Engine:
    kind: EngineKind
    url: str
    key: str = ""

    @property
    def name(self) -> str:
        return self.kind.name

    async def search(self, query: str, count: int) -> list[WebHit]:
        """In the engine's order, each address once. Raises SearchFailed."""
        method, path, headers, params, body = self.kind.ask(self.key, query[:LONGEST], count)
        try:
            async with httpx.AsyncClient(
                verify=trusted(), trust_env=False, timeout=SECONDS, headers={"User-Agent": "Fusion"}
            ) as client:
                said = await _json(client, method, self.url + path, headers, params, body)
            found = self.kind.found(said)
        except (httpx.HTTPError, OSError):
            raise SearchFailed(f"{self.name} cannot be reached.") from None
        except (ValueError, AttributeError, RecursionError):
            raise SearchFailed(f"{self.name} answered something that cannot be read.") from None
        return list(_hits(found, self.kind.address))[:count]


async def _json(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Json | None,
    body: Json | None,
) -> Json:
    name = httpx.URL(url).host
    async with client.stream(method, url, headers=headers, params=params, json=body) as answer:
        if answer.status_code in (401, 403):
            raise SearchFailed(f"The search engine at {name} refuses the key it was given.")
        if answer.status_code in (402, 429):
            raise SearchFailed(f"The search engine at {name} allows no more searches for now.")
        if answer.status_code != 200:
            raise SearchFailed(f"The search engine at {name} answered {answer.status_code}.")
        whole = bytearray()
        async for piece in answer.aiter_bytes():
            whole += piece
            if len(whole) > LARGEST:
                raise ValueError("too large")
    said = httpx.Response(200, content=bytes(whole)).json()
    if not isinstance(said, dict):
        raise ValueError("no object")
    return said


def _hits(found: Any, address: str) -> Iterable[WebHit]:
    seen = set()
    for one in found if isinstance(found, list) else ():
        url = one.get(address) if isinstance(one, dict) else None
        if isinstance(url, str) and url not in seen and is_page(url, lambda text: text):
            seen.add(url)
            title = one.get("title")
            yield WebHit(url, storable(title)[:200] if isinstance(title, str) else "")


def configured(settings: Mapping[str, tuple[str, str]]) -> Engine | None:
    """The first that there is, of kind -> (key, address)."""
    for kind in KINDS:
        key, url = settings.get(kind.slug, ("", ""))
        url = (url or kind.usual_url).rstrip("/")
        if url and (key or not kind.usual_url):
            return Engine(kind, url, key)
    return None
