"""A panel as people save it: all that a preset holds, with models by their names.

Names and not rows, so that it is what a form is filled with, and what it was when a version is
looked at; whom they mean is found when it is asked (catalog/names.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..catalog.names import ModelAt
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS
from ..engine.spec import NOBODY, Panelist, Spec
from ..engine.steps.prompts import shape_of
from ..engine.terms import NONE, Terms
from ..engine.wait_for import WaitFor
from ..models.terms import TERMS
from .build_spec import PATIENT_PANEL_TIMEOUT
from .panelists import LOCAL
from .policy import OF_A_PRESET, read_limits, site_policy
from .wait_for import as_text, read_wait_for
from .web import OFF, way_of_web
from .wish import CUSTOM, SeatWish, Who, Wish

Content = dict[str, Any]

VERSION = 1
# What the built-in model has without anybody having chosen it (services/build_spec.py).
_PATIENT = {
    "panel_timeout": PATIENT_PANEL_TIMEOUT,
    "analysis_max_output_tokens": LOCAL_ANALYSIS_TOKENS,
    "synthesis_max_output_tokens": LOCAL_SYNTHESIS_TOKENS,
}
JUDGING = ("judge", "synthesizer", "judge_fallback", "synthesizer_fallback")
OPTIONS = ("label", "temperature", "max_output_tokens", "seed", "reasoning_effort", "system_prompt")


def content_of(wish: Wish) -> Content:
    """What is chosen for this run alone included. Raises PolicyRefused."""
    limits = {name: value for name, value in wish.limits.items() if value not in (None, "")}
    limits |= read_limits(wish.policy)
    limits = {name: value for name, value in limits.items() if value is not False}
    waits: WaitFor | None = limits.pop("wait_for", None)
    waits = wish.wait_for or waits
    return {
        "v": VERSION,
        "panel": [_seat_of(seat, wish.terms) for seat in wish.panel],
        **{name: name_of(getattr(wish, name)) for name in JUDGING},
        "criteria": wish.criteria,
        "wait_for": as_text(waits) if waits else "",
        "limits": limits,
        "terms": _terms_of(wish.terms),
    } | {name: value for name, value in _later(wish).items() if value}


def _later(wish: Wish) -> Content:
    """What is left out where nothing is said of it: panels were saved before there was any."""
    budget = None if wish.max_cost is None else float(wish.max_cost)
    said = {"shape": wish.shape, "run_budget": budget, "reuse_minutes": wish.reuse_minutes}
    way = way_of_web(wish.web, wish.usual_web)
    return said if way == OFF else said | {"web": way, "web_limits": dict(wish.web_limits)}


def content_of_spec(spec: Spec, *, inner: bool = True) -> Content:
    """Of a run, without the answers that came from elsewhere; for who is not shown what is
    `inner` of it, whom it asked."""
    usual, policy = vars(site_policy()), vars(spec.policy)
    is_local = any(who.credential == LOCAL for who in (*spec.panel, spec.judge, spec.writer))
    patient = _PATIENT if is_local else {}
    writer = spec.synthesizer
    is_another = writer is not None and _key(writer) != _key(spec.judge)
    content = content_of(
        Wish(
            panel=[panelist for panelist in spec.panel if not panelist.is_brought],
            judge="" if spec.judge == NOBODY else spec.judge,
            synthesizer=writer if writer and is_another else "",
            judge_fallback=name_of(spec.judge.fallback or ""),
            synthesizer_fallback=name_of((writer and writer.fallback) or ""),
            criteria=spec.criteria,
            limits={
                name: policy[name]
                for name in (*OF_A_PRESET, "wait_for")
                if name in policy and policy[name] not in (usual[name], patient.get(name))
            },
            terms=spec.terms,
            shape=shape_of(spec.prompts),
            usual_web=_way(spec),
            web_limits={"claims": True} if spec.research and spec.research.claims else {},
        )
    )
    if inner:
        return content
    panel = [{"model": seat["model"]} for seat in content["panel"]]
    return {name: content[name] for name in ("v", *JUDGING)} | {"panel": panel}


def wish_of(content: Mapping[str, Any], slug: str = CUSTOM, name: str = "Custom") -> Wish:
    # All of them are there, as in a preset's; None says nothing.
    limits = dict.fromkeys(OF_A_PRESET) | dict(content.get("limits", {}))
    return Wish(
        panel=[_seat(seat) for seat in content.get("panel", ())],
        **{place: content.get(place, "") for place in JUDGING},
        criteria=content.get("criteria", ""),
        shape=content.get("shape", ""),
        max_cost=Decimal(str(content["run_budget"])) if content.get("run_budget") else None,
        reuse_minutes=content.get("reuse_minutes"),
        usual_web=content.get("web", OFF),
        web_limits=content.get("web_limits", {}),
        limits=limits | {"wait_for": read_wait_for(content.get("wait_for", ""))},
        terms=_terms(content.get("terms", {})),
        preset=slug,
        preset_name=name,
    )


def name_of(who: Who) -> str:
    match who:
        case ModelAt():
            return f"{who.credential.slug}:{who.model}"
        case Panelist():
            return f"{who.credential}:{who.model}"
    return who.strip()


def _key(panelist: Panelist) -> tuple[str, str]:
    return panelist.credential, panelist.model


def _seat_of(seat: str | SeatWish | Panelist, of_the_run: Terms) -> dict[str, Any]:
    if isinstance(seat, str):
        return {"model": seat.strip()}
    said = {name: getattr(seat, name) for name in OPTIONS}
    other: Who
    if isinstance(seat, Panelist):
        named, other, is_unlimited = name_of(seat), seat.fallback or "", False
        if seat.max_output_tokens is None:
            is_unlimited = True
        elif not seat.has_own_limit:
            said["max_output_tokens"] = None
    else:
        named, other, is_unlimited = name_of(seat.model), seat.fallback, seat.is_unlimited
    if fallback := name_of(other):
        said["fallback"] = fallback
    if is_unlimited:
        said["is_unlimited"] = True
    if seat.terms not in (NONE, of_the_run):
        said["terms"] = _terms_of(seat.terms)
    return {"model": named} | {k: v for k, v in said.items() if v not in (None, "")}


def _seat(content: Mapping[str, Any]) -> SeatWish:
    said = {name: content[name] for name in OPTIONS if name in content}
    return SeatWish(
        content["model"],
        fallback=content.get("fallback", ""),
        is_unlimited=content.get("is_unlimited", False),
        terms=_terms(content.get("terms", {})),
        **said,
    )


def _terms_of(terms: Terms) -> dict[str, Any]:
    said = {name: getattr(terms, name) for name in TERMS}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in said.items() if v}


def _terms(content: Mapping[str, Any]) -> Terms:
    return Terms.from_dict(content)


def _way(spec: Spec) -> str:
    """A project's files are looked into where there are some: no panel says so."""
    return spec.research.way if spec.research and spec.research.way != "files" else OFF
