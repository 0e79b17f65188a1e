"""What projects' files say, part by part: entries of a kind of their own, found by research and by
no list, since no reader's word is among their facets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from ..models import SearchEntry
from . import on_postgres, on_sqlite
from .entries import PIECE, number_of
from .folding import fold, words
from .sought import Sought

PROJECT_FILE = "project-file"
LOOKED_AT = 300  # entries that are weighed against each other
MOST_WORDS = 24  # of what is looked for


@dataclass(frozen=True)
class FoundPart:
    """A part of a file that says something of what was looked for; the likeliest come first."""

    file: int
    part: int


def index_file(file_id: int, project_id: int, parts: Sequence[str], at: datetime) -> None:
    """Within the transaction that adds it."""
    forget_files([file_id])
    first = number_of(at)
    while SearchEntry.objects.filter(pk__gte=first, pk__lt=first + len(parts)).exists():
        first += len(parts)
    SearchEntry.objects.bulk_create(
        SearchEntry(
            id=first + place,
            kind=PROJECT_FILE,
            object=str(file_id),
            part=place,
            rest=fold(text)[:PIECE],
            facets=_facet(project_id),
        )
        for place, text in enumerate(parts)
    )


def forget_files(file_ids: Collection[int]) -> None:
    SearchEntry.objects.filter(kind=PROJECT_FILE, object__in=[*map(str, file_ids)]).delete()


def find_in_files(project_id: int, query: str, count: int) -> list[FoundPart]:
    """What says any of its words, by how rare the words are that it says. Both databases find the
    same: they only say which parts have one."""
    sought = list(dict.fromkeys(words(query)))[:MOST_WORDS]
    if not sought:
        return []
    backend = on_postgres if connection.vendor == "postgresql" else on_sqlite
    asked = Sought(terms=(), one_of=tuple(sought), all_of=(_facet(project_id),))
    rows, _ = backend.newest(asked, LOOKED_AT)
    entries = [*SearchEntry.objects.filter(pk__in=[pk for pk, _ in rows], kind=PROJECT_FILE)]
    said = [Counter(entry.rest.split()) for entry in entries]
    in_how_many = {word: sum(word in found for found in said) for word in sought}

    def worth(found: Counter[str]) -> float:
        return sum(
            math.log(1 + len(said) / in_how_many[word]) * found[word] / (found[word] + 1.2)
            for word in sought
            if found[word]
        )

    ranked = sorted(
        zip(entries, said, strict=True), key=lambda one: (-worth(one[1]), -one[0].pk, one[0].part)
    )
    return [FoundPart(int(entry.object), entry.part) for entry, _ in ranked[:count]]


def _facet(project_id: int) -> str:
    return f"·q{project_id}"
