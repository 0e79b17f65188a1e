"""What can be chosen where a model is named: one line a model, with the keys that reach it.

The same model at several servers is one line; each of its ways has the name that it is asked for
by, its key, price and context. What is not known is None, never a guess. Pages get it as JSON,
made once for each state of the catalog: the page itself searches in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from ..engine.findings.families import family
from ..engine.spec import short_name
from ..models import CatalogModel
from .lines import bare_name, line_of
from .makers import makers
from .prices import context_length_of, price_of

# Younger ones are told to be new.
NEW = timedelta(days=30)
# It stands within a page.
_IN_HTML = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&"}


@dataclass(frozen=True)
class Way:
    """How a model is reached: `name` is what is typed for it, `whole` the same with the key's slug.

    Prices are dollars per million tokens."""

    name: str
    whole: str
    key: str
    input_price: float | None
    output_price: float | None
    context: int | None


@dataclass(frozen=True)
class ModelOffer:
    title: str  # its own name, without its author's
    maker: str
    takes: tuple[str, ...]  # beside text
    has_tools: bool
    reasons: bool
    is_new: bool
    ends: str  # "12 January", or "" where no end is known
    ways: tuple[Way, ...]

    def to_dict(self) -> dict[str, Any]:
        """What is empty is left out: a list of thousands goes over the wire."""
        ways = [astuple(way) for way in self.ways]
        told = {
            "title": self.title,
            "maker": self.maker,
            "takes": list(self.takes),
            "tools": self.has_tools,
            "reasons": self.reasons,
            "new": self.is_new,
            "ends": self.ends,
        }
        return {name: value for name, value in told.items() if value} | {"ways": ways}


def names_of(models: Sequence[CatalogModel]) -> list[str]:
    """By which each is asked for: with its credential where several list the name."""
    times = Counter(m.model for m in models)
    return [m.model if times[m.model] == 1 else f"{m.credential_slug}:{m.model}" for m in models]


def offers(models: Sequence[CatalogModel], today: date | None = None) -> list[ModelOffer]:
    """In the order of the lists. What writes no text is nobody's seat."""
    today = today or timezone.localdate()
    lines: dict[tuple[str, ...], list[list[tuple[CatalogModel, str]]]] = {}
    order: list[list[tuple[CatalogModel, str]]] = []
    for row, name in zip(models, names_of(models), strict=True):
        if row.outputs is not None and "text" not in row.outputs:
            continue
        alike = lines.setdefault(_sameness(row.model), [])
        same = next((rows for rows in alike if _is_one_of(row, rows)), None)
        if same is None:
            same = []
            alike.append(same)
            order.append(same)
        same.append((row, name))
    return [_offer(rows, today) for rows in order]


def offers_as_json(models: Sequence[CatalogModel]) -> SafeString:
    """The same, as it may stand in a page, made anew only when something in it has changed."""
    global _made
    today = timezone.localdate()
    state = (today, tuple(map(_state, models)))
    made = _made  # another thread may put its own there meanwhile
    if made is None or made[0] != state:
        told = [offer.to_dict() for offer in offers(models, today)]
        _made = made = state, in_html(told)
    return made[1]


def in_html(told: Any) -> SafeString:
    """JSON that may stand in an element of a page."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(_IN_HTML))


_made: tuple[Any, SafeString] | None = None


def _state(row: CatalogModel) -> tuple[Any, ...]:
    at = row.credential
    return (
        *(at.pk, at.slug, at.name, at.kind, at.url, at.environment, row.model, row.context_length),
        *(row.input_price, row.output_price, row.own_input_price, row.own_output_price),
        *(row.reasons, row.takes_tools),
        *(tuple(row.inputs or ()), row.published_at, row.expires_at),
        row.outputs is None or "text" in row.outputs,
    )


@lru_cache(maxsize=16_384)
def _sameness(model: str) -> tuple[str, ...]:
    """What models have in common that may be the same: the name, and how it is served, which
    stands behind a colon, unless that is the size."""
    bare = bare_name(model)
    variant = model.rpartition("/")[2].partition(":")[2].casefold()
    return bare, "" if variant and bare.endswith(variant.partition("-")[0]) else variant


def _is_one_of(row: CatalogModel, rows: Iterable[tuple[CatalogModel, str]]) -> bool:
    """Two names at one key are two models: only one of them is what somebody means."""
    line = line_of(row.model)
    return all(
        row.credential_id != other.credential_id
        and (row.model == other.model or line.is_that_of(line_of(other.model)))
        for other, _ in rows
    )


def _offer(rows: Sequence[tuple[CatalogModel, str]], today: date) -> ModelOffer:
    models = [row for row, _ in rows]
    first = models[0]
    takes = dict.fromkeys(kind for row in models for kind in row.inputs or () if kind != "text")
    # At one key it may end, at another not: what is told is true of all of them.
    ends = [row.expires_at for row in models]
    last = max((end for end in ends if end), default=None) if all(ends) else None
    published = min((row.published_at for row in models if row.published_at), default=None)
    return ModelOffer(
        title=short_name(first.model),
        maker=_maker(first.model),
        takes=tuple(takes),
        has_tools=any(row.takes_tools for row in models),
        reasons=any(row.reasons for row in models),
        is_new=bool(published) and today - published.date() <= NEW if published else False,
        ends=_day(last.date(), today) if last else "",
        ways=tuple(_way(row, name) for row, name in rows),
    )


def _way(row: CatalogModel, name: str) -> Way:
    price = price_of(row.credential, row.model, lambda *_: row)
    return Way(
        name,
        f"{row.credential_slug}:{row.model}",
        row.credential.name,
        float(price.input) if price else None,
        float(price.output) if price else None,
        context_length_of(row.credential, row.model, lambda *_: row),
    )


def _maker(model: str) -> str:
    slug = family(model)
    known = makers().get(slug)
    return known.label if known else slug


def _day(day: date, today: date) -> str:
    return f"{day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
