"""What a seat looked up by itself, or what it was given instead: folded in its column."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine import pool
from ..engine.state import RunState, Step
from . import figures

WAYS = {"web_search": "searched", "web_fetch": "opened"}


@dataclass(frozen=True)
class TrailStep:
    """`came`: what of it there is, or why it was not done; `said` is what the model wrote before
    it asked."""

    did: str
    what: str
    came: str
    number: int | None = None
    is_odd: bool = False
    said: str = ""


@dataclass(frozen=True)
class TrailView:
    """`instead`: what it was given, and why, where it has no way of its own."""

    steps: tuple[TrailStep, ...] = ()
    summary: str = ""
    instead: str = ""


NO_TRAIL = TrailView()


def trails(state: RunState) -> dict[int, TrailView]:
    """By seat."""
    if not pool.trail(state.research):
        return {}
    steps: dict[str, dict[int, dict[str, object]]] = {}
    for step in pool.trail(state.research):
        steps.setdefault(step["call"], {})[step["place"]] = step
    seats = {c.seat for c in state.calls.values() if c.step is Step.PANEL and c.seat is not None}
    titles = {s["number"]: str(s["title"] or s["url"]) for s in pool.read(state.research)}
    found = {seat: _trail(state, seat, steps, titles) for seat in seats}
    return {seat: trail for seat, trail in found.items() if trail.steps or trail.instead}


def _trail(
    state: RunState,
    seat: int,
    steps: dict[str, dict[int, dict[str, object]]],
    titles: dict[int, str],
) -> TrailView:
    shown: list[TrailStep] = []
    searched = opened = turns = 0
    instead = ""
    for call in sorted(state.calls_of(Step.PANEL, seat=seat), key=lambda call: call.number):
        said = call.text.strip() if call.is_turn else ""
        turns += call.is_turn
        for _, step in sorted(steps.get(call.key, {}).items()):
            if step["tool"] == "shared":
                instead = str(step["failure"])
                continue
            one = _step(step, said, titles)
            searched += one.did == "searched" and not one.is_odd
            opened += one.number is not None
            shown.append(one)
            said = ""
    counted = [
        f"{searched} {'search' if searched == 1 else 'searches'}",
        f"{figures.count_of(opened, 'page')} opened",
        f"in {figures.count_of(turns, 'turn')}",
    ]
    return TrailView(tuple(shown), ", ".join(counted), instead)


def _step(step: dict[str, object], said: str, titles: dict[int, str]) -> TrailStep:
    did, asked = WAYS.get(str(step["tool"]), "asked for"), str(step["asked"] or step["tool"])
    what = f"“{asked}”" if did == "searched" and step["asked"] else asked
    if "failure" in step:
        did = "not opened" if did == "opened" else did
        return TrailStep(did, what, str(step["failure"]), None, is_odd=True, said=said)
    if "number" in step:
        number = step["number"]
        assert isinstance(number, int)
        return TrailStep(did, titles.get(number, what), "", number, said=said)
    found = step.get("found", 0)
    assert isinstance(found, int)
    return TrailStep(did, what, f"{figures.count_of(found, 'page')} found", said=said)
