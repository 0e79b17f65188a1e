"""What can be found of a run: written with its rows, whole, at its start, its end and whenever
something else about it changes; never while it is being written."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

from django.db import connection, transaction
from django.db.models import BigIntegerField, CharField, QuerySet, Value

from ..engine.state import Step
from ..models import Call, Fusion, Run, RunMark, RunTag, SearchEntry, Verdict
from ..models.prepared import Placeholder, Prepared
from ..models.runs import Origin
from .facets import facets_of, mark_facet, tag_facet
from .folding import fold

log = logging.getLogger(__name__)

RUN = "run"
# Characters of an entry. A word of PostgreSQL's index may stand in at most a megabyte of them.
PIECE = 150_000
SLOTS = 10  # bits of a number that tell those of one moment apart
APART = " · "  # no phrase goes from one text to the next
# Of an analysis what is no sentence of the judge's: quotes stand in the answers.
_UNSAID = frozenset({"id", "quote", "quotes", "seat", "seats", "kind"})


def index(run_id: uuid.UUID) -> None:
    """Within the transaction of whoever writes the run. What cannot be indexed is written in the
    log and not found, and keeps nobody from being answered."""
    try:
        with transaction.atomic():
            _write(run_id)
    except Exception:  # whatever is stored there: its run is answered all the same
        if connection.needs_rollback:  # the database is away: nothing else was written either
            raise
        log.exception("run %s cannot be found by its words", run_id)


def index_begun(run: Run, calls: Sequence[Call]) -> None:
    """Of one that is being saved, with what it begins with: nothing of it has to be read."""
    try:
        with transaction.atomic():
            SearchEntry.objects.bulk_create(_begun(run, calls))
    except Exception:  # another has that number, or what `index` says of it
        if connection.needs_rollback:
            raise
        index(run.pk)


def forget(run_ids: Iterable[uuid.UUID]) -> None:
    """Deleting a run does it, too."""
    SearchEntry.objects.filter(run__in=[*run_ids]).delete()


def number_of(moment: datetime, slot: int = 0) -> int:
    """The first number of a moment: as time goes on, numbers grow."""
    return (int(moment.timestamp() * 1_000_000) << SLOTS) + slot


def _write(run_id: uuid.UUID) -> None:
    run = next(iter(_RUN.rows(run=run_id)), None)
    if run is None:
        return  # deleted meanwhile, and its entries with it
    if run.origin == Origin.DELETED:  # one that ends later, or is read in anew, stays forgotten
        forget([run_id])
        return
    calls, fusions = _CALLS.rows(run=run_id), _FUSIONS.rows(run=run_id)
    notes = _NOTES.rows(run=run_id)
    tags, marks = _kept(run_id)
    kept = [*map(tag_facet, tags), *marks]
    facets = " ".join([facets_of(run, calls, fusions, has_best=bool(notes)), *kept])
    heading = APART.join(fold(text) for text in (run.title, *tags) if text)
    said = [
        ("prompt", run.prompt),
        *(("fused", fusion.text) for fusion in fusions),
        *(("rest", call.text) for call in calls),
        *(("rest", text) for fusion in fusions for text in _judged(fusion)),
        *(("rest", note) for note in notes),
    ]
    pieces = [*_pieces(said)] or [{}]
    there = dict(_THERE.rows(object=run_id.hex))
    for part, texts in enumerate(pieces):
        row = {"prompt": "", "fused": "", "rest": "", **texts, "heading": heading, "facets": facets}
        if part in there:
            _ENTRY.update(row, entry=there.pop(part))
        else:
            key = _free(run.created_at, f"{run_id.hex}-{part}")
            entry = SearchEntry(id=key, kind=RUN, object=run_id.hex, part=part, run=run, **row)
            entry.save(force_insert=True)
    if there:
        SearchEntry.objects.filter(pk__in=there.values()).delete()


def _kept(run_id: uuid.UUID) -> tuple[list[str], list[str]]:
    """Its tags, and what its readers keep of it as words of the index; by one question."""
    rows = sorted(_KEPT.rows(run=run_id), key=str)
    named = [name for name, person in rows if person is None]
    return named, [mark_facet(kind, person) for kind, person in rows if person is not None]


def _tags_and_marks() -> QuerySet[Any, Any]:
    nobody = Value(None, output_field=BigIntegerField())
    tags = RunTag.objects.filter(run=_GIVEN).order_by().values_list("name", nobody)
    marks = RunMark.objects.filter(run=_GIVEN).order_by().values_list("kind", "person_id")
    return tags.union(marks, all=True)


_GIVEN = Placeholder("run", Run._meta.pk)
_RUN = Prepared(
    lambda: Run.objects.filter(pk=_GIVEN).defer(
        "messages", "histories", "follows_calls", "imported"
    )
)
_CALLS = Prepared(
    lambda: Call.objects.filter(run=_GIVEN, step=Step.PANEL).only(
        "run_id", "step", "seat", "number", "status", "panelist", "text"
    )
)
_FUSIONS = Prepared(
    lambda: Fusion.objects.filter(run=_GIVEN).only(
        "run_id", "number", "analysis", "analysis_error", "best", "text", "wish"
    )
)
_NOTES = Prepared(lambda: Verdict.objects.filter(run=_GIVEN).values_list("note", flat=True))
_KEPT = Prepared(_tags_and_marks)
_THERE = Prepared(
    lambda: SearchEntry.objects.filter(
        kind=RUN, object=Placeholder("object", CharField())
    ).values_list("part", "pk")
)
_ENTRY = Prepared(lambda: SearchEntry.objects.filter(pk=Placeholder("entry", BigIntegerField())))


def _begun(run: Run, calls: Sequence[Call]) -> Iterator[SearchEntry]:
    said = [("prompt", run.prompt), *(("rest", call.text) for call in calls)]
    facets = facets_of(run, calls, (), has_best=False)
    for part, texts in enumerate([*_pieces(said)] or [{}]):
        row = {"prompt": "", "fused": "", "rest": "", **texts, "heading": "", "facets": facets}
        key = number_of(run.created_at, _slot(f"{run.pk.hex}-{part}"))
        yield SearchEntry(id=key, kind=RUN, object=run.pk.hex, part=part, run=run, **row)


def _free(moment: datetime, name: str) -> int:
    """A number of that moment which nobody has."""
    first, slots = number_of(moment), 1 << SLOTS
    slot = _slot(name)
    then = SearchEntry.objects.filter(pk__gte=first, pk__lt=first + slots)
    taken = {*then.values_list("pk", flat=True)}
    while first + slot % slots in taken and slot < 2 * slots:
        slot += 1
    return first + slot % slots


def _slot(name: str) -> int:
    return crc32(name.encode()) % (1 << SLOTS)


def _pieces(said: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Folded, by column. Where a text is too long for an entry, it goes on in the next."""
    piece: dict[str, list[str]] = {}
    room = PIECE
    for column, text in said:
        folded = fold(text)
        while folded:
            if len(folded) > room and room < PIECE // 10:
                yield _joined(piece)
                piece, room = {}, PIECE
            taken = folded if len(folded) <= room else folded[:room].rpartition(" ")[0]
            piece.setdefault(column, []).append(taken)
            room -= len(taken)
            folded = folded[len(taken) :].strip()
            if folded:
                yield _joined(piece)
                piece, room = {}, PIECE
    if piece:
        yield _joined(piece)


def _joined(piece: dict[str, list[str]]) -> dict[str, str]:
    return {column: APART.join(texts) for column, texts in piece.items()}


def _judged(fusion: Fusion) -> Iterator[str]:
    """What its judge found and its reader ruled, added and wished."""
    yield from strings(fusion.analysis)
    for ruling in fusion.wish.get("rulings", []):
        yield str(ruling.get("note", ""))
    yield from map(str, fusion.wish.get("facts", []))
    yield str(fusion.wish.get("instruction", ""))


def strings(value: Any) -> Iterator[str]:
    """The sentences of an analysis."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _UNSAID:
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
