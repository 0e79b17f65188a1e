"""Who searches, fetches and keeps for one attempt at a run, on the engine's behalf."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from ..engine.errors import LeaseLost
from ..engine.pool import NotRead, PageRead, Pool, SearchHits
from ..engine.state import RunStatus
from ..models import Run, SourceText
from .addresses import Allowed
from .client import Client, Limits, NotFetched
from .engines import Engine, SearchFailed, configured
from .kept_pages import KeptPages
from .reading import Reader

log = logging.getLogger(__name__)

Db = Callable[..., Awaitable[Any]]
NO_ENGINE = "No search engine is configured."


def engine() -> Engine | None:
    """The one that this site searches with; None: nobody is offered the web."""
    return configured(settings.SEARCH_ENGINES)


def price_of_a_search() -> Decimal:
    """US dollars, with the engine that this site searches with."""
    found = engine()
    return settings.SEARCH_PRICES[found.kind.slug] if found else Decimal(0)


@cache
def _client(allowed: tuple[str, ...], heeds_robots: bool) -> Client:
    """Of a worker process: it remembers what sites ask of programs."""
    return Client(Allowed.of(allowed), Limits(heeds_robots=heeds_robots))


@cache
def _reader() -> Reader:
    return Reader()


@cache
def _pages() -> KeptPages:
    return KeptPages()


@dataclass
class SiteResearcher:
    run_id: Any
    attempt: int
    db: Db

    def __post_init__(self) -> None:
        self._engine = engine()
        self.engine = self._engine.name if self._engine else ""
        self.price = price_of_a_search()

    async def search(self, query: str, count: int) -> SearchHits:
        if self._engine is None:
            raise NotRead(NO_ENGINE)
        try:
            hits = await self._engine.search(query, count)
        except SearchFailed as why:
            raise NotRead(str(why)) from None
        except Exception:  # whatever an engine answers, its run goes on
            log.exception("a search with %s failed in an unforeseen way", self.engine)
            raise NotRead(f"{self.engine} could not be searched.") from None
        return SearchHits([{"url": hit.url, "title": hit.title} for hit in hits], self.price)

    async def read(self, url: str) -> PageRead:
        return await _pages().read(url, self._fetch)

    async def _fetch(self, url: str) -> PageRead:
        client = _client(tuple(settings.FETCH_ALLOW), settings.FETCH_ROBOTS)
        try:
            page = await client.fetch(url)
            text = await _reader().read(page)
        except NotFetched as why:
            raise NotRead(str(why)) from None
        except Exception:  # whatever a page is made of, it costs nobody their run
            log.exception("a page could not be read, in an unforeseen way")
            raise NotRead("It cannot be read.") from None
        hash = hashlib.sha256(page.body).hexdigest()
        return PageRead(page.address, text.title, text.text, hash, text.pages, text.is_cut)

    async def keep(self, pool: Pool, texts: Mapping[int, str]) -> None:
        await self.db(_keep, self.run_id, self.attempt, pool, dict(texts))

    async def texts(self) -> dict[int, str]:
        found: dict[int, str] = await self.db(texts_of, self.run_id)
        return found


def _keep(run_id: Any, attempt: int, pool: Pool, texts: dict[int, str]) -> None:
    with transaction.atomic():
        mine = Run.objects.filter(pk=run_id, attempt=attempt, status=RunStatus.RUNNING)
        if not mine.update(research=pool):
            raise LeaseLost
        SourceText.objects.bulk_create(
            [SourceText(run_id=run_id, number=n, text=text) for n, text in texts.items()],
            update_conflicts=True,
            unique_fields=["run", "number"],
            update_fields=["text"],
        )


def texts_of(run_id: Any) -> dict[int, str]:
    rows = SourceText.objects.filter(run_id=run_id)
    return dict(rows.order_by("number").values_list("number", "text"))
