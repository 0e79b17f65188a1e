"""From what a program asks to the spec of a run.

A *plan* is a spec, and for OpenRouter's tool form the spec of the one call in
which the outer model decides whether a panel is worth asking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from ...catalog.seed_data import LOCAL_SYNTHESIS_TOKENS
from ...engine.spec import Panelist, Policy, Spec
from ...models import Preset
from ...services.policy import with_policy
from ...services.presets import CUSTOM, custom_spec, default_preset_slug, preset_lacks, preset_spec
from ..http.base import parse
from ..http.errors import ApiError
from .names import find, refused, seat_of
from .schemas import Asking, FusionParameters, OwnOptions, PanelSeat, Plugin

ALIASES = ("fusion", "openrouter/fusion")
PREFIX = "fusion/"
SERVER_TOOL = "openrouter:fusion"
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
# OpenRouter's names for what our presets are.
OPENROUTER_PRESETS = {
    "general-high": "quality",
    "general-budget": "budget",
    "general-fast": "budget",
}

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Plan:
    """`direct`: one model answers and nothing is fused. `decide`: asked first, and may answer."""

    model: str
    spec: Spec
    direct: bool = False
    decide: Spec | None = None

    @property
    def keeps_tools(self) -> bool:
        return self.direct or self.decide is not None


def plan_for(body: Asking, request: dict[str, Any], *, depth: int = 0) -> Plan:
    """`request` is what the answering call is asked for (`Spec.request`). Raises ApiError.

    Reads the database and may ask providers for their lists.
    """
    plugin = _plugin(body)
    tool, tools = _server_tool(body)
    wished = plugin or tool
    is_alias = body.model in ALIASES or body.model.startswith(PREFIX)
    switched_off = plugin is not None and not plugin.enabled
    options = dict(request.get("options", {}))
    choice = body.tool_choice
    names_ours = isinstance(choice, dict) and choice.get("type") == SERVER_TOOL
    if tools:
        options["tools"] = tools
        if choice is not None and not names_ours:
            options["tool_choice"] = choice
    request = request | ({"options": options} if options else {})
    wants_fusion = not switched_off and (
        is_alias or bool(wished) or bool(body.fusion.panel or body.fusion.judge)
    )
    if depth > 0:
        # One level only: what was asked for by name is refused, what was offered is left out.
        if is_alias and not switched_off:
            raise ApiError("recursion_refused", param="model")
        wants_fusion = False
    if not wants_fusion:
        outer = _outer(body, is_alias)
        return Plan(body.model, _direct(outer, request), direct=True)
    spec = _fused(body, wished or FusionParameters.model_validate({}), is_alias)
    spec = refused(lambda: with_policy(spec, body.fusion.policy), "fusion.policy")
    forced = choice == "required" or names_ours
    if tool is None or plugin is not None or forced:
        if forced and choice == "required":
            # It was the panel that was required, and it is asked: the writer is free.
            options.pop("tool_choice", None)
        return Plan(body.model, replace(spec, request=_with_options(request, options)))
    if choice == "none":
        return Plan(body.model, _direct(spec.writer, request), direct=True)
    offered = _with_options(request, options | {"tools": [*tools, DECIDE_TOOL]})
    return Plan(
        body.model,
        replace(spec, request=_with_options(request, options)),
        decide=_direct(spec.writer, offered),
    )


def _with_options(request: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in request.items() if k != "options"}
    return rest | ({"options": options} if options else {})


def _plugin(body: Asking) -> Plugin | None:
    for number, raw in enumerate(body.plugins or ()):
        if raw.get("id") == "fusion":
            return _parse(Plugin, raw, f"plugins.{number}")
    return None


def _server_tool(body: Asking) -> tuple[FusionParameters | None, list[dict[str, Any]]]:
    """(parameters of the server tool, the client's own tools)."""
    found, own = None, []
    for number, raw in enumerate(body.tools or ()):
        if raw.get("type") == SERVER_TOOL:
            found = _parse(FusionParameters, raw.get("parameters") or {}, f"tools.{number}")
        elif not str(raw.get("type", "function")).startswith("openrouter:"):
            own.append(raw)
    return found, own


def _parse(schema: type[T], raw: Any, where: str) -> T:
    try:
        return parse(schema, raw)
    except ApiError as error:
        param = ".".join(filter(None, (where, error.param)))
        raise ApiError(error.code, error.message, param=param) from None


def _outer(body: Asking, is_alias: bool) -> Panelist:
    return _base(body.model, None).writer if is_alias else find(body.model, "model")


def _direct(outer: Panelist, request: dict[str, Any]) -> Spec:
    """One call to one model, as a run: a panel of one that is not fused."""
    named = f"{outer.credential}:{outer.model}"
    spec = refused(lambda: custom_spec(panel=[named], judge=named), "model")
    return replace(
        spec,
        panel=(outer,),
        judge=outer,
        preset="direct",
        preset_name="Direct",
        stop_after="panel",
        request=request,
    )


def _fused(body: Asking, wished: FusionParameters, is_alias: bool) -> Spec:
    own = body.fusion
    names: Sequence[str | PanelSeat] | None = own.panel or wished.analysis_models
    where = "fusion.panel" if own.panel else "analysis_models"
    judge_name = own.judge or wished.model
    chosen = find(judge_name, "fusion.judge" if own.judge else "model") if judge_name else None
    outer = None if is_alias else find(body.model, "model")
    names_preset = body.model.startswith(PREFIX) or wished.preset
    base = None
    # Of a whole panel with its judge nothing is left for a preset to say.
    if names_preset or not (names and (chosen or outer)):
        try:
            base = _base(body.model if is_alias else ALIASES[0], wished.preset)
        except ApiError:
            if names_preset or not names:
                raise
    if names:
        seats = [seat_of(named, wished, f"{where}.{n}") for n, named in enumerate(names)]
        spec = refused(lambda: custom_spec(panel=seats, judge=seats[0].model), where)
        if base and not (chosen or outer):
            spec = replace(spec, judge=base.judge, synthesizer=base.synthesizer)
            spec = replace(spec, policy=_tokens_of(base, spec))
    else:
        assert base
        spec = replace(base, panel=_inner_panel(base.panel, wished))
    if chosen:
        spec = replace(spec, judge=chosen, synthesizer=None)
    elif outer:
        spec = replace(spec, judge=outer)
    if outer:
        spec = replace(spec, synthesizer=outer)
    if own.synthesizer:
        spec = replace(spec, synthesizer=find(own.synthesizer, "fusion.synthesizer"))
    return _judging(_with_fallbacks(spec, own), wished)


def _with_fallbacks(spec: Spec, own: OwnOptions) -> Spec:
    """A judge that also writes has the judge's, unless the synthesizer's is named."""
    if own.judge_fallback:
        instead = find(own.judge_fallback, "fusion.judge_fallback")
        spec = replace(spec, judge=replace(spec.judge, fallback=instead))
    if own.synthesizer_fallback:
        instead = find(
            own.synthesizer_fallback, "fusion.synthesizer_fallback", tokens=LOCAL_SYNTHESIS_TOKENS
        )
        spec = replace(spec, synthesizer=replace(spec.writer, fallback=instead))
    return spec


def _tokens_of(base: Spec, spec: Spec) -> Policy:
    """What its judge and synthesizer may write goes with them."""
    return replace(
        spec.policy,
        analysis_max_output_tokens=base.policy.analysis_max_output_tokens,
        synthesis_max_output_tokens=base.policy.synthesis_max_output_tokens,
    )


def _inner_panel(panel: Sequence[Panelist], wished: FusionParameters) -> tuple[Panelist, ...]:
    """A preset's, with what is asked of the panel for this request."""
    effort = wished.reasoning.effort if wished.reasoning else None
    return tuple(
        replace(
            p,
            temperature=p.temperature if wished.temperature is None else wished.temperature,
            max_output_tokens=wished.max_completion_tokens or p.max_output_tokens,
            reasoning_effort=effort or p.reasoning_effort,
        )
        for p in panel
    )


def _judging(spec: Spec, wished: FusionParameters) -> Spec:
    """The panel's measure of thinking is the judge's too."""
    effort = wished.reasoning.effort if wished.reasoning else None
    if not effort:
        return spec
    # Without a synthesizer the judge writes, and keeps its own measure of thinking for that.
    judge = replace(spec.judge, reasoning_effort=effort)
    return replace(spec, judge=judge, synthesizer=spec.writer)


def _base(model: str, preset: str | None) -> Spec:
    """The preset that is named, or the default one. Raises ApiError."""
    slug = model.removeprefix(PREFIX) if model.startswith(PREFIX) else ""
    param = "model"
    if preset:
        known = Preset.objects.filter(slug=preset, enabled=True).exists()
        slug = preset if known else OPENROUTER_PRESETS.get(preset, preset)
        param = "preset"
    if not slug and model != PREFIX:
        slug = usual_preset()
    found = Preset.objects.filter(slug=slug, enabled=True).first()
    if found is None:
        raise ApiError("model_not_found", f"There is no preset “{slug}”.", param=param)
    if lacks := preset_lacks(found):
        raise ApiError("preset_unavailable", lacks, param=param)
    return refused(lambda: preset_spec(found), param)


def usual_preset() -> str:
    """The page's default; where that is to choose models by hand, the first that can run."""
    slug = default_preset_slug()
    if slug != CUSTOM:
        return slug
    enabled = Preset.objects.filter(enabled=True)
    if runnable := next((p.slug for p in enabled if not preset_lacks(p)), ""):
        return runnable
    raise ApiError(
        "preset_unavailable",
        "No preset can run: name a panel, as in plugins: "
        '[{"id": "fusion", "analysis_models": […], "model": …}], or have one made at /admin/.',
        param="model",
    )
