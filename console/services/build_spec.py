"""The one way to make a spec: whoever wants a run says what it wishes (wish.py), `build` makes it a
spec. What is in a wish is checked here and nowhere else, and what it leaves open becomes the usual.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from ..catalog.names import ModelAt
from ..catalog.places import Fitting, ModelPlace, named_place, places_named
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS
from ..engine.spec import MAX_SEATS, NOBODY, Panelist, Policy, Research, Spec
from ..engine.steps.prompts import SHAPES, shaped
from ..engine.steps.prompts import load as load_prompts
from ..engine.terms import Terms
from .brought import must_have_seats
from .errors import NameRefused, Refused
from .panelists import LOCAL, Panelists, is_tiny
from .policy import chosen_policy, site_policy
from .terms import LeftOut, OnTerms
from .wait_for import must_be_possible
from .web import NO_CLAIMS, research_for, with_ways
from .wish import SeatWish, Who, Wish, is_named, wish_of

PATIENT_PANEL_TIMEOUT = 900


def build(wish: Wish) -> Spec:
    """May ask servers for their lists, where names are to be found. Raises Refused: NameRefused
    and PolicyRefused say where it lies."""
    return build_and_tell(wish)[0]


def build_and_tell(wish: Wish) -> tuple[Spec, list[LeftOut]]:
    """`build`, and who is left out of it for the terms that were wished for."""
    wish = replace(wish, panel=[seat for seat in wish.panel if is_named(seat)])
    _must_be_whole(wish)
    wish = _with_places(wish)
    people, on_terms = Panelists(wish), OnTerms(wish.terms, leaves_out=wish.leaves_out)
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
    panel = [seat if isinstance(seat, Panelist) else wish_of(seat) for seat in wish.panel]
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
    found = Panelists(Wish(panel=[name])).seat(0, name)
    return OnTerms(terms).must_keep(found, "panel")


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


def _is_typed(who: Who) -> bool:
    return isinstance(who, str) and is_named(who)


def _policy(wish: Wish, panel: Sequence[Panelist], judge: Panelist, writer: Panelist) -> Policy:
    if wish.kept_policy:
        return wish.kept_policy
    is_slow = wish.is_direct or any(p.credential == LOCAL for p in panel)
    usual: dict[str, float | None] = {
        # Without a limit the built-in model writes for minutes.
        "analysis_max_output_tokens": LOCAL_ANALYSIS_TOKENS if is_tiny(judge) else None,
        "synthesis_max_output_tokens": LOCAL_SYNTHESIS_TOKENS if is_tiny(writer) else None,
        # The built-in model's seats share one small server; a model that answers alone has the
        # limits of its call.
        "panel_timeout": PATIENT_PANEL_TIMEOUT if is_slow else None,
    }
    left_open = {name: value for name, value in usual.items() if not wish.limits.get(name)}
    return site_policy(**{**wish.limits, **left_open})
