"""From what a program asks to the spec of a run.

A *plan* is a spec, and for OpenRouter's tool form the spec of the one call in
which the outer model decides whether a panel is worth asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User

from ... import access
from ...catalog.near import did_you_mean
from ...engine.spec import Spec
from ...engine.terms import NONE, Terms
from ...models import Credential, OwnPreset, Preset
from ...providers.kinds import OPENROUTER
from ...services.brought import AnswerRefused, Brought, brought
from ...services.errors import Refused
from ...services.own_presets import own_wish
from ...services.panel_fill import panel_proposed
from ...services.policy import OF_JUDGING
from ...services.presets import (
    default_preset_slug,
    preset_lacks,
    preset_slugs,
    preset_wish,
    presets_enabled,
)
from ...services.quickest import fast_wish
from ...services.web import OWN, PROVIDER, is_offered
from ...services.wish import CUSTOM, DIRECT, SeatWish, Who, Wish, judge_writes
from ..http.errors import ApiError
from .asked import ALIASES, FLASH, PREFIX, PanelRequest
from .project import offered_preset
from .refusals import built
from .schemas import Asking, BroughtAnswer, FusionParameters, PanelSeat
from .terms import asked_terms, places, terms_of, together
from .tools import Tool, Tools, type_of, warning_of

# How the outer model is offered a panel, and what it is known by when it wants one.
DECIDE = "ask_fusion_panel"
DECIDE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": DECIDE,
        "description": "Ask several models at once, have their answers compared, and answer "
        "from all of them. Slow and several times as dear as answering yourself: for hard, "
        "contested or consequential questions only. Answer simple requests directly.",
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}
BUDGET = "budget"
# OpenRouter's names for what our presets are; older clients of its put “or-” before them. The
# panel of the fast one is found when it is asked.
OPENROUTER_PRESETS = {"general-high": "quality", "general-budget": BUDGET}
OPENROUTER_FAST = "general-fast"


@dataclass(frozen=True)
class Plan:
    """`direct`: one model answers and nothing is fused. `decide`: asked first, and may answer.
    `answers` are those from elsewhere that the spec was built with, `warnings` sentences about
    what of the request was left out."""

    model: str
    spec: Spec
    answers: tuple[Brought, ...] = ()
    direct: bool = False
    decide: Spec | None = None
    warnings: tuple[str, ...] = ()

    @property
    def keeps_tools(self) -> bool:
        return self.direct or self.decide is not None


def plan_for(
    body: Asking,
    request: dict[str, Any],
    *,
    depth: int = 0,
    of_token: Terms = NONE,
    by: str = "",
    person: User | None = None,
    usual: str = "",
) -> Plan:
    """`request` is what the answering call is asked for (`Spec.request`), `of_token` what the
    token asks of each of its requests, `by` whose name is on answers from elsewhere, `person`
    whose own presets may be named, `usual` the preset where the request says none. Raises
    ApiError.

    Reads the database and may ask providers for their lists.
    """
    asked = PanelRequest.of(body, person, usual)
    answers = brought_answers(body.fusion.answers, by)
    if body.fusion.panel == [] and not answers:
        message = "A panel has at least 1 model, unless there are answers from elsewhere."
        raise ApiError("invalid_request", message, param="fusion.panel")
    plan = _plan(asked, request, terms_of(body, of_token), depth, answers)
    return replace(plan, warnings=(*asked.offered.warnings, *plan.warnings))


def brought_answers(given: Sequence[BroughtAnswer], by: str) -> tuple[Brought, ...]:
    """Raises ApiError."""
    try:
        return tuple(
            brought(number=number, name=one.name, text=one.content, model=one.model or "", by=by)
            for number, one in enumerate(given)
        )
    except AnswerRefused as refused:
        param = f"fusion.answers.{refused.number}.{refused.part}"
        raise ApiError("invalid_request", str(refused), param=param) from None


def _plan(
    asked: PanelRequest,
    request: dict[str, Any],
    terms: Terms,
    depth: int,
    answers: tuple[Brought, ...],
) -> Plan:
    body, options = asked.body, asked.options(request)
    if answers and depth > 0:
        raise ApiError("recursion_refused", param="fusion.answers")
    if answers and asked.is_switched_off:
        message = "Answers from elsewhere are given, and the panel is switched off: choose one."
        raise ApiError("invalid_request", message, param="fusion.answers")
    if depth > 0 and asked.is_alias and not asked.is_switched_off:
        # One level only: what was asked for by name is refused, what was offered is left out.
        raise ApiError("recursion_refused", param="model")
    if depth > 0 or not asked.wants_fusion:
        outer = _outer(asked)
        if body.models:
            # Of one model alone: a panel's seats and its writer have fallbacks of their own.
            terms = together(terms, Terms(beside={"models": body.models}))
        spec = _direct(outer, _with_options(request, options), terms, body)
        spec, warnings = _with_server_tools(spec, asked.offered.searching)
        return Plan(body.model, spec, direct=True, warnings=warnings)
    spec = _fused(asked, _with_options(request, options), terms, answers)
    if not asked.may_decide:
        return Plan(body.model, spec, answers)
    if asked.choice == "none":
        return Plan(body.model, _direct(spec.writer, spec.request, spec.terms, body), direct=True)
    offered = _with_options(request, options | {"tools": [*asked.tools, DECIDE_TOOL]})
    return Plan(body.model, spec, decide=_direct(spec.writer, offered, spec.terms, body))


def _with_options(request: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in request.items() if k != "options"}
    return rest | ({"options": options} if options else {})


def _outer(asked: PanelRequest) -> Who:
    """Who answers where nothing is fused."""
    model = asked.body.model
    return (
        built(_base(model, None, asked.person, asked.usual), {"panel": "model"}).writer
        if asked.is_alias
        else model
    )


def _direct(outer: Who, request: dict[str, Any], terms: Terms, body: Asking) -> Spec:
    """One call to one model, as a run."""
    wish = Wish(
        judge=outer,
        is_direct=True,
        request=request,
        preset=DIRECT,
        preset_name="Direct",
        listed_only=True,
        terms=terms,
        policy=body.fusion.policy,
    )
    return built(wish, {"panel": "model", "judge": "model"} | _places_of_terms(body))


def _fused(
    asked: PanelRequest, request: dict[str, Any], terms: Terms, answers: tuple[Brought, ...]
) -> Spec:
    own, wished = asked.body.fusion, asked.wished
    judged = _judged(asked, _panel(asked, terms))
    wish = replace(
        judged,
        answers=answers,
        terms=together(judged.terms, terms),
        judge_effort=_effort(wished),
        policy=own.policy,
        wait_for=own.chosen_wait_for,
        request=request,
        listed_only=True,
        web=own.web or _web_of(asked.offered),
        web_claims=own.web_claims,
    )
    if own.synthesizer:
        wish = replace(wish, synthesizer=own.synthesizer, synthesizer_fallback="")
    if own.judge_writes:
        if own.synthesizer:
            message = "A writer is named, and the judge is to write: choose one of them."
            raise ApiError("invalid_request", message, param="fusion.judge_writes")
        wish = judge_writes(wish)
    if own.judge_fallback:
        wish = replace(wish, judge_fallback=own.judge_fallback)
    if own.synthesizer_fallback:
        wish = replace(wish, synthesizer_fallback=own.synthesizer_fallback)
    return built(wish, _places(asked))


def _web_of(offered: Tools) -> str:
    """Of OpenRouter's tools: each seat searches by itself, or where nothing here searches, its
    provider does."""
    if not offered.searching:
        return ""
    return OWN if is_offered() else PROVIDER


def _with_server_tools(spec: Spec, tools: Sequence[Tool]) -> tuple[Spec, tuple[str, ...]]:
    """Handed on as they are where OpenRouter is asked; elsewhere they are left out."""
    if not tools:
        return spec, ()
    credential = Credential.objects.filter(slug=spec.judge.credential).first()
    if credential is None or credential.kind != OPENROUTER.slug:
        return spec, (warning_of(sorted({type_of(tool) for tool in tools})),)
    options = dict(spec.request.get("options", {}))
    options["tools"] = [*options.get("tools", ()), *tools]
    return replace(spec, request=_with_options(spec.request, options)), ()


def _panel(asked: PanelRequest, terms: Terms) -> Wish:
    """Whom the request names for the panel, or a preset's, with what is asked of all of them."""
    own, wished = asked.body.fusion, asked.wished
    if own.panel == []:
        return _nobody_asked(asked)
    names: Sequence[str | PanelSeat] = own.panel or _models_of(wished, terms)
    base = _base_beside(asked, names)
    if not names:
        assert base
        return base.with_seats(lambda seat: _asked(seat, wished))
    panel = [_seat(named, wished) for named in names]
    if base is None or asked.names_judge:
        return Wish(panel=panel, judge=panel[0].model)
    # What its judge and synthesizer may write goes with them.
    limits = {name: base.limits[name] for name in OF_JUDGING}
    return Wish(
        panel=panel,
        judge=base.judge,
        synthesizer=base.synthesizer,
        judge_fallback=base.judge_fallback,
        synthesizer_fallback=base.synthesizer_fallback,
        limits=limits,
        terms=base.terms,
        usual_web=base.usual_web,
        web_limits=base.web_limits,
    )


