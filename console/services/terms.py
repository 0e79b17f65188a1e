"""Who can be asked on the terms that were wished for, and who cannot."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..engine.spec import Panelist, letter
from ..engine.terms import NONE, NobodyLeft, Terms
from ..models import Credential
from .errors import Refused, TermsRefused

LEAST = 2  # seats that must be left when others fall away

_PLACES = {"judge": "The judge", "synthesizer": "The writer"}


@dataclass(frozen=True)
class LeftOut:
    """A seat, or with `is_fallback` whoever was to stand in, at `place` (as in NameRefused)."""

    place: str
    seat: int | None
    is_fallback: bool
    sentence: str

    @property
    def key(self) -> str:
        """By which a page says that it has told of it."""
        return f"{self.place}-{zlib.crc32(self.sentence.encode()):08x}"

    @property
    def told(self) -> str:
        """Before the run, in words."""
        what = "It is not used." if self.is_fallback else "It falls away."
        return f"{self.sentence} {what}"


class OnTerms:
    """`leaves_out`: seats fall away rather than make a refusal."""

    def __init__(self, terms: Terms, *, leaves_out: bool = False) -> None:
        self._terms, self._leaves_out = terms, leaves_out
        self._credentials: dict[str, Credential] | None = None
        self.left_out: list[LeftOut] = []

    def panel(
        self, seats: Sequence[Panelist], names_fallback: Sequence[bool]
    ) -> tuple[Panelist, ...]:
        """Raises TermsRefused, and Refused where too few seats are left."""
        kept = []
        for seat, panelist in enumerate(seats):
            try:
                kept.append(
                    self.must_keep(panelist, "panel", seat, names_fallback=names_fallback[seat])
                )
            except TermsRefused as refused:
                if not self._leaves_out:
                    raise
                self.left_out.append(LeftOut("panel", seat, False, str(refused)))
        if len(kept) < min(LEAST, len(seats)):
            fallen = " ".join(left.sentence for left in self.left_out if not left.is_fallback)
            raise Refused(f"{fallen} Fewer than two seats are left to compare.")
        return tuple(kept)

    def must_keep(
        self,
        panelist: Panelist,
        place: str,
        seat: int | None = None,
        *,
        names_fallback: bool = False,
    ) -> Panelist:
        """With the terms that its calls are made on. Raises TermsRefused. Nobody is asked for an
        answer from elsewhere."""
        if panelist.is_brought:
            return panelist
        try:
            terms = self._terms.and_also(panelist.terms)
        except NobodyLeft as nobody:
            raise TermsRefused(str(nobody), "only_providers", place, seat) from None
        self._refuse(panelist, terms, place, seat)
        return replace(
            panelist,
            terms=terms,
            fallback=self._fallback(panelist.fallback, terms, place, seat, named=names_fallback),
        )

    def _fallback(
        self, fallback: Panelist | None, terms: Terms, place: str, seat: int | None, *, named: bool
    ) -> Panelist | None:
        if fallback is None:
            return None
        try:
            self._refuse(fallback, terms, place, seat, is_fallback=True)
        except TermsRefused as refused:
            if named and not self._leaves_out:
                raise
            self.left_out.append(LeftOut(place, seat, True, str(refused)))
            return None
        return replace(
            fallback,
            terms=terms,
            fallback=self._fallback(fallback.fallback, terms, place, seat, named=named),
        )

    def _refuse(
        self,
        panelist: Panelist,
        terms: Terms,
        place: str,
        seat: int | None,
        *,
        is_fallback: bool = False,
    ) -> None:
        if terms == NONE:
            return
        credential = self._credential(panelist.credential)
        broken = credential.unkept(terms) if credential else terms.promises
        if not broken:
            return
        where = f"Seat {letter(seat)}" if seat is not None else _PLACES.get(place, "The model")
        if is_fallback:
            where = f"{where}: the fallback"
        server = credential.name if credential else panelist.credential
        what = terms.word(broken[0])
        field = {"panel": "fallback"}.get(place, f"{place}_fallback") if is_fallback else place
        sentence = (
            f"{where} ({panelist.short_name}) is asked at {server}, which does not promise: {what}."
        )
        raise TermsRefused(sentence, broken[0], field, seat)

    def _credential(self, slug: str) -> Credential | None:
        if self._credentials is None:
            self._credentials = {c.slug: c for c in Credential.objects.all()}
        return self._credentials.get(slug)
