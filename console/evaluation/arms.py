"""The ways of answering that are compared, as specs of runs.

*Solo* costs no run of its own: on a panel every seat answers alone, so each
seat's answer in the preset's run is that model's solo answer, and what fusing
adds is measured against the very answers it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from console.engine.spec import MAX_SEATS, Panelist, Policy, Research, Spec
from console.engine.wait_for import EVERYONE

PRESET, SAME_MODEL, SOLO, MATCHED = "preset", "same model", "solo", "solo at matched cost"
WITHOUT_RESEARCH, WITH_RESEARCH = "preset without research", "preset with research"


@dataclass(frozen=True)
class Solo:
    """A panelist by itself; `seat` is where it sits in the preset, first if several times."""

    seat: int
    name: str
    panelist: Panelist


def solos_of(spec: Spec) -> list[Solo]:
    """One for each distinct panelist: label and seed do not make it another one."""
    solos: dict[Panelist, Solo] = {}
    for seat, (panelist, name) in enumerate(zip(spec.panel, spec.seat_names(), strict=True)):
        solos.setdefault(replace(panelist, label="", seed=None), Solo(seat, name, panelist))
    return list(solos.values())


def preset_spec_for_evaluation(spec: Spec) -> Spec:
    """Every seat is waited for: an answer cut off for being slow would be no solo answer."""
    return replace(spec, policy=_waiting_for_everyone(spec))


def other_research(spec: Spec, research: Research | None) -> tuple[str, Spec]:
    """(arm, spec): the same preset without what it looks up on the web, or with `research`."""
    arm = WITHOUT_RESEARCH if spec.research else WITH_RESEARCH
    given = None if spec.research else research
    return arm, replace(preset_spec_for_evaluation(spec), research=given)


def same_model_spec(spec: Spec, panelist: Panelist) -> Spec:
    """The same judge and synthesizer over one panelist sitting in every seat."""
    panel = _samples(panelist, len(spec.panel), after=0)
    return replace(preset_spec_for_evaluation(spec), panel=panel)


def samples_spec(spec: Spec, panelist: Panelist, count: int, *, after: int) -> Spec:
    """Further answers of one panelist, nothing judged. At most MAX_SEATS in a run."""
    panel = _samples(panelist, min(count, MAX_SEATS), after=after)
    policy = _waiting_for_everyone(spec)
    return replace(spec, panel=panel, policy=policy, stop_after="panel")


def one_answer_spec(spec: Spec, panelist: Panelist) -> Spec:
    """A single call on record, as grading takes."""
    policy = _waiting_for_everyone(spec)
    return replace(spec, panel=(panelist,), policy=policy, stop_after="panel")


def _waiting_for_everyone(spec: Spec) -> Policy:
    """As long as their calls may take."""
    policy = spec.policy
    patient = max(policy.panel_timeout, policy.total_timeout)
    return replace(policy, wait_for=EVERYONE, panel_timeout=patient)


def _samples(panelist: Panelist, count: int, *, after: int) -> tuple[Panelist, ...]:
    """With a seed of its own each: the same seed would give the same answer again."""
    seed = panelist.seed
    plain = replace(panelist, label="")
    return tuple(
        plain if seed is None else replace(plain, seed=seed + 1 + after + n) for n in range(count)
    )


MAX_SAMPLES = 32


def samples_bought(
    preset_cost: Decimal | None,
    solo_cost: Decimal | None,
    preset_tokens: int | None,
    solo_tokens: int | None,
) -> tuple[int, str]:
    """(how many solo answers the preset's run would have bought, what was compared).

    Where money is unknown or nothing, output tokens stand for it. At least 1.
    """
    if preset_cost and solo_cost:
        return _whole(int(preset_cost / solo_cost)), "cost"
    if preset_tokens and solo_tokens:
        return _whole(preset_tokens // solo_tokens), "output tokens"
    return 1, "nothing: neither cost nor tokens are known"


def _whole(samples: int) -> int:
    return max(1, min(samples, MAX_SAMPLES))
