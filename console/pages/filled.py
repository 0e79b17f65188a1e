"""The fields of the compose form as a saved panel fills them in, and seats that were changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..engine.spec import MAX_SEATS
from ..services.panel_content import JUDGING, OPTIONS
from ..services.wish import CUSTOM, SeatWish, Wish

MAX_SWAPS = 64


def initial_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Of all fields but the seats' and the policy's."""
    terms = content.get("terms", {})
    return {
        **{name: content.get(name, "") for name in JUDGING},
        "criteria": content.get("criteria", ""),
        "shape": content.get("shape", ""),
        "run_budget": content.get("run_budget", ""),
        "reuse_minutes": content.get("reuse_minutes", ""),
        "web_way": content.get("web", ""),
        "web_claims": content.get("web_limits", {}).get("claims", False),
        "wait_for": content.get("wait_for", ""),
        **terms,
        "only_providers": ", ".join(terms.get("only_providers", ())),
    }


def names_of(content: Mapping[str, Any]) -> list[str]:
    return [seat["model"] for seat in content.get("panel", ())][:MAX_SEATS]


def options_of(content: Mapping[str, Any], seat: int) -> dict[str, Any]:
    panel = content.get("panel", ())
    said = panel[seat] if seat < len(panel) else {}
    options = {name: said[name] for name in OPTIONS if name in said}
    return options | ({"fallback_model": said["fallback"]} if "fallback" in said else {})


@dataclass(frozen=True)
class Swap:
    """Another model in one seat of a preset, for this run: `preset:seat:model`, as it is sent."""

    preset: str
    seat: int
    model: str

    def __str__(self) -> str:
        return f"{self.preset}:{self.seat}:{self.model}"


def read_swaps(texts: Iterable[str]) -> list[Swap]:
    """What is none is passed by; of one seat the last counts."""
    found: dict[tuple[str, int], Swap] = {}
    for text in [*texts][-MAX_SWAPS:]:
        preset, _, rest = text.partition(":")
        seat, _, model = rest.partition(":")
        is_seat = seat.isascii() and seat.isdecimal() and len(seat) < 3
        if preset and is_seat and int(seat) < MAX_SEATS and model.strip():
            found[preset, int(seat)] = Swap(preset, int(seat), model.strip())
    return [*found.values()]


def with_swaps(wish: Wish, swaps: Iterable[Swap]) -> Wish:
    """All else is as the preset has it. What is asked then is no run of the preset's any more."""
    panel = list(wish.panel)
    has_changed = False
    for swap in swaps:
        if swap.preset == wish.preset and swap.seat < len(panel):
            seat = panel[swap.seat]
            assert isinstance(seat, SeatWish)  # a preset's, by services/presets.py
            panel[swap.seat] = replace(seat, model=swap.model)
            has_changed = True
    if not has_changed:
        return wish
    return replace(
        wish, panel=panel, preset=CUSTOM, preset_name=f"{wish.preset_name[:50]}, changed"
    )
