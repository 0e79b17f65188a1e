"""Which models each credential offers: the catalog's rows, read anew from their servers.

A list that was asked for minutes ago is asked for again before it is shown, one that could
not be read after seconds; workers see to it that none gets older than a day. What a server
does not answer changes no row. Nothing here waits longer than `PATIENCE`, so a dead server
never hangs a page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from operator import or_
from typing import Any

import httpx
from django.db import transaction
from django.db.models import BigIntegerField, CharField, F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ..engine.errors import ProviderError
from ..models import CatalogList, CatalogModel, Credential
from ..models.catalog import nano_dollars
from ..models.credentials import all_credentials
from ..models.prepared import Prepared, count_for, each, some
from ..providers.listing import ModelInfo
from ..providers.registry import list_models
from ..providers.wire.http import make_client
from .changes import CHANGES, note_change

PATIENCE = 5.0
KEPT = 5 * 60
FAILURE_KEPT = 20
OLDEST = timedelta(days=1)
FEW = 64  # names of models; for so many at most the SQL is made once
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Listing = tuple[list[CatalogModel], str]

# Columns that a server's list fills.
TOLD = (
    *("name", "position", "context_length", "output_tokens", "inputs", "outputs", "alias_of"),
    *("input_price", "output_price", "cached_input_price", "reasons", "takes_tools", "expires_at"),
)
# Some servers give the moment at which they are asked for it.
WRITTEN = (*TOLD, "published_at", "last_seen_at", "gone_at", *CHANGES)


@dataclass(frozen=True)
class ListRead:
    """What came of asking for a list: the models, or why there are none."""

    credential: Credential
    models: Sequence[ModelInfo] = ()
    error: str = ""


def models_of(credential: Credential) -> Listing:
    """(models, ""), or what is left of them and why, as a sentence."""
    return _listings([credential])[0]


def look_up(credentials: Sequence[Credential]) -> None:
    """So that `prices` knows what they list, asked all at once."""
    _read_anew(credentials)


def all_models() -> tuple[list[CatalogModel], list[str]]:
    """Of every credential that is ready; servers that do not answer are named in the second."""
    models: list[CatalogModel] = []
    errors: list[str] = []
    ready = [c for c in all_credentials() if c.is_ready]
    for listed, error in _listings(ready):
        models += listed
        if error:
            errors.append(error)
    return models, errors


def listed_model(credential: Credential, *names: str) -> CatalogModel | None:
    """What the catalog has of a model, the first of the names that it knows, also of one that
    is gone. Asks nobody."""
    rows = listed_models((credential, name) for name in names)
    at = ((credential.pk, name) for name in names)
    return next((rows[one] for one in at if one in rows), None)


def listed_models(named: Iterable[tuple[Credential, str]]) -> dict[tuple[int, str], CatalogModel]:
    """The same of many at once, by credential and name."""
    named = list(named)
    credentials = {credential.pk: credential for credential, _ in named}
    found: dict[tuple[int, str], CatalogModel] = {}
    for row in _named(list(credentials), list({name for _, name in named})):
        row.credential = credentials[row.credential_id]
        if row.read_at is None or row.address == row.credential.url:
            found[row.credential_id, row.model] = row
    return found


def _named(credentials: list[int], names: list[str]) -> Iterable[Any]:
    """Each with its list's address and when that was read."""
    if not names:
        return []
    if len(names) > FEW:
        return _of_names(Q(credential__in=credentials), names)
    question = _of_few_names(count_for(credentials), count_for(names))
    return question.rows(**each("credential", credentials), **each("name", names))


def _of_names(credentials: Q, names: Sequence[Any]) -> QuerySet[CatalogModel]:
    return CatalogModel.objects.filter(credentials, model__in=names).annotate(
        address=F("credential__catalog_list__address"),
        read_at=F("credential__catalog_list__read_at"),
    )


@cache
def _of_few_names(credentials: int, names: int) -> Prepared:
    ids = some("credential", BigIntegerField(), credentials)
    theirs = reduce(or_, (Q(credential=one) for one in ids))
    return Prepared(lambda: _of_names(theirs, some("name", CharField(), names)))


# `listed_model`, or a `Lookup`: how whoever wants to know of a model looks it up.
Look = Callable[..., CatalogModel | None]


