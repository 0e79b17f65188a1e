"""The policy of a run: the site's, the preset's, and what was chosen for this run alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from ..engine.spec import MAX_SEATS, Policy
from ..engine.wait_for import WaitFor, at_least
from ..models import Preset
from .errors import PolicyRefused
from .wait_for import read_wait_for


@dataclass(frozen=True)
class PolicyChoice:
    """One thing that can be chosen for a run. `kind` is int, float (seconds) or bool.

    `is_for_people`: False, and it is the engine's own number, which stands in a preset and the
    API only.
    """

    name: str
    label: str
    kind: type
    least: float = 0
    most: float = math.inf
    help: str = ""
    is_for_people: bool = True


CHOICES = (
    # `at_least` in the engine's own word: a policy has no field of that name.
    PolicyChoice("quorum", "Quorum", int, 1, MAX_SEATS, is_for_people=False),
    PolicyChoice("grace", "Grace", float, 0, 3600, is_for_people=False),
    PolicyChoice("panel_timeout", "Panel limit", float, 0.1, 86400, "seconds for the whole panel"),
    PolicyChoice(
        "first_token_timeout", "First token", float, 0.1, 86400, "seconds to the first token"
    ),
    PolicyChoice("stall_timeout", "Stall", float, 0.1, 86400, "seconds of silence between tokens"),
    PolicyChoice("alive_timeout", "Signs of life", float, 0.1, 86400, is_for_people=False),
    PolicyChoice("total_timeout", "Call limit", float, 0.1, 86400, "seconds for one call"),
    PolicyChoice("retries", "Retries", int, 0, 10, "further tries of a call that was not billed"),
    PolicyChoice("max_calls", "Calls", int, 1, 1000, "at most, in the whole run"),
    PolicyChoice("max_tokens", "Tokens", int, 1, 1_000_000_000, "at most, in the whole run"),
    PolicyChoice(
        "repeat_unconfirmed",
        "Repeat lost requests",
        bool,
        help="though they may have been billed",
    ),
)
_BY_NAME = {choice.name: choice for choice in CHOICES}

# Columns of a preset that are fields of the policy; empty means the site's.
OF_JUDGING = ("analysis_max_output_tokens", "synthesis_max_output_tokens")
OF_A_PRESET = (*_BY_NAME, *OF_JUDGING)


def site_policy(**chosen: Any) -> Policy:
    """The site's, with what is not None put in."""
    site = {
        "first_token_timeout": settings.FIRST_TOKEN_TIMEOUT,
        "stall_timeout": settings.STALL_TIMEOUT,
        "alive_timeout": settings.ALIVE_TIMEOUT,
        "total_timeout": settings.TOTAL_TIMEOUT,
    }
    found = {k: v for k, v in chosen.items() if v is not None}
    if quorum := found.pop("quorum", None):
        found.setdefault("wait_for", at_least(quorum))
    return Policy(**(site | found))


def limits_of(preset: Preset) -> dict[str, Any]:
    """What it says of the policy; None where it says nothing."""
    said = {name: getattr(preset, name) for name in OF_A_PRESET}
    return said | {"wait_for": read_wait_for(preset.wait_for)}


def chosen_policy(
    policy: Policy, overrides: Mapping[str, Any], wait_for: WaitFor | None = None
) -> Policy:
    """The policy with fields chosen for one run. Empty values choose nothing.

    Values may be texts, as forms and shells have them. Raises PolicyRefused.
    """
    chosen: dict[str, Any] = {} if wait_for is None else {"wait_for": wait_for}
    chosen |= read_limits(overrides)
    if quorum := chosen.pop("quorum", None):
        if wait_for not in (None, at_least(quorum)):
            raise PolicyRefused("Quorum: whom to wait for is said already. Leave one of them out.")
        chosen["wait_for"] = at_least(quorum)
    # `_read` gives each field its own type.
    return replace(policy, **chosen)


def read_limits(texts: Mapping[str, Any]) -> dict[str, Any]:
    """What is chosen of a policy, each as what it is. Raises PolicyRefused."""
    chosen: dict[str, Any] = {}
    for name, value in texts.items():
        if name not in _BY_NAME:
            known = ", ".join(_BY_NAME)
            raise PolicyRefused(f"There is no “{name}” in a policy. There are: {known}.")
        if value not in (None, ""):
            chosen[name] = _read(_BY_NAME[name], value)
    return chosen


def _read(choice: PolicyChoice, value: Any) -> float | bool:
    if choice.kind is bool:
        if str(value).lower() in ("true", "on", "1", "yes"):
            return True
        if str(value).lower() in ("false", "off", "0", "no"):
            return False
        raise PolicyRefused(f"{choice.label}: write yes or no.")
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(str(value).replace(",", "."))
        if not math.isfinite(number) or (choice.kind is int and number != int(number)):
            raise ValueError
    except ValueError:
        what = "a whole number" if choice.kind is int else "a number"
        raise PolicyRefused(f"{choice.label}: write {what}.") from None
    if not choice.least <= number <= choice.most:
        raise PolicyRefused(f"{choice.label}: from {choice.least:g} to {choice.most:,g}.")
    return int(number) if choice.kind is int else number
