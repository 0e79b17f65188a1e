"""Document -> rows, as a worker leaves those of a run that has ended."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ...engine.state import CallState, FusionState, RunState
from ...engine.usage import Usage
from ...models import Call, Run, Verdict
from ...models.runs import Origin
from ..eventlog import Position
from ..rows import call_row, fusion_row, run_fields
from .shape import Document, RunShape, VerdictShape
from .unknown import Unknown

ELSEWHERE = ("again_of", "archived")


@transaction.atomic
def bring_in(
    document: Document,
    *,
    owner: User | None,
    visibility: str,
    origin: str,
    unknown: Unknown | None = None,
) -> list[Run]:
    """Nobody is asked and no worker is rung for. Each run is a new one, whatever it was before;
    one that is imported stands among those of today, at no cost. `unknown`: what stays with
    them beyond the document."""
    runs: list[Run] = []
    for place, shape in enumerate(document.runs):
        before = None if shape.follows is None else runs[shape.follows]
        fields: dict[str, Any] = {"owner": owner, "visibility": visibility, "origin": origin}
        if origin == Origin.IMPORTED:
            # What means nothing here goes along with it, too.
            parts = [[[name], value] for name in ELSEWHERE if (value := getattr(shape, name))]
            parts += unknown.runs.get(place, []) if unknown else []
            whole = unknown.whole if unknown and not place else []
            fields["imported"] = {"asked_at": shape.created_at, "unknown": parts, "whole": whole}
        runs.append(_bring(shape, before, fields))
    return runs


def _bring(shape: RunShape, before: Run | None, its_own: dict[str, Any]) -> Run:
    state = state_of(shape)
    run = Run(
        prompt=shape.prompt,
        context=shape.context,
        messages=shape.messages,
        histories=shape.histories,
        spec=shape.spec,
        preset=shape.preset,
        preset_name=shape.preset_name,
        follows=before,
        follows_from=shape.follows_from,
        follows_calls=shape.follows_calls,
        # Whose template it was is not known here.
        template=shape.template.model_dump() | {"key": ""} if shape.template else None,
        attempt=state.attempt,
        # It has no log: its rows say all there is, wherever in one they would have stood.
        log_position=str(Position(state.attempt, 1)),
        **run_fields(state) | its_own,
    )
    if run.is_imported:
        run.cost, run.cost_is_partial = None, False
    run.save(force_insert=True)
    if not run.is_imported:
        moment = datetime.fromtimestamp(shape.created_at, UTC)
        Run.objects.filter(pk=run.pk).update(created_at=moment)
        run.created_at = moment
    numbers: dict[int | None, int | None] = {None: None}
    for fusion in state.fusions.values():
        row = fusion_row(run.pk, state, fusion)
        row.save(force_insert=True)
        numbers[fusion.number] = row.pk
    calls = [(call.fusion, call_row(run.pk, call)) for call in state.calls.values()]
    for number, call in calls:
        call.fusion_id = numbers[number]
    Call.objects.bulk_create([call for _, call in calls])
    for verdict in shape.verdicts:
        _bring_verdict(run, verdict)
    return run


def _bring_verdict(run: Run, shape: VerdictShape) -> None:
    """Nobody's here."""
    verdict = Verdict.objects.create(
        run=run, best=shape.best, note=shape.note, answers=shape.answers, seen=dict(shape.seen)
    )
    moment = datetime.fromtimestamp(shape.at, UTC)
    Verdict.objects.filter(pk=verdict.pk).update(created_at=moment, changed_at=moment)


def state_of(shape: RunShape) -> RunState:
    calls, fusions = map(_call_of, shape.calls), map(_fusion_of, shape.fusions)
    own = {
        f.name: getattr(shape, f.name)
        for f in fields(RunState)
        if f.name not in ("calls", "fusions")
    }
    return RunState(
        **own,
        calls={call.key: call for call in calls},
        fusions={fusion.number: fusion for fusion in fusions},
    )


def _call_of(shape: object) -> CallState:
    values = {f.name: getattr(shape, f.name) for f in fields(CallState)}
    return CallState(**values | {"usage": Usage(**vars(values["usage"]))})


def _fusion_of(shape: object) -> FusionState:
    return FusionState(**{f.name: getattr(shape, f.name) for f in fields(FusionState)})
