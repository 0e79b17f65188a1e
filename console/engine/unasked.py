"""A run as it is told to who is not to know what was asked.

What was searched for says it in other words, and names of files say what it was about: neither is
told. What is written in the answers stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .pool import Pool, searches, sources
from .state import CallState, RunState, Step


def unasked(state: RunState) -> RunState:
    return replace(
        state,
        calls={key: _call(call) for key, call in state.calls.items()},
        research=_pool(state.research),
    )


def _call(call: CallState) -> CallState:
    if call.step is Step.RESEARCH:
        return replace(call, text="", reasoning="", files=[])
    return replace(call, files=[]) if call.files else call


def _pool(pool: Pool) -> Pool:
    listed = {"searches": searches(pool), "sources": sources(pool)}
    return pool | {name: _without_queries(found) for name, found in listed.items() if found}


def _without_queries(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one | {"query": ""} for one in found]
