"""The catalog a page at a time: searched, narrowed, in the order of names. Nobody is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from ..models import CatalogList, CatalogModel, Credential
from .changes import Begins, begins_of, came_lately, repriced_lately, went_lately
from .prices import price_of

PAGE = 50
CHUNK = 200  # rows that are looked through for those without a price
LONGEST, MOST_WORDS = 100, 6

CHANGED, ENDING, UNPRICED, OWN, STARRED = "changed", "ending", "unpriced", "own", "starred"
NARROWED = (STARRED, CHANGED, ENDING, UNPRICED, OWN)


@dataclass(frozen=True)
class CatalogQuery:
    """`after`: the last row of the page before."""

    text: str = ""
    only: str = ""
    after: int | None = None
    starred: Collection[tuple[str, str]] = ()


@dataclass(frozen=True)
class CatalogPage:
    rows: Sequence[CatalogModel]
    has_more: bool
    begins: Begins


@dataclass(frozen=True)
class ListKnown:
    """What is known of a key's list; behind another address than it was read at are others."""

    credential: Credential
    read_at: datetime | None
    error: str
    is_readable: bool


def lists_known() -> list[ListKnown]:
    """Of every key that is ready, as far as anybody has asked."""
    ready = [c for c in Credential.objects.order_by("name") if c.is_ready]
    lists = CatalogList.objects.in_bulk([c.pk for c in ready])
    known = []
    for key in ready:
        of = lists.get(key.pk)
        is_of_it = of is None or of.read_at is None or of.address == key.url
        read_at = of.read_at if of and is_of_it else None
        known.append(ListKnown(key, read_at, of.error if of else "", is_of_it))
    return known


def browse(asked: CatalogQuery, credentials: Sequence[Credential]) -> CatalogPage:
    at = {c.pk: c for c in credentials}
    begins = begins_of(at)
    rows = CatalogModel.objects.filter(credential__in=at).order_by("model", "pk")
    rows = _narrowed(rows, asked, came_lately(begins))
    for word in asked.text[:LONGEST].split()[:MOST_WORDS]:
        rows = rows.filter(_says(word))
    last = CatalogModel.objects.filter(pk=asked.after).first() if asked.after else None
    if last is not None:
        rows = rows.filter(Q(model__gt=last.model) | Q(model=last.model, pk__gt=last.pk))
    found: list[CatalogModel] = []
    for row in _unpriced(rows, at) if asked.only == UNPRICED else rows[: PAGE + 1]:
        row.credential = at[row.credential_id]
        found.append(row)
        if len(found) > PAGE:
            break
    return CatalogPage(found[:PAGE], len(found) > PAGE, begins)


def _narrowed(rows: QuerySet[CatalogModel], asked: CatalogQuery, came: Q) -> QuerySet[CatalogModel]:
    match asked.only:
        case "changed":
            return rows.filter(came | went_lately() | repriced_lately())
        case "ending":
            rows = rows.exclude(expires_at=None)
        case "own":
            rows = rows.exclude(own_price_at=None)
        case "starred":
            starred = Q(pk__in=[])
            for key, model in asked.starred:
                starred |= Q(credential__slug=key, model=model)
            rows = rows.filter(starred)
        case "unpriced":
            no_list_price = Q(input_price=None) | Q(output_price=None)
            rows = rows.filter(no_list_price, own_price_at=None)
    return rows.filter(gone_at=None)


def _unpriced(rows: QuerySet[CatalogModel], at: dict[int, Credential]) -> Iterator[CatalogModel]:
    """Those of which no price is published either."""
    for row in rows.iterator(chunk_size=CHUNK):
        row.credential = at[row.credential_id]
        if price_of(row.credential, row.model, lambda *_, row=row: row) is None:
            yield row


def _says(word: str) -> Q:
    return (
        Q(model__icontains=word)
        | Q(name__icontains=word)
        | Q(credential__name__icontains=word)
        | Q(credential__slug__icontains=word)
    )
