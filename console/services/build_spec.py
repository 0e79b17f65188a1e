"""The one way to make a spec: whoever wants a run says what it wishes, `build` makes it a spec.

Form, preset, API, shell, MCP, `evaluate` and another fusion of a run each fill in a `Wish`;
who overrides a part of somebody's wish replaces that part. What is in it is checked here and
nowhere else, and what it leaves open becomes the usual.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings

from ..catalog.judging import can_judge, is_small
from ..catalog.listings import Look, Lookup
from ..catalog.names import ModelAt, ModelNames, UnknownName
from ..catalog.places import Fitting, ModelPlace, named_place, places_named
from ..catalog.prices import context_length_of, plain_name, price_of
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS
from ..catalog.thinking import reasons, usual_first_tokens
from ..engine.spec import MAX_SEATS, NOBODY, Panelist, Policy, Research, Spec, StopAfter
from ..engine.steps.prompts import SHAPES, shaped
from ..engine.steps.prompts import load as load_prompts
from ..engine.terms import NONE, Terms
from ..engine.wait_for import WaitFor
from ..models import Credential
from ..providers import kinds
from .brought import Brought, must_have_seats
from .errors import NameRefused, Refused
from .policy import chosen_policy, site_policy
from .terms import LeftOut, OnTerms
from .wait_for import must_be_possible
from .web import NO_CLAIMS, research_for, with_ways

CUSTOM = "custom"
DIRECT = "direct"  # one model, passed through
PATIENT_PANEL_TIMEOUT = 900
LOCAL = kinds.BUILT_IN.slug

# As somebody types it, or known already; a panelist is taken as it stands. "": nobody.
Model = str | ModelAt
Who = Model | Panelist


@dataclass(frozen=True)
class SeatWish:
    """A seat, and what is asked of it; options that are empty are the model's usual ones.

    Whoever read the options has seen to it that they are within their bounds.
    """

    model: Model
    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str = ""
    system_prompt: str = ""
    fallback: Model = ""
    label: str = ""
    seed: int | None = None
    # Where no limit is named there is none, not even the usual one of its server.
    is_unlimited: bool = False
    # Beside those of the run.
    terms: Terms = NONE


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a run. What is empty is as usual.

    `answers` from elsewhere have seats of their own behind the panel's. Where there is nobody
    else, nobody need be named as the judge: then the run ends with them side by side.
    """

    panel: Sequence[str | SeatWish | Panelist] = ()
    answers: Sequence[Brought] = ()
    judge: Who = ""
    synthesizer: Who = ""  # "": the judge writes
    judge_fallback: Model = ""
    synthesizer_fallback: Model = ""
    # How hard the judge thinks when it judges; as a writer it keeps its own measure.
    judge_effort: str = ""
    criteria: str = ""
    max_cost: Decimal | None = None  # of its runs: no part of a spec, but of who starts one
    reuse_minutes: int | None = None  # as `max_cost`: so long the very same question is answered
    shape: str = ""  # of the fused answer, one of SHAPES; "": full
    # What a preset says of the policy, and what is chosen for this run alone, maybe as text.
    limits: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    # Whom to wait for in this run alone.
    wait_for: WaitFor | None = None
    # Of a run that is there, whose answers are fused again: it stays.
    kept_policy: Policy | None = None
    stop_after: StopAfter = ""
    # What is asked of the call that answers (`Spec.request`).
    request: dict[str, Any] = field(default_factory=dict)
    preset: str = CUSTOM
    preset_name: str = "Custom"
    # One model answers, whoever stands as the judge, and nothing is fused.
    is_direct: bool = False
    # Names that no server lists are refused at once.
    listed_only: bool = False
    # On what terms every call is made. Seats that cannot be asked on them make a refusal, or
    # fall away, as long as two are left.
    terms: Terms = NONE
    leaves_out: bool = False
    # Research: what is chosen for this run alone, what the preset says, and its limits.
    web: str = ""
    usual_web: str = ""
    web_limits: Mapping[str, Any] = field(default_factory=dict)
    # Whether doubtful claims are looked up, where that is chosen for this run alone.
    web_claims: bool | None = None

    @property
    def has_terms(self) -> bool:
        seats = (seat.terms for seat in self.panel if not isinstance(seat, str))
        return any(terms != NONE for terms in (self.terms, *seats))

    def with_seats(self, changed: Callable[[SeatWish], SeatWish]) -> Wish:
        """Every seat changed alike; a panelist stays as it stands."""
        panel = [s if isinstance(s, Panelist) else changed(_wish_of(s)) for s in self.panel]
        return replace(self, panel=panel)