def _models_of(wished: FusionParameters, terms: Terms) -> Sequence[str]:
    """Whom the panel is to be; for `auto` whoever is proposed to people, of those who keep what
    is asked of them. Raises ApiError."""
    if wished.analysis_models != "auto":
        return wished.analysis_models or ()
    most = terms.max_price.get("completion")
    chosen = panel_proposed(named=(), max_price=most, terms=terms)
    if chosen:
        return [one.name for one in chosen]
    message = "No panel can be chosen: no model is listed that may be asked."
    if most is not None:
        message = f"No panel can be chosen: no output is listed for ${most:g} a million tokens."
    raise ApiError("preset_unavailable", message, param="analysis_models")


def _nobody_asked(asked: PanelRequest) -> Wish:
    """Answers from elsewhere alone, judged as the preset judges; where none can run, by nobody,
    unless somebody is named."""
    try:
        base = None if asked.names_judge else _base_beside(asked, ())
    except ApiError:
        if asked.body.model.startswith(PREFIX) or asked.wished.preset:
            raise
        base = None
    return Wish(listed_only=True) if base is None else replace(base, panel=())


def _base_beside(asked: PanelRequest, names: Sequence[str | PanelSeat]) -> Wish | None:
    """The preset that says what the request leaves open; None where that is nothing, or where
    no preset can run."""
    body, preset = asked.body, asked.wished.preset
    is_named = body.model.startswith(PREFIX) or bool(preset)
    if names and asked.names_judge and not is_named:
        return None
    try:
        model = body.model if asked.is_alias else ALIASES[0]
        return _base(model, preset, asked.person, asked.usual)
    except ApiError:
        if is_named or not names:
            raise
    return None


