"""Which models each credential offers, as their servers list them.

Lists are kept for minutes; so is, for seconds, that a server did not answer.
Nothing here waits longer than `PATIENCE`, so a dead server never hangs a page.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpx
from django.core.cache import cache

from ..engine.errors import ProviderError
from ..engine.usage import Price
from ..models import Credential
from ..providers.registry import list_models
from ..providers.wire.http import make_client

PATIENCE = 5.0
KEPT = 5 * 60
FAILURE_KEPT = 20
OLD_KEPT = 24 * 60 * 60  # for as long as a server stays away


@dataclass(frozen=True)
class CatalogModel:
    credential_slug: str
    model: str
    name: str
    context_length: int | None = None
    price: Price | None = None
    reasons: bool | None = None


Listing = tuple[list[CatalogModel], str]


def models_of(credential: Credential) -> Listing:
    """(models, ""), or what is left of them and why, as a sentence."""
    return _listings([credential])[0]


def look_up(credentials: Sequence[Credential]) -> None:
    """So that `prices` knows what they list, asked all at once."""
    _listings(credentials)


def all_models() -> tuple[list[CatalogModel], list[str]]:
    """Of every credential that is ready; servers that do not answer are named in the second."""
    models: list[CatalogModel] = []
    errors: list[str] = []
    ready = [c for c in Credential.objects.all() if c.is_ready]
    for listed, error in _listings(ready):
        models += listed
        if error:
            errors.append(error)
    return models, errors


def at_hand(credential: Credential) -> list[CatalogModel]:
    """Of a list that nobody has looked at for minutes, the prices are still the best there are."""
    key = _cache_key(credential)
    listed, _ = cache.get(key) or ([], "")
    return listed or cache.get(f"{key}:old") or []


def _listings(credentials: Sequence[Credential]) -> list[Listing]:
    keys = [_cache_key(c) for c in credentials]
    listings: dict[str, Listing] = cache.get_many(keys)
    missing = [(k, c) for k, c in zip(keys, credentials, strict=True) if k not in listings]
    if missing:
        asked = asyncio.run(_ask_all([c for _, c in missing]))
        for (key, c), (models, error) in zip(missing, asked, strict=True):
            if models:
                cache.set(f"{key}:old", models, OLD_KEPT)
            elif error and not c.lacks and (old := cache.get(f"{key}:old")):
                models, error = old, f"{error} Its models are from an older list."
            listings[key] = models, error
            cache.set(key, listings[key], FAILURE_KEPT if error else KEPT)
    return [listings[k] for k in keys]


async def _ask_all(credentials: Iterable[Credential]) -> list[Listing]:
    async with make_client(connect_timeout=PATIENCE) as client:
        return await asyncio.gather(*(_ask(c, client) for c in credentials))


async def _ask(credential: Credential, client: httpx.AsyncClient) -> Listing:
    if lacks := credential.lacks:
        return [], lacks
    try:
        async with asyncio.timeout(PATIENCE + 1):
            listed = await list_models(
                credential.kind,
                base_url=credential.url,
                api_key=credential.key,
                client=client,
                timeout=PATIENCE,
            )
    except ProviderError as e:
        return [], f"{credential.name}: {e.message}"
    except TimeoutError:
        return [], f"{credential.name} did not answer."
    slug = credential.slug
    models = [
        CatalogModel(slug, m.id, m.name, m.context_length, m.price, m.reasons) for m in listed
    ]
    return models, ""


def _cache_key(credential: Credential) -> str:
    """Changes with whatever decides which list comes back; holds no secret."""
    lacks = credential.lacks
    mark = lacks or f"{credential.url}\n{hash(credential.key)}"
    return f"catalog-2:{credential.pk}:{hashlib.sha256(mark.encode()).hexdigest()}"
