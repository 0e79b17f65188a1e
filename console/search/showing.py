"""Runs that were found, as they are shown: those that may be read, each with its passage."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from ..models import Run
from .finding import Found
from .places import FoundText, places_of
from .queries import Query


@dataclass(frozen=True)
class FoundRun:
    run: Run
    text: FoundText | None


def shown(found: Found, query: Query, readable: QuerySet[Run]) -> list[FoundRun]:
    """In the order in which they were found. `readable`: what `access` gives; what the index
    still names and may not be read any more is left out."""
    keys = [hit.run for hit in found.hits]
    runs = {run.pk: run for run in readable.filter(pk__in=keys)}
    places = places_of(runs.keys(), query)
    return [FoundRun(runs[key], places.get(key)) for key in keys if key in runs]