def _judged(asked: PanelRequest, wish: Wish) -> Wish:
    """By whom the request names. A model that is asked for answers: it writes, and it judges
    unless a judge is named, too."""
    outer = "" if asked.is_alias else asked.body.model
    judge = asked.body.fusion.judge or asked.wished.model or outer
    if not judge:
        return wish
    return replace(wish, judge=judge, synthesizer=outer, judge_fallback="", synthesizer_fallback="")


def _places(asked: PanelRequest) -> dict[str, str]:
    """Which field of the request each part of the wish comes from."""
    own = asked.body.fusion
    return {
        "panel": "fusion.panel" if own.panel else "analysis_models",
        "judge": "fusion.judge" if own.judge else "model",
        "synthesizer": "fusion.synthesizer" if own.synthesizer else "model",
        "judge_fallback": "fusion.judge_fallback",
        "synthesizer_fallback": "fusion.synthesizer_fallback",
    } | _places_of_terms(asked.body)


def _places_of_terms(body: Asking) -> dict[str, str]:
    """As `refusals.built` looks for them."""
    found = places(body.fusion, body.provider, "terms.")
    for number, seat in enumerate(body.fusion.panel or ()):
        if isinstance(seat, PanelSeat):
            where = f"fusion.panel.{number}."
            found |= places(seat, seat.provider, f"terms.{number}.", of=where, ours=where)
    return found


