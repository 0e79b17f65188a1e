"""What presets were before they were changed, by whom, and one step back.

A version is written when somebody has saved; what changed between two is found when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from ..models import Credential, OwnPreset, Preset, PresetPanelist, PresetVersion
from .errors import Refused
from .web import OFF, usual_way
from .wish import CUSTOM, DIRECT

Either = Preset | OwnPreset

# Of a preset and of its seats: what is no part of what it asks, or is found anew by itself.
_NOT_KEPT = {"id", "slug", "preset", "filled_from", "position", "enabled"}


@dataclass(frozen=True)
class FieldChange:
    """One thing that another version says otherwise; "" is nothing."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class ToldVersion:
    number: int
    changed_by: str
    changed_at: datetime
    changes: tuple[FieldChange, ...]
    is_now: bool


@transaction.atomic
def version_add(*, preset: Either, by: User | None) -> int:
    """As it stands now; its number, which stays where nothing has changed."""
    # Two who save at once are told apart.
    type(preset)._default_manager.select_for_update().filter(pk=preset.pk).first()
    last = preset.versions.order_by("-number").first()
    content = said(preset)
    if last is not None and last.content == content:
        return last.number
    number = last.number + 1 if last else 1
    preset.versions.create(number=number, content=content, changed_by=by)
    return number


def version_of(slug: str) -> tuple[int | None, Decimal | None]:
    """Which one a run that begins now is asked with, None where none was ever written down; and
    what the preset lets a run cost."""
    if slug in ("", CUSTOM, DIRECT):
        return None, None
    of = PresetVersion.objects.filter(Q(preset__slug=slug) | Q(own__slug=slug))
    columns = ("number", "preset__run_budget", "own__content__run_budget")
    number, sites, own = of.order_by("-number").values_list(*columns).first() or (None,) * 3
    budget = sites if own is None else own
    return number, None if budget is None else Decimal(str(budget))


def way_of_version(slug: str, number: int | None) -> str | None:
    """How the preset searched the web when it was that version; None where nobody knows."""
    if number is None:
        return None
    of = PresetVersion.objects.filter(Q(preset__slug=slug) | Q(own__slug=slug), number=number)
    found = of.values_list("content", "own_id").first()
    if found is None:
        return None
    content, own = found
    return str(content["content"].get("web") or OFF) if own else usual_way(content.get("web"), slug)


def versions(preset: Either) -> list[ToldVersion]:
    """The newest first, each with what it changed."""
    rows = list(preset.versions.select_related("changed_by").order_by("-number"))
    before = [*rows[1:], None][: len(rows)]
    return [
        ToldVersion(
            number=row.number,
            changed_by=row.changed_by.get_username() if row.changed_by else "the site",
            changed_at=row.changed_at,
            changes=tuple(changes(old.content, row.content)) if old else (),
            is_now=row is rows[0],
        )
        for row, old in zip(rows, before, strict=True)
    ]


@transaction.atomic
def version_back(*, preset: Either, number: int, by: User) -> int:
    """Make it what it was then. That is a new version. Raises Refused."""
    row = preset.versions.filter(number=number).first()
    if row is None:
        raise Refused("That version is not there any more.")
    if isinstance(preset, OwnPreset):
        preset.name, preset.description = row.content["name"], row.content["description"]
        preset.content = row.content["content"]
        preset.save(update_fields=["name", "description", "content"])
    else:
        _put(preset, row.content)
    return version_add(preset=preset, by=by)


def said(preset: Either) -> dict[str, Any]:
    """All of it, as what can be stored."""
    if isinstance(preset, OwnPreset):
        return {
            "name": preset.name,
            "description": preset.description,
            "content": preset.content,
        }
    fresh = Preset.objects.get(pk=preset.pk)
    keys = dict(Credential.objects.values_list("pk", "slug"))
    seats = fresh.panelists.order_by("seat", "id")
    return _row(fresh, keys) | {"panel": [_row(seat, keys) for seat in seats]}


def changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[FieldChange]:
    old, new = dict(_flat(before)), dict(_flat(after))
    # Seat by seat, then the rest in its order.
    both = dict.fromkeys([*new, *old])
    for what in sorted(both, key=lambda w: w[: len("seat A")] if w.startswith("seat ") else "~"):
        if (was := old.get(what, "")) != (now := new.get(what, "")):
            yield FieldChange(what, was, now)


def _row(row: Preset | PresetPanelist, keys: dict[int, str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if field.name in _NOT_KEPT or field.name == "seat":
            continue
        value = getattr(row, field.attname)
        if field.related_model is Credential:
            value = keys.get(value, "")
        if value not in (None, "", False):
            kept[field.name] = value
    return kept


def _put(preset: Preset, content: dict[str, Any]) -> None:
    keys = {c.slug: c for c in Credential.objects.all()}
    locked = Preset.objects.select_for_update().get(pk=preset.pk)
    _set(locked, content, keys)
    locked.save()
    locked.panelists.all().delete()
    for number, seat in enumerate(content["panel"]):
        row = PresetPanelist(preset=locked, seat=number)
        _set(row, seat, keys)
        row.save()


def _set(
    row: Preset | PresetPanelist, content: dict[str, Any], keys: dict[str, Credential]
) -> None:
    for field in row._meta.concrete_fields:
        if field.name in _NOT_KEPT or field.name == "seat":
            continue
        value = content.get(field.name)
        if field.related_model is Credential:
            if value and value not in keys:
                raise Refused(f"The key “{value}” of that version is not there any more.")
            setattr(row, field.name, keys.get(value or ""))
        elif value is None:
            setattr(row, field.name, None if field.null else field.get_default())
        else:
            setattr(row, field.name, value)


def _flat(content: dict[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """(what it is called on a page, what it says), one by one."""
    for name, value in content.items():
        words = name.replace("_", " ")
        if name == "v":
            continue
        if name == "panel":
            for number, seat in enumerate(value):
                yield from _flat(seat, f"seat {chr(ord('A') + number)}")
        elif isinstance(value, dict):
            yield from _flat(value, at)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else _text(value)
            yield " ".join(filter(None, (at, words))), text


def _text(value: Any) -> str:
    match value:
        case True:
            return "yes"
        case None | False | "":
            return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