def judge_writes(wish: Wish) -> Wish:
    """The judge writes, too, whoever else was to: a cheap writer, where the judge is cheap."""
    return replace(wish, synthesizer="", synthesizer_fallback="")


def build(wish: Wish) -> Spec:
    """May ask servers for their lists, where names are to be found. Raises Refused: NameRefused
    and PolicyRefused say where it lies."""
    return build_and_tell(wish)[0]


def build_and_tell(wish: Wish) -> tuple[Spec, list[LeftOut]]:
    """`build`, and who is left out of it for the terms that were wished for."""
    wish = replace(wish, panel=[seat for seat in wish.panel if is_named(seat)])
    _must_be_whole(wish)
    wish = _with_places(wish)
    people, on_terms = _People(wish), OnTerms(wish.terms, leaves_out=wish.leaves_out)
    if wish.is_direct:
        judge, synthesizer = on_terms.must_keep(people.judge(wish), "panel"), None
        panel: tuple[Panelist, ...] = (judge,)
    else:
        seats = people.seats(wish)
        # Whoever named a fallback for this run alone relies on it; a preset's stands back.
        named = [isinstance(s, SeatWish) and _is_typed(s.fallback) for s in wish.panel]
        panel = seats if wish.kept_policy else on_terms.panel(seats, named)
        panel += tuple(answer.panelist for answer in wish.answers)
        judge, synthesizer = people.judge_and_synthesizer(wish)
        if judge != NOBODY:
            named_fallback = _is_typed(wish.judge_fallback)
            judge = on_terms.must_keep(judge, "judge", names_fallback=named_fallback)
        if synthesizer:
            synthesizer = on_terms.must_keep(
                synthesizer,
                "synthesizer" if is_named(wish.synthesizer) else "judge",
                names_fallback=_is_typed(wish.synthesizer_fallback),
            )
    research = _research(wish, panel)
    spec = Spec(
        panel=with_ways(panel, research),
        judge=judge,
        synthesizer=synthesizer,
        prompts=shaped(load_prompts(), wish.shape),
        policy=chosen_policy(
            _policy(wish, panel, judge, synthesizer or judge), wish.policy, wish.wait_for
        ),
        preset=wish.preset,
        preset_name=wish.preset_name,
        criteria=wish.criteria,
        stop_after="panel" if wish.is_direct or judge == NOBODY else wish.stop_after,
        request=wish.request,
        shuffle_seed=secrets.randbits(128),
        terms=wish.terms,
        research=research,
    )
    return spec, on_terms.left_out


def _research(wish: Wish, panel: Sequence[Panelist]) -> Research | None:
    """Where somebody is asked: a model that is passed through alone is told what it was told, and
    another fusion goes by what was read for the answers."""
    is_for_somebody = any(not panelist.is_brought for panelist in panel)
    if wish.is_direct or wish.kept_policy or not is_for_somebody:
        return None
    if wish.web_claims is None:
        return research_for(wish.web, wish.usual_web, wish.web_limits)
    limits = {**wish.web_limits, "claims": wish.web_claims}
    found = research_for(wish.web, wish.usual_web, limits)
    if wish.web_claims and not (found and found.claims):
        raise Refused(NO_CLAIMS)
    return found


def _with_places(wish: Wish) -> Wish:
    """Places that are named where a model could be (`anthropic/strongest`), filled as of now."""
    panel = [seat if isinstance(seat, Panelist) else _wish_of(seat) for seat in wish.panel]
    named = [name if isinstance(name := getattr(s, "model", ""), str) else "" for s in panel]
    judge, writer = (who if isinstance(who, str) else "" for who in (wish.judge, wish.synthesizer))
    if not any(map(named_place, (*named, judge, writer))):
        return wish
    seats, judging, writing = places_named([_model_of(seat) for seat in panel], judge, writer)
    for number, (seat, name) in enumerate(zip(panel, named, strict=True)):
        if isinstance(seat, SeatWish) and (place := named_place(name)):
            panel[number] = replace(seat, model=_fitting(place, seats[number], "panel", number))
    if place := named_place(judge):
        wish = replace(wish, judge=_fitting(place, judging, "judge"))
    if place := named_place(writer):
        wish = replace(wish, synthesizer=_fitting(place, writing, "synthesizer"))
    return replace(wish, panel=panel)


