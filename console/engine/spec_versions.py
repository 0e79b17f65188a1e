"""The shapes that the JSON of a spec has had, and what runs stored in each of them meant.

A change of shape raises `VERSION`, adds what leads there from the one before, and
leaves a stored file of the new one in tests/data/specs/. What stands here says what
was true when it was stored: it changes no more, whatever becomes of today's defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import SENTENCES, Reason

VERSION = 8
# Output limits that nobody had chosen, where it is not stored whether somebody had.
USUAL_LIMITS_OF_THE_FIRST = (200, 16_000)


class SpecUnreadable(ValueError):
    """The stored spec is not one of its version."""


class SpecTooNew(SpecUnreadable):
    """Stored by a newer version than this one, which cannot know what it asks for."""

    def __init__(self) -> None:
        super().__init__(SENTENCES[Reason.NEEDS_NEWER_VERSION])


def up_to_date(data: dict[str, Any]) -> dict[str, Any]:
    """In today's shape, without its version. Raises SpecTooNew and SpecUnreadable."""
    version = data.get("v", 1)
    if type(version) is not int or version < 1:
        raise SpecUnreadable(f"A spec has no version “{version}”.")
    if version > VERSION:
        raise SpecTooNew
    data = {name: value for name, value in data.items() if name != "v"}
    try:
        for step in _STEPS[version - 1 :]:
            data = step(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise SpecUnreadable(f"The spec is not one of version {version}: {error!r}.") from None
    return data


def _second(data: dict[str, Any]) -> dict[str, Any]:
    """The first had no number, grew as it went, and knew one place to stop."""
    added: dict[str, Any] = {"criteria": "", "stop_after_panel": False, "request": {}}
    data = added | data
    stops = data.pop("stop_after_panel")
    return data | {
        "stop_after": "panel" if stops else "",
        "policy": _POLICY_OF_THE_FIRST | data["policy"],
        "prompts": {"marks": "", "condense": "", "poll": ""} | data["prompts"],
    }


_POLICY_OF_THE_FIRST: dict[str, Any] = {
    "quorum": None,
    "grace": 8,
    "grace_factor": 0.5,
    "panel_timeout": 900,
    "first_token_timeout": 180,
    "stall_timeout": 30,
    "total_timeout": 900,
    "retries": 2,
    "max_retry_wait": 30,
    "repeat_unconfirmed": False,
    "analysis_max_output_tokens": 8000,
    "synthesis_max_output_tokens": None,
    "max_calls": None,
    "max_tokens": None,
}


def _third(data: dict[str, Any]) -> dict[str, Any]:
    """Until then nobody could ask anything of how data is handled: what did was refused. It
    waited for a quorum, then for whoever had begun when the grace was over."""
    policy = dict(data["policy"])
    quorum = policy.pop("quorum")
    policy |= {
        "wait_for": {"at_least": quorum} if quorum else "all_but_one",
        "writing_factor": None,
        "writing_seconds": 60,
        "silent_factor": None,
        "silent_seconds": 60,
        "alive_timeout": policy["stall_timeout"],
    }
    return data | {"terms": _NO_TERMS, "policy": policy}


_NO_TERMS: dict[str, Any] = {
    "only_local": False,
    "zero_retention": False,
    "no_training": False,
    "only_providers": [],
    "ignored_providers": [],
    "max_price": {},
    "distillable": False,
    "routing": {},
    "beside": {},
}


def _fourth(data: dict[str, Any]) -> dict[str, Any]:
    """Until then whoever was named as a judge was asked, however small, and all in the same
    words."""
    prompts = {"small_analysis": "", "small_synthesis": ""} | data["prompts"]
    return data | {"prompts": prompts}


def _fifth(data: dict[str, Any]) -> dict[str, Any]:
    """Until then a model sat in every seat, and somebody was named as the judge."""
    return data


def _sixth(data: dict[str, Any]) -> dict[str, Any]:
    """Until then nothing was looked up for a run."""
    prompts = {"queries": "", "sources": ""} | data["prompts"]
    return data | {"research": None, "prompts": prompts}


def _seventh(data: dict[str, Any]) -> dict[str, Any]:
    """Until then what was looked up was the same for every seat."""
    research = data["research"]
    return data | {
        "research": {"turns": 6} | research if research else None,
        "prompts": {"tools": ""} | data["prompts"],
    }


def _eighth(data: dict[str, Any]) -> dict[str, Any]:
    """Until then claims were looked up for readers alone."""
    research = data["research"]
    return data | {"research": {"claims": False} | research if research else None}


# What leads from each version to the next.
_STEPS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (
    _second,
    _third,
    _fourth,
    _fifth,
    _sixth,
    _seventh,
    _eighth,
)
