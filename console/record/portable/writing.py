"""Rows -> document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ...engine.state import CallState, FusionState, RunState
from ...models import Run, Verdict
from ..rows import state_from_rows
from .shape import (
    MAX_VERDICTS,
    CallShape,
    Document,
    FusionShape,
    RunShape,
    UsageShape,
    VerdictShape,
)


class Unfinished(ValueError):
    """A run that still changes is not written down whole."""


def write(runs: Sequence[Run]) -> Document:
    """Of a run and of what goes on from it, each after the one it follows. What an earlier one
    was that is not among them, its messages say if they are stored. Raises Unfinished."""
    places = {run.pk: place for place, run in enumerate(runs)}
    return Document(runs=[_run(run, places) for run in runs])


def to_json(document: Document) -> str:
    """What is empty or usual is not in it. In one order, since PostgreSQL keeps none."""
    data: dict[str, Any] = document.model_dump(mode="json", exclude_defaults=True)
    data["v"] = document.v
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _run(run: Run, places: dict[Any, int]) -> RunShape:
    if not run.is_final:
        raise Unfinished("The run is still under way: when it has ended it can be taken along.")
    state = state_from_rows(run)
    own = {f.name: getattr(state, f.name) for f in fields(RunState)}
    own |= {"calls": [_call(call) for call in state.calls.values()]}
    own |= {"fusions": [_fusion(fusion) for fusion in state.fusions.values()]}
    return RunShape(
        prompt=run.prompt,
        preset=run.preset,
        preset_name=run.preset_name,
        created_at=run.created_at.timestamp(),
        spec=run.spec,
        messages=run.messages,
        histories=run.histories,
        follows=places.get(run.follows_id),
        follows_from=run.follows_from,
        follows_calls=run.follows_calls,
        verdicts=[_verdict(verdict) for verdict in run.verdicts.all()[:MAX_VERDICTS]],
        **own,
    )


def _verdict(verdict: Verdict) -> VerdictShape:
    return VerdictShape(
        best=verdict.best,
        note=verdict.note,
        answers=verdict.answers,
        seen=verdict.seen,
        at=verdict.changed_at.timestamp(),
    )


def _call(call: CallState) -> CallShape:
    values = {f.name: getattr(call, f.name) for f in fields(CallState)}
    return CallShape(**values | {"usage": UsageShape(**call.usage.to_dict())})


def _fusion(fusion: FusionState) -> Any:
    return FusionShape(**{f.name: getattr(fusion, f.name) for f in fields(FusionState)})
