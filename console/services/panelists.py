"""From whom a wish names to panelists: found, with what is known of their models and what is usual
for their servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from django.conf import settings

from ..catalog.judging import can_judge, is_small
from ..catalog.listings import Look, Lookup
from ..catalog.names import ModelAt, ModelNames, UnknownName
from ..catalog.prices import context_length_of, plain_name, price_of
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS
from ..catalog.thinking import reasons, usual_first_tokens
from ..engine.spec import NOBODY, Panelist
from ..models import Credential
from ..providers import kinds
from .errors import NameRefused
from .wish import Model, SeatWish, Who, Wish, is_named, wish_of

LOCAL = kinds.BUILT_IN.slug


def is_tiny(panelist: Panelist) -> bool:
    """Whether it is the packaged model: in its place `up` may serve a larger one."""
    return panelist.credential == LOCAL and not settings.LOCAL_MODEL_CONTEXT


def _everybody(wish: Wish) -> Iterator[Who]:
    for seat in wish.panel:
        if isinstance(seat, SeatWish):
            yield from (seat.model, seat.fallback)
        else:
            yield seat
    yield from (wish.judge, wish.synthesizer, wish.judge_fallback, wish.synthesizer_fallback)


class Panelists:
    """From whom a wish names to panelists."""

    def __init__(self, wish: Wish) -> None:
        typed = [who for who in _everybody(wish) if isinstance(who, str) and is_named(who)]
        # Of whom all is known, nobody is asked anything.
        self._names = ModelNames(*typed, listed_only=wish.listed_only) if typed else None
        self._look = self._names.look if self._names else Lookup()
        known = [who for who in _everybody(wish) if isinstance(who, ModelAt)]
        self._look.add([pair for who in known for pair in _looked_up(who)])
        self._is_direct, self._keeps_policy = wish.is_direct, bool(wish.kept_policy)

    def seats(self, wish: Wish) -> tuple[Panelist, ...]:
        """Of several that cannot be asked all are told at once."""
        seats, refused = [], []
        for number, seat in enumerate(wish.panel):
            try:
                seats.append(self.seat(number, seat))
            except NameRefused as refusal:
                refused.append(refusal)
        if refused:
            refused[0].also = tuple(refused[1:])
            raise refused[0]
        return tuple(seats)

    def seat(self, number: int, seat: str | SeatWish | Panelist) -> Panelist:
        if isinstance(seat, Panelist):
            return seat
        wish = wish_of(seat)
        model_at, fallback = self._find(wish.model, "panel", number), None
        if is_named(wish.fallback):
            other = self._seated(wish, self._find(wish.fallback, "fallback", number))
            # What the seat asks of its answer, it asks of whoever stands in too.
            fallback = replace(other, system_prompt=wish.system_prompt)
        return replace(
            self._seated(wish, model_at),
            label=wish.label,
            temperature=wish.temperature,
            seed=wish.seed,
            reasoning_effort=wish.reasoning_effort or None,
            system_prompt=wish.system_prompt,
            fallback=fallback,
            terms=wish.terms,
        )

    def _seated(self, wish: SeatWish, found: ModelAt) -> Panelist:
        usual = self._usual_first_tokens.get((found.credential.slug, found.model))
        return replace(_limited(wish, found, self._look), usual_first_token=usual)

    @cached_property
    def _usual_first_tokens(self) -> dict[tuple[str, str], float]:
        return usual_first_tokens()

    def judge(self, wish: Wish) -> Panelist:
        return self._judging(wish.judge, "judge", LOCAL_ANALYSIS_TOKENS)

    def judge_and_synthesizer(self, wish: Wish) -> tuple[Panelist, Panelist | None]:
        if not is_named(wish.judge):
            return NOBODY, None
        plain, synthesizer = self.judge(wish), None
        if is_named(wish.synthesizer):
            synthesizer = self._judging(wish.synthesizer, "synthesizer", LOCAL_SYNTHESIS_TOKENS)
        judge = plain
        if instead := self._instead(wish.judge_fallback, "judge_fallback", LOCAL_ANALYSIS_TOKENS):
            judge = replace(judge, fallback=instead)
        if instead := self._instead(
            wish.synthesizer_fallback, "synthesizer_fallback", LOCAL_SYNTHESIS_TOKENS
        ):
            # The judge may write, and yet somebody else stand in for it when it fails at that.
            synthesizer = replace(synthesizer or plain, fallback=instead)
        if wish.judge_effort:
            synthesizer = synthesizer or judge
            judge = replace(judge, reasoning_effort=wish.judge_effort)
        return judge, synthesizer

    def _judging(self, who: Who, place: str, tokens: int) -> Panelist:
        is_frozen = isinstance(who, Panelist)
        panelist = (
            _as_known_now(who, self._look)
            if isinstance(who, Panelist)
            else panelist_at(self._find(who, place), self._look)
        )
        # Where the policy is not made for it, the built-in model has its limit itself.
        is_free = self._is_direct or (self._keeps_policy and not is_frozen)
        if is_free and is_tiny(panelist) and panelist.max_output_tokens is None:
            return replace(panelist, max_output_tokens=tokens)
        return panelist

    def _instead(self, who: Model, place: str, tokens: int) -> Panelist | None:
        if not is_named(who):
            return None
        other = panelist_at(self._find(who, place), self._look)
        return replace(other, max_output_tokens=tokens) if is_tiny(other) else other

    def _find(self, who: Model, place: str, seat: int | None = None) -> ModelAt:
        if isinstance(who, ModelAt):
            return who
        assert self._names  # somebody is named
        try:
            return self._names.find(who)
        except UnknownName as unknown:
            raise NameRefused(str(unknown), place, seat, unknown.near) from None


def _looked_up(known: ModelAt) -> Iterator[tuple[Credential, str]]:
    plain = plain_name(known.credential, known.model)
    yield from ((known.credential, known.model), (known.credential, plain))


def _limited(wish: SeatWish, model_at: ModelAt, look: Look) -> Panelist:
    usual = None if wish.is_unlimited else usual_limit(model_at.credential)
    panelist = panelist_at(model_at, look, max_output_tokens=wish.max_output_tokens or usual)
    if panelist.max_output_tokens is None:
        return panelist
    return replace(panelist, limit_is_chosen=wish.max_output_tokens is not None)


def panelist_at(model_at: ModelAt, look: Look, *, max_output_tokens: int | None = None) -> Panelist:
    """Without a limit it is a judge or a synthesizer, whose limits are the policy's."""
    is_tiny = model_at.credential.is_tiny
    panelist = Panelist(
        model=model_at.model,
        credential=model_at.credential.slug,
        # A model this small wanders when it is left any freedom.
        temperature=0.0 if is_tiny and max_output_tokens is None else None,
        max_output_tokens=max_output_tokens,
        price=price_of(model_at.credential, model_at.model, look),
        context_length=context_length_of(model_at.credential, model_at.model, look),
        reasons=reasons(model_at.credential, model_at.model, look),
    )
    return _as_known_now(panelist, look, model_at.credential)


def _as_known_now(panelist: Panelist, look: Look, credential: Credential | None = None) -> Panelist:
    """Whether it can judge. Whoever judged an earlier fusion may be known to be too small now."""
    credential = credential or Credential.objects.filter(slug=panelist.credential).first()
    if credential is None:
        return panelist
    judges = None if can_judge(credential, panelist.model, look) else False
    small = True if judges is None and is_small(credential, panelist.model, look) else None
    return replace(panelist, judges=judges, is_small=small)


def usual_limit(credential: Credential) -> int | None:
    """Of other servers nothing is known, and one may refuse a limit above its context."""
    if credential.server and credential.server.output_tokens:
        return credential.server.output_tokens
    return credential.known_kind.output_tokens if credential.known_kind else None
