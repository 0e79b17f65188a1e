"""What has changed in the lists of models lately: who came, who went, who costs another price."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from ..models import CatalogModel

# So long it is told that something has changed.
LATELY = timedelta(days=30)
Begins = Mapping[int, datetime]
CHANGES = ("price_changed_at", "former_input_price", "former_output_price")


@dataclass(frozen=True)
class Changes:
    """How many, of the last `LATELY`."""

    came: int
    went: int
    repriced: int


def note_change(row: CatalogModel, known: CatalogModel | None, now: datetime) -> None:
    """Into a row that is to be written: what it cost until now, where its list says another price
    than the last time."""
    if known is None or known.last_seen_at is None:
        return
    for name in CHANGES:
        setattr(row, name, getattr(known, name))
    if (row.input_price, row.output_price) != (known.input_price, known.output_price):
        row.price_changed_at = now
        row.former_input_price, row.former_output_price = known.input_price, known.output_price


def begins_of(credentials: Collection[int]) -> Begins:
    """When the first list of each key was read: of that one all models are new."""
    rows = CatalogModel.objects.filter(credential__in=credentials).order_by()
    began = rows.values_list("credential").annotate(Min("first_seen_at"))
    return {credential: first for credential, first in began if first is not None}


def came_lately(begins: Begins) -> Q:
    came = Q(pk__in=[])
    for credential, begin in begins.items():
        came |= Q(credential=credential, first_seen_at__gt=max(begin, _since()))
    return came


def is_new(row: CatalogModel, begins: Begins) -> bool:
    begin = begins.get(row.credential_id)
    if row.first_seen_at is None or begin is None:
        return False
    return row.first_seen_at > max(begin, _since())


def went_lately() -> Q:
    return Q(gone_at__gt=_since())


def repriced_lately() -> Q:
    return Q(price_changed_at__gt=_since(), gone_at=None)


def changes(begins: Begins) -> Changes:
    counted = CatalogModel.objects.filter(credential__in=begins).aggregate(
        came=Count("pk", filter=came_lately(begins) & Q(gone_at=None)),
        went=Count("pk", filter=went_lately()),
        repriced=Count("pk", filter=repriced_lately()),
    )
    return Changes(**counted)


def _since() -> datetime:
    return timezone.now() - LATELY
