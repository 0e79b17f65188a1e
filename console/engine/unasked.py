"""A run as it is told to who is not to know what was asked.

What was searched for says it in other words, and titles of pages and names of files say what it
was about: none is told, of a page only where it is. What is written in the answers stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .pool import Pool, searches, sources, trail
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
    if call.is_turn:  # what it asked tools for
        call = replace(call, text="", reasoning="", tool_calls=[])
    if not (call.files or call.citations):
        return call
    return replace(call, files=[], citations=[*map(_untitled, call.citations)])


def _pool(pool: Pool) -> Pool:
    listed = {"searches": searches(pool), "sources": sources(pool)}
    told = {name: _without_queries(found) for name, found in listed.items() if found}
    steps = [one | {"asked": "", "about": ""} for one in trail(pool)]
    shown = {name: value for name, value in pool.items() if name != "wanted"}
    return shown | told | ({"trail": steps} if steps else {})


def _without_queries(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_untitled(one | {"query": ""}) for one in found]


def _untitled(one: dict[str, Any]) -> dict[str, Any]:
    if "found" in one and isinstance(one["found"], list):
        return one | {"found": [*map(_untitled, one["found"])]}
    return one | {"title": urlsplit(one["url"]).hostname or ""} if "url" in one else one
