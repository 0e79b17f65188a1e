"""Model servers on this machine: where they usually listen, and what they list there.

Before somebody says yes they are asked for their list of models and for nothing else: by GET,
without a key, through no proxy and after no redirect, all at once and for a moment only. What
is at such a port may be anything, so whatever is no list of models is nobody: a page, another
Fusion, a gateway to models elsewhere, a server that wants a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from . import kinds
from .chat_models import ChatModel, chat_models, leads_elsewhere
from .listing import MODELS_LIMIT, read
from .registry import OLLAMA_PORT, normalise_base_url
from .wire.http import FAILURES
from .wire.refusals import parse

SIGN = "x-fusion"  # a header of every answer of /v1: who sends it is one of us
PATIENCE = 1.5
BODY_LIMIT = 2 * 1024 * 1024
OLLAMA = "Ollama"
# Nobody else is known to listen there; at 8000 and 8080 is whatever was started last.
_BY_PORT = {11434: OLLAMA, 1234: "LM Studio", 1337: "Jan"}
_BY_OWNER = {
    "library": OLLAMA,
    "organization_owner": "LM Studio",
    "llamacpp": "llama.cpp",
    "vllm": "vLLM",
    "sglang": "SGLang",
}


@dataclass(frozen=True)
class Candidate:
    """Addresses of one port, the likelier first."""

    urls: tuple[str, ...]  # as calls are made under: with /v1
    is_ollama: bool = False


@dataclass(frozen=True)
class NearServer:
    url: str
    name: str
    models: tuple[ChatModel, ...]  # that one can talk to; never empty

    @property
    def is_here(self) -> bool:
        return kinds.is_on_this_machine(self.url)

    @property
    def where(self) -> str:
        return urlsplit(self.url).netloc


def candidates(
    ports: Iterable[int], *, ollama_host: str = "", own: Iterable[int] = ()
) -> list[Candidate]:
    """Where to look. `own` are ports of this site, which is not asked what it offers itself."""
    taken = set(own)
    found: list[Candidate] = []
    if ollama_host:
        try:
            url = normalise_base_url(ollama_host, ollama=True)
        except ValueError:  # a check of the settings says so
            url = ""
        port = url and urlsplit(url).port
        if url and not (port in taken and kinds.is_on_this_machine(url)):
            found.append(Candidate((url,), is_ollama=True))
            if kinds.is_on_this_machine(url) and port:
                taken.add(port)
    for port in dict.fromkeys(ports):
        if port not in taken:
            urls = tuple(f"http://{host}:{port}/v1" for host in ("127.0.0.1", "[::1]"))
            found.append(Candidate(urls, is_ollama=port == OLLAMA_PORT))
    return found


async def look(
    where: Sequence[Candidate], *, client: httpx.AsyncClient, patience: float = PATIENCE
) -> list[NearServer]:
    """Who answers with models that one can talk to. Raises nothing."""
    found = await asyncio.gather(*(_look_at(candidate, client, patience) for candidate in where))
    return [server for server in found if server]


async def _look_at(
    candidate: Candidate, client: httpx.AsyncClient, patience: float
) -> NearServer | None:
    asked = (_ask(url, candidate, client, patience) for url in candidate.urls)
    return next(filter(None, await asyncio.gather(*asked)), None)


async def _ask(
    url: str, candidate: Candidate, client: httpx.AsyncClient, patience: float
) -> NearServer | None:
    try:
        async with asyncio.timeout(patience):
            rows = _rows(await _get(client, f"{url}/models"), "data", "models")
            owners = {_text(row, "owned_by") for row in rows}
            tags: list[Any] = []
            if rows and (candidate.is_ollama or "library" in owners):
                tags = _rows(await _get(client, f"{url.removesuffix('/v1')}/api/tags"), "models")
    except TimeoutError:
        return None
    is_ollama = bool(tags) or "library" in owners
    if not is_ollama and leads_elsewhere(_text(row, "id") for row in rows):
        return None
    models = chat_models(rows, {_text(tag, "name"): tag for tag in tags if isinstance(tag, dict)})
    return NearServer(url, _name(url, owners, is_ollama), tuple(models)) if models else None


async def _get(client: httpx.AsyncClient, url: str) -> Any:
    """The JSON at this address; None for everything else."""
    try:
        async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
            if response.status_code != 200 or SIGN in response.headers:
                return None
            if response.headers.get("content-encoding", "identity") != "identity":
                return None
            body = await read(response, BODY_LIMIT + 1)
    except FAILURES:
        return None
    return parse(body) if len(body) <= BODY_LIMIT else None


def _rows(payload: Any, *fields: str) -> list[Any]:
    if not isinstance(payload, dict):
        return []
    rows: list[Any] = next(
        (payload[field] for field in fields if isinstance(payload.get(field), list)), []
    )
    return rows[:MODELS_LIMIT]


def _text(row: Any, field: str) -> str:
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def _name(url: str, owners: set[str], is_ollama: bool) -> str:
    if is_ollama:
        return OLLAMA
    known = [name for owner, name in _BY_OWNER.items() if owner in owners]
    port = urlsplit(url).port or 0
    return next(iter(known), "") or _BY_PORT.get(port, f"Model server (port {port})")
