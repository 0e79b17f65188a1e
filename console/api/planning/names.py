"""Names of models in a request: what cannot be meant is refused, and the field named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ...catalog.listings import all_models
from ...catalog.seed_data import LOCAL_ANALYSIS_TOKENS
from ...engine.spec import Panelist
from ...models import Credential
from ...services.errors import NameRefused, Refused
from ...services.panelists import NamedSeat, find_judge
from ..http.errors import ApiError
from .schemas import FusionParameters, PanelSeat

R = TypeVar("R")
# Fields that hold a panel.
PANELS = ("fusion.panel", "analysis_models")


def seat_of(named: str | PanelSeat, wished: FusionParameters, where: str) -> NamedSeat:
    """What is asked of a seat goes before what is asked of the panel."""
    seat = PanelSeat(model=named) if isinstance(named, str) else named
    effort = seat.reasoning_effort or (wished.reasoning and wished.reasoning.effort)
    return NamedSeat(
        qualified(seat.model, where),
        temperature=wished.temperature if seat.temperature is None else seat.temperature,
        max_output_tokens=seat.max_completion_tokens or wished.max_completion_tokens,
        reasoning_effort=str(effort or ""),
        system_prompt=seat.system_prompt.strip(),
        fallback=qualified(seat.fallback, f"{where}.fallback") if seat.fallback else "",
    )


def find(name: str, param: str, *, tokens: int = LOCAL_ANALYSIS_TOKENS) -> Panelist:
    """A model by its name, `model` or `credential:model`. Raises ApiError."""
    known = qualified(name, param)
    return refused(lambda: find_judge(known, tokens=tokens), param)


def qualified(name: str, param: str) -> str:
    """As given, once it is known that it may be called. Unlike a person at the page, a program
    is told at once that no server lists what it asks for."""
    slugs = set(Credential.objects.values_list("slug", flat=True))
    slug, _, model = name.partition(":")
    if slug in slugs and model.strip():
        return name
    listed, errors = all_models()
    if listed and not errors and name not in {m.model for m in listed}:
        raise ApiError("model_not_found", f"There is no model “{name}”.", param=param)
    return name


def refused(work: Callable[[], R], param: str) -> R:
    try:
        return work()
    except Refused as refusal:
        if param in PANELS and isinstance(refusal, NameRefused) and refusal.seat is not None:
            param = f"{param}.{refusal.seat}{'.fallback' if refusal.field == 'fallback' else ''}"
        code = "invalid_request"
        if param != "fusion.policy":
            nobody = not any(c.is_ready for c in Credential.objects.all())
            said = str(refusal)
            unready = nobody or any(c.lacks == said for c in Credential.objects.all())
            code = "no_credential" if unready else "model_not_found"
        raise ApiError(code, str(refusal), param=param) from None