class Lookup:
    """`listed_model` that reads each name once, and those it is told of at first all together."""

    def __init__(self, named: Iterable[tuple[Credential, str]] = ()) -> None:
        self._read: set[tuple[int, str]] = set()
        self._rows: dict[tuple[int, str], CatalogModel] = {}
        self.add(named)

    def __call__(self, credential: Credential, *names: str) -> CatalogModel | None:
        self.add((credential, name) for name in names)
        at = ((credential.pk, name) for name in names)
        return next((self._rows[one] for one in at if one in self._rows), None)

    def add(self, named: Iterable[tuple[Credential, str]]) -> None:
        named = [(c, name) for c, name in named if (c.pk, name) not in self._read]
        if named:
            self._read |= {(credential.pk, name) for credential, name in named}
            self._rows |= listed_models(named)


def known_models(credentials: Sequence[Credential]) -> list[CatalogModel]:
    """What they list, as far as anybody has asked. Asks nobody."""
    at_hand = _rows(credentials, CatalogList.objects.in_bulk([c.pk for c in credentials]))
    return [row for c in credentials for row in at_hand.get(c.pk, [])]


def _listings(credentials: Sequence[Credential]) -> list[Listing]:
    lists = _read_anew(credentials)
    rows = _rows([c for c in credentials if not c.lacks], lists)
    return [_listing(c, lists.get(c.pk), rows.get(c.pk, [])) for c in credentials]


def _listing(credential: Credential, of: CatalogList | None, rows: list[CatalogModel]) -> Listing:
    error = credential.lacks or (of.error if of else "")
    if error and rows:
        error = f"{error} Its models are from an older list."
    return rows, error


def _rows(
    credentials: Iterable[Credential], lists: dict[int, CatalogList]
) -> dict[int, list[CatalogModel]]:
    rows: dict[int, list[CatalogModel]] = {
        c.pk: [] for c in credentials if _is_of(c, lists.get(c.pk))
    }
    at = {c.pk: c for c in credentials}
    present = CatalogModel.objects.filter(credential__in=rows, gone_at=None)
    for row in present.order_by("position", "model"):
        row.credential = at[row.credential_id]
        rows[row.credential_id].append(row)
    return rows


def _is_of(credential: Credential, of: CatalogList | None) -> bool:
    """Whether the rows are of the server that the credential leads to now. Before a list was
    read there are those that an admin has named."""
    return of is None or of.read_at is None or of.address == credential.url


# ---- reading lists anew


def _read_anew(credentials: Sequence[Credential]) -> dict[int, CatalogList]:
    """The lists by credential, after those that are due have been asked for."""
    pks = {c.pk for c in credentials}
    lists = _lists(pks)
    due = [c for c in credentials if not c.lacks and _is_due(c, lists.get(c.pk))]
    if not due:
        return lists
    keep(ask(due))
    return _lists(pks)


def _lists(credentials: Set[int]) -> dict[int, CatalogList]:
    """A site has a handful, and most who ask want them all."""
    return {row.pk: row for row in _LISTS.rows() if row.pk in credentials}


_LISTS = Prepared(lambda: CatalogList.objects.all())


def _is_due(credential: Credential, of: CatalogList | None) -> bool:
    if of is None:
        return True
    if credential.has_key_elsewhere and of.read_at:
        return False  # whoever has the key reads it
    if of.mark != _mark(credential):
        return True
    kept = FAILURE_KEPT if of.error else KEPT
    return of.asked_at < timezone.now() - timedelta(seconds=kept)


def claim_old_lists() -> list[Credential]:
    """Those that nobody has asked for in a day, or with the address and key of now, marked as
    asked for: of several workers one gets each."""
    now = timezone.now()
    claimed = []
    for credential in Credential.objects.all():
        if not credential.is_ready or credential.has_key_elsewhere:
            continue
        CatalogList.objects.get_or_create(credential=credential, defaults={"asked_at": NEVER})
        mark = _mark(credential)
        old = CatalogList.objects.filter(credential=credential)
        if old.exclude(asked_at__gt=now - OLDEST, mark=mark).update(asked_at=now, mark=mark):
            claimed.append(credential)
    return claimed


