"""A line of the catalog as its page tells it: what a model costs and who says so, what it reads,
what has become of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version

from django.utils import timezone

from ..catalog.changes import LATELY, Changes
from ..catalog.fitness import Catalog, successor
from ..catalog.prices import context_length_of, published_price
from ..engine.usage import Price
from ..models import CatalogModel

# As long before its end as another is offered.
FREE, UNKNOWN = "free", "unknown"


@dataclass(frozen=True)
class PriceView:
    """In and out, and who says so; `since`: as of when, where that is known."""

    given: str
    made: str
    said_by: str
    since: datetime | None = None
    is_unknown: bool = False


@dataclass(frozen=True)
class ModelView:
    pk: int
    whole: str  # credential:model
    model: str
    name: str
    key: str
    price: PriceView
    listed: PriceView | None  # beside an own price
    context: str
    does: str
    notes: Sequence[tuple[str, str]]  # (kind, words)
    instead: str
    is_starred: bool


def model_view(
    row: CatalogModel,
    *,
    read_at: datetime | None,
    starred: Collection[tuple[str, str]],
    is_new: bool,
    catalog: Catalog | None,
) -> ModelView:
    """`catalog`: where another may be offered in its place."""
    key = row.credential
    listed = _listed_price(row, read_at)
    own = row.own_price
    context = context_length_of(key, row.model, lambda *_: row)
    takes = [kind for kind in row.inputs or () if kind != "text"]
    if row.takes_tools:
        takes.append("tools")
    if row.reasons:
        takes.append("reasoning")
    other = successor(key.slug, row.model, catalog) if catalog else None
    return ModelView(
        pk=row.pk,
        whole=f"{key.slug}:{row.model}",
        model=row.model,
        name=row.name if row.name.casefold() != row.model.casefold() else "",
        key=key.name,
        price=_view(own, "set here", row.own_price_at) if own else listed,
        listed=listed if own else None,
        context=_tokens(context),
        does=", ".join(takes),
        notes=[*_notes(row, is_new=is_new)],
        instead=f"{other.key}:{other.model}" if other else "",
        is_starred=(key.slug, row.model) in starred,
    )


def changes_told(changes: Changes) -> str:
    told = (
        (changes.came, "new"),
        (changes.went, "gone"),
        (changes.repriced, "with another price"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in told if count)


def is_leaving(row: CatalogModel) -> bool:
    return row.gone_at is not None or row.expires_at is not None


def price_words(dollars: Decimal) -> str:
    """Dollars per million tokens: every digit that there is, of cents at least two."""
    if not dollars:
        return FREE
    whole, _, rest = f"{dollars.normalize():f}".partition(".")
    return f"${int(whole):,}.{rest.ljust(2, '0')}"


def _listed_price(row: CatalogModel, read_at: datetime | None) -> PriceView:
    if row.credential.is_local:
        return _view(Price(Decimal(0), Decimal(0)), "this machine")
    if row.price:
        return _view(row.price, "its list", read_at)
    if published := published_price(row.credential, row.model):
        return _view(published, f"published, genai-prices {version('genai-prices')}")
    return PriceView(UNKNOWN, UNKNOWN, "nobody says", is_unknown=True)


def _view(price: Price, said_by: str, since: datetime | None = None) -> PriceView:
    return PriceView(price_words(price.input), price_words(price.output), said_by, since)


def _notes(row: CatalogModel, *, is_new: bool) -> Sequence[tuple[str, str]]:
    notes, since = [], timezone.now() - LATELY
    if row.gone_at:
        notes.append(("ends", f"not offered since {_day(row.gone_at)}"))
    elif row.expires_at:
        word = "ended" if row.expires_at <= timezone.now() else "ends"
        notes.append(("ends", f"{word} {_day(row.expires_at)}"))
    if is_new and row.first_seen_at:
        notes.append(("new", f"new since {_day(row.first_seen_at)}"))
    if row.price_changed_at and row.price_changed_at > since:
        was, until = row.former_price, _day(row.price_changed_at)
        told = f"{price_words(was.input)} in, {price_words(was.output)} out" if was else UNKNOWN
        notes.append(("price", f"price {told} until {until}"))
    return notes


def _day(moment: datetime) -> str:
    here = timezone.localtime(moment)
    year = "" if here.year == timezone.localtime().year else f" {here.year}"
    return f"{here.day} {here:%B}{year}"


def _tokens(context: int | None) -> str:
    if context is None:
        return UNKNOWN
    if context >= 999_500:
        return f"{context / 1e6:.1f} M"
    return f"{round(context / 1000)} k" if context >= 1000 else str(context)