def _effort(wished: FusionParameters) -> str:
    return (wished.reasoning and wished.reasoning.effort) or ""


def _seat(named: str | PanelSeat, wished: FusionParameters) -> SeatWish:
    """What is asked of a seat goes before what is asked of the panel."""
    if isinstance(named, str):
        return _asked(SeatWish(named), wished)
    return SeatWish(
        named.model,
        temperature=wished.temperature if named.temperature is None else named.temperature,
        max_output_tokens=named.max_completion_tokens or wished.max_completion_tokens,
        reasoning_effort=str(named.reasoning_effort or _effort(wished)),
        system_prompt=named.system_prompt.strip(),
        fallback=named.fallback or "",
        terms=asked_terms(named, named.provider),
    )


def _asked(seat: SeatWish, wished: FusionParameters) -> SeatWish:
    """A seat with what is asked of the panel for this request."""
    return replace(
        seat,
        temperature=seat.temperature if wished.temperature is None else wished.temperature,
        max_output_tokens=wished.max_completion_tokens or seat.max_output_tokens,
        reasoning_effort=_effort(wished) or seat.reasoning_effort,
    )


def _base(model: str, preset: str | None, person: User | None, usual: str = "") -> Wish:
    """The preset that is named, or the usual one: of who asks, else the site's. Raises
    ApiError."""
    slug = preset or (model.removeprefix(PREFIX) if model.startswith(PREFIX) else "")
    param = "preset" if preset else "model"
    if own := own_preset(slug, person):
        return own_wish(own)
    if slug and not Preset.objects.filter(slug=slug, enabled=True).exists():
        its = slug.removeprefix("or-")
        if its == OPENROUTER_FAST:
            return fast()
        slug = OPENROUTER_PRESETS.get(its, slug)
    if not slug and model == FLASH:
        return fast()
    if not slug and model != PREFIX:
        if offered := own_preset(usual, person) or offered_preset(usual, person):
            return own_wish(offered)
        slug = usual or usual_preset()
    return _wish_of(slug, param)


def own_preset(slug: str, person: User | None) -> OwnPreset | None:
    """Of the site's and of people's no two have one name."""
    if not slug or person is None:
        return None
    return access.presets_of(person).filter(slug=slug).first()


def fast() -> Wish:
    """The quickest seats seen here, judged as Budget judges, or as the default preset does.
    Raises ApiError."""
    budget = Preset.objects.filter(slug=BUDGET, enabled=True).first()
    can_run = budget is not None and not preset_lacks(budget)
    return fast_wish(_wish_of(BUDGET if can_run else usual_preset(), "model"))


def _wish_of(slug: str, param: str) -> Wish:
    chosen = Preset.objects.filter(slug=slug, enabled=True).first()
    if chosen is None:
        near = did_you_mean(slug, preset_slugs())
        raise ApiError("model_not_found", f"There is no preset “{slug}”.{near}", param=param)
    if lacks := preset_lacks(chosen):
        raise ApiError("preset_unavailable", lacks, param=param)
    try:
        return preset_wish(chosen)
    except Refused as refused:
        raise ApiError("preset_unavailable", str(refused), param=param) from None


def usual_preset() -> str:
    """The page's default; where that is to choose models by hand, the first that can run."""
    enabled = presets_enabled()
    slug = default_preset_slug(enabled)
    if slug != CUSTOM:
        return slug
    if runnable := next((p.slug for p, lacks in enabled.items() if not lacks), ""):
        return runnable
    raise ApiError(
        "preset_unavailable",
        "No preset can run: name a panel, as in plugins: "
        '[{"id": "fusion", "analysis_models": […], "model": …}], or have one made at /admin/.',
        param="model",
    )