def ask(credentials: Sequence[Credential]) -> list[ListRead]:
    """All at once. No database is needed."""
    return asyncio.run(_ask_all(credentials))


async def _ask_all(credentials: Iterable[Credential]) -> list[ListRead]:
    async with make_client(connect_timeout=PATIENCE) as client:
        return await asyncio.gather(*(_ask(c, client) for c in credentials))


async def _ask(credential: Credential, client: httpx.AsyncClient) -> ListRead:
    try:
        async with asyncio.timeout(PATIENCE + 1):
            models = await list_models(
                credential.kind,
                base_url=credential.url,
                api_key=credential.key,
                client=client,
                timeout=PATIENCE,
            )
    except ProviderError as e:
        return ListRead(credential, error=f"{credential.name}: {e.message}")
    except TimeoutError:
        return ListRead(credential, error=f"{credential.name} did not answer.")
    return ListRead(credential, models)


def keep(lists: Iterable[ListRead]) -> None:
    for asked in lists:
        with transaction.atomic():
            _keep(asked)


def _keep(asked: ListRead) -> None:
    credential, now = asked.credential, timezone.now()
    if not Credential.objects.filter(pk=credential.pk).exists():
        return  # deleted while its server was asked
    CatalogList.objects.get_or_create(credential=credential, defaults={"asked_at": NEVER})
    # Two that read the same list write one after the other.
    of = CatalogList.objects.select_for_update().get(credential=credential)
    of.asked_at, of.mark, of.error = now, _mark(credential), asked.error
    if not asked.error:
        moved = of.read_at is not None and of.address != credential.url
        _keep_models(credential, asked.models, now, moved=moved)
        of.read_at, of.address = now, credential.url
    of.save()


def _keep_models(
    credential: Credential, models: Sequence[ModelInfo], now: datetime, *, moved: bool
) -> None:
    """Only what changed is written, in one statement. Behind another address are other
    models: those of the old one are not gone, they never were there."""
    known = {row.model: row for row in CatalogModel.objects.filter(credential=credential)}
    listed = [_row(credential, n, m, now) for n, m in enumerate(models)]
    for row in listed:
        note_change(row, known.get(row.model), now)
    CatalogModel.objects.bulk_create(
        [row for row in listed if _says_more(row, known.get(row.model))],
        update_conflicts=True,
        unique_fields=["credential", "model"],
        update_fields=WRITTEN,
    )
    there = {row.model for row in listed}
    # Of one that an admin has named and no list ever had, no list says that it has gone.
    away = [r.pk for r in known.values() if r.model not in there and r.last_seen_at]
    absent = CatalogModel.objects.filter(pk__in=away)
    if moved:
        absent.delete()
    else:
        absent.filter(gone_at=None).update(gone_at=now)
    seen = CatalogModel.objects.filter(credential=credential, gone_at=None)
    seen.exclude(last_seen_at=None).update(last_seen_at=now)


def _row(credential: Credential, position: int, model: ModelInfo, now: datetime) -> CatalogModel:
    price = model.price
    return CatalogModel(
        credential=credential,
        model=model.id,
        name=model.name,
        position=position,
        context_length=model.context_length,
        output_tokens=model.output_tokens,
        input_price=nano_dollars(price.input) if price else None,
        output_price=nano_dollars(price.output) if price else None,
        cached_input_price=nano_dollars(price.cached_input) if price else None,
        inputs=None if model.inputs is None else list(model.inputs),
        outputs=None if model.outputs is None else list(model.outputs),
        reasons=model.reasons,
        takes_tools=model.takes_tools,
        alias_of=model.alias_of,
        published_at=model.published_at,
        expires_at=model.expires_at,
        first_seen_at=now,
        last_seen_at=now,
    )


def _says_more(row: CatalogModel, known: CatalogModel | None) -> bool:
    if known is None or known.gone_at or known.last_seen_at is None:
        return True
    return any(getattr(row, name) != getattr(known, name) for name in TOLD)


def _mark(credential: Credential) -> str:
    """Changes with whatever decides which list comes back."""
    value = f"{credential.url}\n{credential.key.reveal()}"
    return salted_hmac("console.catalog", value, algorithm="sha256").hexdigest()
