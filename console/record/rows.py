"""Between rows and the folded state, both ways, so that one test can hold them together.

The dataclasses of the state are the list of what a call and a fusion are: a field of theirs
has the column of its name, and is mapped by what kind of column and value it is.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_type_hints

from django.db import models

from ..engine.findings.given import given
from ..engine.findings.worth import changed
from ..engine.spec_versions import SpecTooNew
from ..engine.state import CallState, CallStatus, FusionState, RunState, RunStatus, Step
from ..engine.text import storable
from ..engine.unasked import unasked
from ..engine.usage import Usage
from ..models import Call, Fusion, Run
from ..models.prepared import Placeholder, Prepared

S = TypeVar("S", RunState, FusionState, CallState)

# Of a call and a fusion what makes them this one, and is never written again.
_CALL_IS = {"key", "step", "number", "cause", "panelist", "seat"}
_FUSION_IS = {"number", "turn", "wish"}
# Columns of a fusion that are found in its calls.
_FOUND = ["changed", "text", "called"]

_STEPS = frozenset(Step)

# What a save writes anew.
CALL_FIELDS = [f.name for f in fields(CallState) if f.name not in _CALL_IS]
FUSION_FIELDS = [f.name for f in fields(FusionState) if f.name not in _FUSION_IS] + _FOUND


_FUSIONS = Prepared(lambda: Fusion.objects.filter(run=Placeholder("run", Run._meta.pk)))
_CALLS = Prepared(lambda: Call.objects.filter(run=Placeholder("run", Run._meta.pk)))


def state_from_rows(run: Run, *, whole: bool = False) -> RunState:
    """The run, its fusions and its calls are read one after the other while a worker writes.

    A call of a step that only a later version knows is left out, so that during an upgrade the
    rest can be read; `whole` is for who carries the run out. Raises SpecTooNew for that, and
    where a row names a status that only a later version knows.
    """
    numbers: dict[int | None, int | None] = {None: None}
    state = _state(RunState, run, calls={}, fusions={})
    for fusion in _rows_of(run, "fusions", _FUSIONS):
        numbers[fusion.pk] = fusion.number
        state.fusions[fusion.number] = _state(FusionState, fusion)
    for call in _rows_of(run, "calls", _CALLS):
        if call.fusion_id not in numbers:
            continue  # of a fusion opened since the line above; the next reading has both
        if not whole and call.step not in _STEPS:
            continue
        state.calls[call.key] = _state(CallState, call, fusion=numbers[call.fusion_id])
    if run.is_unasked:
        state = unasked(state)
    return run.unnamed.state(state) if run.unnamed else state


def _rows_of(run: Run, name: str, question: Prepared) -> Any:
    read_already = getattr(run, "_prefetched_objects_cache", {})
    return read_already[name] if name in read_already else question.rows(run=run.pk)


def call_state(row: Call) -> CallState:
    """Without its fusion's number, which is another row's."""
    return _state(CallState, row, fusion=None)


def call_row(run_id: Any, call: CallState) -> Call:
    """Without its fusion, whose row may not be there yet."""
    return Call(run_id=run_id, **_columns(Call, call, without="fusion"))


def fusion_row(run_id: Any, state: RunState, fusion: FusionState) -> Fusion:
    answer = given(state, fusion)
    return Fusion(
        run_id=run_id,
        changed=changed(state, fusion),
        text=storable(answer.text if answer else ""),
        called=_called(state, fusion),
        **_columns(Fusion, fusion),
    )


def _called(state: RunState, fusion: FusionState) -> str:
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    calls = written.tool_calls if written and written.is_usable else []
    return storable(str(calls[0].get("id", "")))[:200] if calls else ""


def run_fields(state: RunState) -> dict[str, Any]:
    """The columns of the run itself that a state decides."""
    fields: dict[str, Any] = {
        "started_at": when(state.started_at),
        "idle_seconds": state.idle_seconds,
        "grace_until": when(state.grace_until),
        "finished_at": when(state.finished_at),
        "research": state.research,
    }
    if state.status.is_final:
        cost, partial = state.cost()
        fields |= {
            "status": state.status,
            "reason": state.reason,
            "error": storable(state.error),
            "cost": cost,
            "cost_is_partial": partial,
            "lease_until": None,
        }
    return fields


def when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _state(kind: type[S], row: models.Model, **known: Any) -> S:
    """`known` are the fields that the row does not say by itself."""
    columns = {
        name: _from_column(getattr(row, name), hint)
        for name, hint in _HINTS[kind].items()
        if name not in known
    }
    return kind(**columns, **known)


def _columns(model: type[models.Model], state: Any, *, without: str = "") -> dict[str, Any]:
    return {
        name: _to_column(getattr(state, name), column)
        for name, column in _columns_of(model, state.__class__)
        if name != without
    }


@cache
def _columns_of(model: type[models.Model], kind: Any) -> list[tuple[str, Any]]:
    return [(f.name, model._meta.get_field(f.name)) for f in fields(kind)]


_HINTS: dict[type, dict[str, Any]] = {
    kind: get_type_hints(kind) for kind in (RunState, FusionState, CallState)
}
_READ: dict[Any, Any] = {
    Usage: Usage.from_dict,
    **{kind: kind for kind in (Step, CallStatus, RunStatus)},
}


def _from_column(value: Any, hint: Any) -> Any:
    match value:
        case datetime():
            return round(value.timestamp(), 3)
        case Decimal():
            return value.normalize()
    if hint not in _READ:
        return value
    try:
        return _READ[hint](value)
    except ValueError:  # a step or a status, which take no migration
        raise SpecTooNew from None


def _to_column(value: Any, column: Any) -> Any:
    match value:
        case Usage():
            return value.to_dict()
        case str():
            return storable(value)[: column.max_length]
    return when(value) if isinstance(column, models.DateTimeField) else value
