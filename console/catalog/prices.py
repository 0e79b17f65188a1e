"""What a model costs and how much it can read: as its server lists it, else as published.

Nothing here asks anybody: what a list says is known once somebody has read it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from ..engine.usage import Price
from ..models import Credential
from .listings import Look, listed_model

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo


def price_of(credential: Credential, model: str, look: Look = listed_model) -> Price | None:
    """What is known without asking anybody: what an admin says is paid, the list if it is at hand,
    else published prices."""
    if credential.is_local:
        return Price(Decimal(0), Decimal(0))
    row = look(credential, model)
    return (row and (row.own_price or row.price)) or published_price(credential, model)


def context_length_of(credential: Credential, model: str, look: Look = listed_model) -> int | None:
    """In tokens, as listed or published, without asking anybody."""
    if credential.server and credential.server.context_length:
        return credential.server.context_length
    row = look(credential, model, plain_name(credential, model))
    if row and row.context_length:
        return row.context_length
    info = _published(credential, model)
    return info.context_window if info else None


def plain_name(credential: Credential, model: str) -> str:
    """Without what its server takes behind a name: that changes the price, not what is read."""
    name, _, variant = model.rpartition(":")
    kind = credential.known_kind
    return name if kind and variant in kind.variants else model


def _published(credential: Credential, model: str) -> ModelInfo | None:
    publisher = (credential.known_kind and credential.known_kind.published_as) or None
    return _found(model, publisher, None if publisher else credential.url)


# What is published comes with its package and does not change. A name that nobody publishes, as
# those of servers of one's own, is compared with all that are: 1 ms, five times for a run's page.
@lru_cache(maxsize=4096)
def _found(model: str, publisher: str | None, url: str | None) -> ModelInfo | None:
    # Slow to load, and most processes never ask.
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, publisher, url)[1]
    except LookupError:
        return None


def published_price(credential: Credential, model: str) -> Price | None:
    """The first tier's, as published; None for a server nobody publishes prices of."""
    info = _published(credential, model)
    if info is None:
        return None
    from genai_prices.types import TieredPrices

    prices = info.get_prices(datetime.now(UTC))

    def per_million(name: str) -> Decimal | None:
        price = getattr(prices, name, None)
        return price.base if isinstance(price, TieredPrices) else price

    given, made = per_million("input_mtok"), per_million("output_mtok")
    if given is None or made is None:
        return None
    return Price(given, made, per_million("cache_read_mtok"))
