"""Whom and with what a person has asked lately: what is offered first where one chooses."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.models import User

from ..models import Call, Run
from ..models.prepared import READER, Prepared
from ..models.runs import READ_ONLY, Origin

RUNS = 20


def models_used_lately(person: User) -> list[tuple[str, str]]:
    """(credential's slug, model) of whoever was asked in their last runs, the latest first."""
    own = Run.objects.filter(owner=person).exclude(origin__in=READ_ONLY)
    latest = list(own.order_by("-created_at").values_list("pk", flat=True)[:RUNS])
    calls = Call.objects.filter(run__in=latest).order_by("-run__created_at", "pk")
    asked = calls.values_list("panelist", flat=True)
    used = [(p.get("credential", ""), p.get("model", "")) for p in asked]
    return list(dict.fromkeys(one for one in used if all(one)))


@cache
def _presets_of() -> Prepared:
    own = Run.objects.filter(owner_id=READER, origin=Origin.PAGE, follows=None)
    return Prepared(own.order_by("-created_at").values_list("preset", flat=True)[:RUNS].all)


def presets_used_lately(person: User) -> list[str]:
    """By their slugs, those of the runs they started on the page, the latest first."""
    return list(dict.fromkeys(_presets_of().rows(reader=person.pk)))


def latest_with(person: User, preset: str) -> Run | None:
    own = Run.objects.filter(owner=person, origin=Origin.PAGE, follows=None, preset=preset)
    return own.order_by("-created_at").first()
