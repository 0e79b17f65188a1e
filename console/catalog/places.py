"""Places of presets: a maker and a grade in the stead of a model, and what fills them.

A place is written `anthropic/strongest`, `any/cheap` or `other/strongest`; *other* is a maker
who does not sit on the panel. A place that names a maker whom no key reaches is filled by
another one: seats by makers who do not sit there yet, and where there is only one, by its
best again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ..engine.findings.families import family
from ..models import CatalogModel, Credential
from .listings import known_models
from .makers import CHEAP, GRADES, STRONGEST, Rank, makers, rank_of
from .prices import published_price

ANY, OTHER = "any", "other"
# Where the table knows no cheap model of a server, its price says so: dollars per million
# tokens of output.
CHEAP_OUTPUT = 5
# Who will be gone so soon fills no place.
SOON = timedelta(days=30)
# Of models that no line names: what is no model for talking to.
_NOT_FOR_TALKING = re.compile(
    r"embed|tts|whisper|image|audio|realtime|transcri|moderat|guard|rerank|ocr|vision|-vl\b|live"
    r"|search|coder|codex|code\b|computer|video|speech|music|safety|instruct-base|-base\b|^~|:"
)


@dataclass(frozen=True)
class ModelPlace:
    maker: str  # a maker's slug, ANY or OTHER
    grade: str

    def __str__(self) -> str:
        return f"{self.maker}/{self.grade}"

    @property
    def label(self) -> str:
        names = {ANY: "Any maker", OTHER: "A maker not on the panel"}
        known = makers().get(self.maker)
        return f"{known.label if known else names.get(self.maker, self.maker)}, {self.grade}"


def read_place(text: str) -> ModelPlace:
    """Raises ValueError in words for whoever typed it."""
    maker, _, grade = text.partition("/")
    if grade not in GRADES or maker not in {ANY, OTHER, *makers()}:
        raise ValueError(
            f"“{text}” is no place: it is a maker and {' or '.join(GRADES)}, as in "
            f"anthropic/{STRONGEST} or {ANY}/{CHEAP}."
        )
    return ModelPlace(maker, grade)


def place_choices(*, seats: bool) -> list[tuple[str, str]]:
    """Of a form; a seat cannot be of a maker who is not on the panel."""
    slugs = [ANY, *([] if seats else [OTHER]), *makers()]
    places = [ModelPlace(slug, grade) for grade in GRADES for slug in slugs]
    return [(str(place), place.label) for place in places]


@dataclass(frozen=True)
class Fitting:
    credential: Credential
    model: str
    name: str
    maker: str
    rank: tuple[Any, ...]
    can_judge: bool = True  # unless an admin says otherwise


def named_place(name: str) -> ModelPlace | None:
    """Of what may be a model's name."""
    try:
        return read_place(name.strip()) if name.strip().rpartition("/")[2] in GRADES else None
    except ValueError:
        return None


class Reach:
    """What the keys of the site reach, by grade and maker: the best of each first."""

    def __init__(self, credentials: Iterable[Credential]) -> None:
        there = [c for c in credentials if c.is_ready and not c.is_local]
        # A small machine is no stand-in for what a key is paid for.
        elsewhere = [c for c in there if not c.is_on_own_machine]
        self.credentials = elsewhere or there
        soon = timezone.now() + SOON
        rows = [row for row in known_models(self.credentials) if _is_usable(row, soon)]
        self._found = {grade: _ranked(rows, grade) for grade in GRADES}

    def makers(self, grade: str) -> list[str]:
        """In the order in which they take places."""
        order = list(makers())
        found = self._found[grade]
        return sorted(found, key=lambda m: order.index(m) if m in order else len(order))

    def best(self, maker: str, grade: str) -> Fitting | None:
        return self._found[grade].get(maker)


@dataclass(frozen=True)
class Wanted:
    """Places of a preset, in their order; None where a model is named, whose maker counts."""

    panel: Sequence[ModelPlace | None]
    judge: ModelPlace | None = None
    writer: ModelPlace | None = None
    named: Sequence[str] = ()  # the makers of seats that name their model


@dataclass(frozen=True)
class Filled:
    panel: Sequence[Fitting | None]
    judge: Fitting | None
    writer: Fitting | None


def fill(wanted: Wanted, reach: Reach) -> Filled:
    panel: list[Fitting | None] = [
        reach.best(place.maker, place.grade) if place else None for place in wanted.panel
    ]
    for seat, place in enumerate(wanted.panel):
        if place and panel[seat] is None:
            panel[seat] = _stand_in(place.grade, panel, wanted, reach)
    sitting = {c.maker for c in panel if c} | set(wanted.named)
    judge = _beside(wanted.judge, sitting, reach, judges=True)
    return Filled(panel, judge, _beside(wanted.writer, sitting, reach))