def _model_of(seat: SeatWish | Panelist) -> str:
    return seat.model.model if isinstance(seat.model, ModelAt) else seat.model


def _fitting(
    place: ModelPlace, found: Fitting | None, field: str, seat: int | None = None
) -> ModelAt:
    if found is None:
        raise NameRefused(f"No model that your keys reach fits “{place.label}”.", field, seat)
    return ModelAt(found.credential, found.model)


def find_panelist(name: str, terms: Terms) -> Panelist:
    """One more for a panel, by the name people type. Raises NameRefused."""
    found = _People(Wish(panel=[name])).seat(0, name)
    return OnTerms(terms).must_keep(found, "panel")


def _wish_of(seat: str | SeatWish) -> SeatWish:
    return SeatWish(seat) if isinstance(seat, str) else seat


def _must_be_whole(wish: Wish) -> None:
    if not (wish.panel or wish.answers or wish.is_direct):
        raise Refused("Choose at least one model for the panel.")
    if len(wish.panel) > MAX_SEATS:
        raise Refused(f"A panel has at most {MAX_SEATS} models.")
    if wish.answers:
        must_have_seats(len(wish.panel), wish.answers)
    if wish.shape and wish.shape not in SHAPES:
        raise Refused(f"A fused answer has no shape “{wish.shape}”.")
    if not (is_named(wish.judge) or _needs_no_judge(wish)):
        raise Refused("Choose a judge.")
    if wish.wait_for and wish.panel and not wish.is_direct:
        must_be_possible(wish.wait_for, len(wish.panel))


def _needs_no_judge(wish: Wish) -> bool:
    return bool(wish.answers) and not wish.panel and not is_named(wish.synthesizer)


def is_named(who: Who | SeatWish) -> bool:
    """Whether it names anybody."""
    named = who.model if isinstance(who, SeatWish) else who
    return bool(named.strip()) if isinstance(named, str) else True


def _is_typed(who: Who) -> bool:
    return isinstance(who, str) and is_named(who)


def _is_tiny(panelist: Panelist) -> bool:
    """Whether it is the packaged model: in its place `up` may serve a larger one."""
    return panelist.credential == LOCAL and not settings.LOCAL_MODEL_CONTEXT


def _policy(wish: Wish, panel: Sequence[Panelist], judge: Panelist, writer: Panelist) -> Policy:
    if wish.kept_policy:
        return wish.kept_policy
    is_slow = wish.is_direct or any(p.credential == LOCAL for p in panel)
    usual: dict[str, float | None] = {
        # Without a limit the built-in model writes for minutes.
        "analysis_max_output_tokens": LOCAL_ANALYSIS_TOKENS if _is_tiny(judge) else None,
        "synthesis_max_output_tokens": LOCAL_SYNTHESIS_TOKENS if _is_tiny(writer) else None,
        # The built-in model's seats share one small server; a model that answers alone has the
        # limits of its call.
        "panel_timeout": PATIENT_PANEL_TIMEOUT if is_slow else None,
    }
    left_open = {name: value for name, value in usual.items() if not wish.limits.get(name)}
    return site_policy(**{**wish.limits, **left_open})


def _everybody(wish: Wish) -> Iterator[Who]:
    for seat in wish.panel:
        if isinstance(seat, SeatWish):
            yield from (seat.model, seat.fallback)
        else:
            yield seat
    yield from (wish.judge, wish.synthesizer, wish.judge_fallback, wish.synthesizer_fallback)


class _People:
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
        wish = _wish_of(seat)
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
        if is_free and _is_tiny(panelist) and panelist.max_output_tokens is None:
            return replace(panelist, max_output_tokens=tokens)
        return panelist

    def _instead(self, who: Model, place: str, tokens: int) -> Panelist | None:
        if not is_named(who):
            return None
        other = panelist_at(self._find(who, place), self._look)
        return replace(other, max_output_tokens=tokens) if _is_tiny(other) else other

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
