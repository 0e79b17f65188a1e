"""Who could sit in the seats that are still empty: of other families, reached by the keys there
are, reliable here, under a price; each with its reason in three words.

Nobody is asked anything: lists are rows, and so are the calls of the last month.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..catalog.listings import known_models
from ..catalog.makers import CHEAP, STRONGEST
from ..catalog.places import Reach, is_for_talking
from ..catalog.prices import plain_name, price_of
from ..engine.findings.families import family
from ..engine.spec import MAX_SEATS
from ..engine.terms import NONE, Terms
from ..models import CatalogModel, Credential
from .seen_here import SeenHere, seen_here

SEATS = 3  # that a panel is filled up to
# So many calls say something, and who fails more of them than this share is not proposed.
ENOUGH, MOST_FAILED = 3, 0.2


@dataclass(frozen=True)
class Proposal:
    """`name` as it is typed, with its key."""

    name: str
    reason: str


@dataclass(frozen=True)
class _Candidate:
    credential: Credential
    model: str
    word: str


def panel_proposed(
    *,
    named: Sequence[str],
    seats: int | None = None,
    max_price: float | None = None,
    terms: Terms = NONE,
) -> list[Proposal]:
    """For a panel on which `named` sit: as many as there are of, at most. `max_price`: dollars per
    million tokens of output; whoever's is not known is not proposed then. `terms` are what is
    asked of everybody."""
    wanted = seats if seats is not None else max(SEATS - len(named), 1)
    wanted = min(wanted, MAX_SEATS - len(named))
    calls, prices = seen_here(), _Prices()
    sitting = {family(_bare(name)) for name in named if name.strip()}
    there = {name.strip().casefold() for name in named}
    proposed: list[Proposal] = []
    candidates = [one for one in _candidates() if not one.credential.unkept(terms)]
    for only_others in (True, False):  # a family twice rather than an empty seat
        for candidate in candidates:
            if len(proposed) >= wanted:
                return proposed
            name = f"{candidate.credential.slug}:{candidate.model}"
            its = family(candidate.model)
            if {name.casefold(), candidate.model.casefold()} & there:
                continue
            if its in sitting and only_others:
                continue
            seen = calls.get((candidate.credential.slug, candidate.model), SeenHere())
            if seen.calls >= ENOUGH and seen.failed / seen.calls > MOST_FAILED:
                continue
            if not prices.is_at_most(candidate, max_price):
                continue
            word = "reliable" if seen.calls >= ENOUGH else candidate.word
            proposed.append(
                Proposal(name, f"{'another' if only_others else 'same'} family, {word}")
            )
            sitting.add(its)
            there |= {name.casefold(), candidate.model.casefold()}
    return proposed


def judge_proposed(*, panel: Sequence[str], max_price: float | None = None) -> str:
    """Off the panel's families where there is one."""
    found = panel_proposed(named=[*panel][: MAX_SEATS - 1], seats=1, max_price=max_price)
    return found[0].name if found else next(iter(panel), "")


def _candidates() -> Iterator[_Candidate]:
    """The strongest of each maker, the cheap ones, then whatever else is listed."""
    reach = Reach(Credential.objects.all())
    for grade, word in ((STRONGEST, "strongest"), (CHEAP, "cheap")):
        for maker in reach.makers(grade):
            if best := reach.best(maker, grade):
                yield _Candidate(best.credential, best.model, word)
    for row in known_models(reach.credentials):
        if is_for_talking(row):
            yield _Candidate(row.credential, row.model, "listed")


class _Prices:
    """Of output, in dollars per million tokens, from rows that are read once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], CatalogModel] | None = None

    def is_at_most(self, candidate: _Candidate, most: float | None) -> bool:
        if most is None:
            return True
        if self._rows is None:
            known = known_models([c for c in Credential.objects.all() if c.is_ready])
            self._rows = {(row.credential_id, row.model): row for row in known}
        at = candidate.credential
        row = self._rows.get((at.pk, plain_name(at, candidate.model)))
        price = price_of(at, candidate.model, lambda *_: row)
        return price is not None and float(price.output) <= most


def _bare(name: str) -> str:
    key, _, model = name.partition(":")
    return model if "/" not in key and model else name
