"""Document -> rows, as a worker leaves those of a run that has ended."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction

from ...engine.state import CallState, FusionState, RunState
from ...engine.usage import Usage
from ...models import Call, Run, Verdict
from ..eventlog import Position
from ..rows import call_row, fusion_row, run_fields
from .shape import Document, RunShape, VerdictShape


@transaction.atomic
def bring_in(document: Document, *, owner: User | None, visibility: str, origin: str) -> list[Run]:
    """Nobody is asked and no worker is rung for. Each run is a new one, whatever it was before."""
    runs: list[Run] = []
    for shape in document.runs:
        before = None if shape.follows is None else runs[shape.follows]
        runs.append(_bring(shape, before, owner=owner, visibility=visibility, origin=origin))
    return runs


def _bring(
    shape: RunShape, before: Run | None, *, owner: User | None, visibility: str, origin: str
) -> Run:
    state = state_of(shape)
    run = Run(
        owner=owner,
        origin=origin,
        visibility=visibility,
        prompt=shape.prompt,
        messages=shape.messages,
        histories=shape.histories,
        spec=shape.spec,
        preset=shape.preset,
        preset_name=shape.preset_name,
        follows=before,
        follows_from=shape.follows_from,
        follows_calls=shape.follows_calls,
        attempt=state.attempt,
        # It has no log: its rows say all there is, wherever in one they would have stood.
        log_position=str(Position(state.attempt, 1)),
        **run_fields(state),
    )
    run.save(force_insert=True)
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
