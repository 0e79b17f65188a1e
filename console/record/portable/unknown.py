"""Parts of a document that this version does not know: kept as they are with the run they stand in,
and written again where they stood.

A part is `[place, value]`; the place is the way to it from its run, on which a call goes by its
key and a fusion by its number, which a row keeps. `up_to_date` takes from a document whatever a
newer version may have added, so that what is left can be read as strictly as any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from pydantic import ValidationError

from ...engine.spec import PANELIST_VERSIONS, Panelist, Policy, Prompts, Spec
from ...engine.spec_versions import VERSION as SPEC_VERSION
from ...engine.terms import Terms
from .shape import VERSION, Document

Place = tuple[int | str, ...]
Part = list[Any]  # [place, value], as JSON has it
MAX_DEPTH = 100
MAX_UNKNOWN = 50_000


@dataclass
class Unknown:
    """`whole` are parts of the document itself, `runs` those of each run."""

    whole: list[Part] = field(default_factory=list)
    runs: dict[int, list[Part]] = field(default_factory=dict)

    def take(self, data: Any, place: Place) -> None:
        """Out of `data`, where it stands."""
        way, last = place[:-1], place[-1]
        holder = data
        for step in way:
            holder = holder[step]
        value = holder.pop(last)
        if place[0] == "runs" and len(place) > 2:
            named = [*_named(data["runs"][place[1]], place[2:])]
            self.runs.setdefault(int(place[1]), []).append([named, value])
        else:
            self.whole.append([[*place], value])


def take_unknown(data: dict[str, Any]) -> Unknown:
    """Of a document as it came, changed in place. What else is wrong with it stays in it."""
    unknown = Unknown()
    if type(version := data.get("v")) is int and version > VERSION:
        unknown.take(data, ("v",))
        data["v"] = VERSION
    for place in [*_of_specs(data)]:
        unknown.take(data, place)
        if place[-1] == "v" and place[-2] == "spec":
            data["runs"][place[1]]["spec"]["v"] = SPEC_VERSION
    try:
        Document.model_validate_json(json.dumps(data))
    except ValidationError as error:
        if error.error_count() > MAX_UNKNOWN:  # no version's file, and each takes a kilobyte here
            return unknown
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            if one["type"] == "extra_forbidden" and _is_there(data, one["loc"]):
                unknown.take(data, one["loc"])
    return unknown


def put_back(run: dict[str, Any], parts: list[Part]) -> None:
    """Into a run as it is written. Where what it stood in is not there, it is left out."""
    for place, value in parts:
        holder: Any = run
        for step, after in zip(place[:-1], place[1:], strict=True):
            holder = _step(holder, step, after)
        if isinstance(holder, dict):
            holder[place[-1]] = value


def _step(holder: Any, step: int | str, after: int | str) -> Any:
    if isinstance(holder, dict):
        # What is usual is not written; something unknown in it is unusual.
        return holder.setdefault(step, {} if isinstance(after, str) else [])
    if isinstance(holder, list):
        if isinstance(step, str):
            return next((one for one in holder if _name(one) == step), None)
        return holder[step] if step < len(holder) else None
    return None


def _named(run: dict[str, Any], place: Place) -> Iterator[int | str]:
    holder: Any = run
    for step in place:
        is_item = isinstance(step, int) and isinstance(holder, list) and step < len(holder)
        inner = holder[step] if is_item or isinstance(holder, dict) and step in holder else None
        is_named = is_item and any(holder is run.get(name) for name in ("calls", "fusions"))
        yield _name(inner) or step if is_named else step
        holder = inner


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return str(item.get("key") or item.get("number") or "")


def _is_there(data: Any, place: Place) -> bool:
    for step in place:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


# ---- what stands in a spec, which is read by its dataclasses ----


def _of_specs(data: dict[str, Any]) -> Iterator[Place]:
    for number, run in _items(data.get("runs")):
        if not isinstance(run, dict):
            continue
        spec, place = run.get("spec"), ("runs", number, "spec")
        if isinstance(spec, dict) and _is_of_today(spec):
            if type(v := spec.get("v")) is int and v > SPEC_VERSION:
                yield (*place, "v")
            yield from _beyond(Spec, spec, place, {"v"})
            for name, kind in (("policy", Policy), ("prompts", Prompts), ("terms", Terms)):
                yield from _beyond(kind, spec.get(name), (*place, name))
            for seat, panelist in _items(spec.get("panel")):
                yield from _of_panelist(panelist, (*place, "panel", seat))
            for name in ("judge", "synthesizer"):
                yield from _of_panelist(spec.get(name), (*place, name))
        for name, role in (("calls", ("panelist",)), ("fusions", ("judge", "synthesizer"))):
            for item, one in _items(run.get(name)):
                for which in role if isinstance(one, dict) else ():
                    yield from _of_panelist(one.get(which), ("runs", number, name, item, which))


def _is_of_today(spec: dict[str, Any]) -> bool:
    """Older ones have other fields, all of which are known."""
    return type(v := spec.get("v")) is int and v >= SPEC_VERSION


def _of_panelist(panelist: Any, place: Place) -> Iterator[Place]:
    if not isinstance(panelist, dict):
        return
    if type(v := panelist.get("v")) is int and v > max(PANELIST_VERSIONS):
        yield (*place, "v")
    yield from _beyond(Panelist, panelist, place, {"v"})
    yield from _beyond(Terms, panelist.get("terms"), (*place, "terms"))
    yield from _of_panelist(panelist.get("fallback"), (*place, "fallback"))


def _beyond(
    kind: type[Any], value: Any, place: Place, besides: set[str] | None = None
) -> Iterator[Place]:
    if isinstance(value, dict):
        known = {one.name for one in fields(kind)} | (besides or set())
        yield from ((*place, name) for name in value if name not in known)


def _items(value: Any) -> Iterator[tuple[int, Any]]:
    yield from enumerate(value) if isinstance(value, list) else ()


def too_deep(value: Any, most: int = MAX_DEPTH) -> bool:
    """Not by recursion: it may be as deep as it likes."""
    level = [value]
    for _ in range(most):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True