def places_named(
    panel: Sequence[str], judge: str, writer: str
) -> tuple[Sequence[Fitting | None], Fitting | None, Fitting | None]:
    """What the places among these names are filled with now; None for each that is a model's."""
    wanted = Wanted(
        panel=[named_place(name) for name in panel],
        judge=named_place(judge),
        writer=named_place(writer),
        named=[family(name) for name in panel if not named_place(name)],
    )
    filled = fill(wanted, Reach(Credential.objects.all()))
    return filled.panel, filled.judge, filled.writer


def _stand_in(
    grade: str, panel: Sequence[Fitting | None], wanted: Wanted, reach: Reach
) -> Fitting | None:
    """Of a maker who sits there the fewest times, so that two makers take turns."""
    sitting = [c.maker for c in panel if c] + list(wanted.named)
    reached = reach.makers(grade)
    maker = min(reached, key=lambda m: (sitting.count(m), reached.index(m)), default="")
    return reach.best(maker, grade)


def _beside(
    place: ModelPlace | None, sitting: set[str], reach: Reach, *, judges: bool = False
) -> Fitting | None:
    """The place's maker, or the first who does not sit there, or else the first."""
    if place is None:
        return None
    reached = reach.makers(place.grade)
    if place.maker != ANY:
        reached.sort(key=lambda maker: (maker != place.maker, maker in sitting))
    found = (reach.best(maker, place.grade) for maker in reached)
    return next((f for f in found if f and (f.can_judge or not judges)), None)


def _ranked(rows: Sequence[CatalogModel], grade: str) -> dict[str, Fitting]:
    best: dict[str, Fitting] = {}
    for row in rows:
        found = rank_of(row.model, grade)
        if found is None:
            continue
        maker, rank = found
        fitting = _fitting(row, maker, (*rank, *_server(row.credential, maker)))
        if maker not in best or fitting.rank < best[maker].rank:
            best[maker] = fitting
    if grade == CHEAP:
        best = _by_price(rows, best) | best
    return best


def _fitting(row: CatalogModel, maker: str, rank: tuple[Any, ...]) -> Fitting:
    return Fitting(
        row.credential, row.model, row.name or row.model, maker, rank, row.can_judge is not False
    )


def _by_price(rows: Sequence[CatalogModel], known: dict[str, Fitting]) -> dict[str, Fitting]:
    """Of servers on which the table knows nobody cheap, what costs little: the newest of a strong
    line, or the dearest."""
    served = {c.credential.pk for c in known.values()}
    best: dict[str, Fitting] = {}
    for row in rows:
        if row.credential_id in served or _NOT_FOR_TALKING.search(row.model.lower()):
            continue
        price = row.own_price or row.price or published_price(row.credential, row.model)
        if price is None or price.output > CHEAP_OUTPUT:
            continue
        strong = rank_of(row.model, STRONGEST)
        maker = strong[0] if strong else row.credential.slug
        # A model of a strong line that is older costs less, and is known.
        rank = (not strong, strong[1] if strong else (), -price.output, row.position)
        fitting = _fitting(row, maker, rank)
        if maker not in best or fitting.rank < best[maker].rank:
            best[maker] = fitting
    return best


def _is_usable(row: CatalogModel, soon: Any) -> bool:
    if row.outputs is not None and "text" not in row.outputs:
        return False
    return row.expires_at is None or row.expires_at > soon


def is_for_talking(row: CatalogModel) -> bool:
    """Of one that no line names: whether it may be asked, by its name and list."""
    is_other = _NOT_FOR_TALKING.search(row.model.lower())
    return not is_other and _is_usable(row, timezone.now() + SOON)


def _server(credential: Credential, maker: str) -> tuple[int, str]:
    """The same model is asked at its maker's own server first, then where a kind has its home."""
    host = makers()[maker].host
    own = host in credential.url.partition("://")[2].partition("/")[0]
    home = bool(credential.known_kind and credential.known_kind.home)
    return 0 if own else 1 if home else 2, credential.slug


def is_newer(one: Fitting, than: str, grade: str) -> bool:
    """Whether it is of a better rank than a name, both of one maker; nobody knows of a name that
    stands in no line."""
    found, best = rank_of(than, grade), rank_of(one.model, grade)
    return bool(found and best and best[0] == found[0] and _standing(best[1]) < _standing(found[1]))


def _standing(rank: Rank) -> tuple[Any, ...]:
    """Without how the same model is written elsewhere."""
    preview, line, version, size, *_ = rank
    return preview, line, version, size
