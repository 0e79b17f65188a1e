"""What somebody wants of a run: what `build_spec.build` makes a spec of.

Form, preset, API, shell, MCP, `evaluate` and another fusion of a run each fill in a `Wish`;
who overrides a part of somebody's wish replaces that part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from ..catalog.names import ModelAt
from ..engine.spec import Panelist, Policy, StopAfter
from ..engine.terms import NONE, Terms
from ..engine.wait_for import WaitFor
from .brought import Brought

CUSTOM = "custom"
DIRECT = "direct"  # one model, passed through

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
        panel = [s if isinstance(s, Panelist) else changed(wish_of(s)) for s in self.panel]
        return replace(self, panel=panel)


def judge_writes(wish: Wish) -> Wish:
    """The judge writes, too, whoever else was to: a cheap writer, where the judge is cheap."""
    return replace(wish, synthesizer="", synthesizer_fallback="")


def wish_of(seat: str | SeatWish) -> SeatWish:
    return SeatWish(seat) if isinstance(seat, str) else seat


def is_named(who: Who | SeatWish) -> bool:
    """Whether it names anybody."""
    named = who.model if isinstance(who, SeatWish) else who
    return bool(named.strip()) if isinstance(named, str) else True
