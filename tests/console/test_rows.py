"""The dataclasses of the state are the list: what they have, rows keep and programs are told."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.engine.state import CallState, CallStatus, FusionState, RunState, RunStatus, Step
from console.engine.usage import Usage
from console.models import Call, Fusion
from console.record.public import run_object
from console.record.rows import call_row, fusion_row, state_from_rows
from console.record.told import UNTOLD_OF_A_CALL, UNTOLD_OF_A_FUSION
from tests.console.story import Story, a_spec

# A value that is not the default, for each type of a field. Where none fits, add one.
OTHER: dict[str, Any] = {
    "str": "x",
    "str | None": "x",
    "int": 1,
    "int | None": 1,
    "float | None": 1_700_000_000.125,
    "Decimal | None": Decimal("0.00000001"),
    "dict[str, Any]": {"model": "a", "price": None},
    "dict[str, Any] | None": {"consensus": []},
    "list[dict[str, Any]]": [{"id": "1"}],
    "list[dict[str, str]]": [{"url": "https://a.example/1", "title": "One"}],
    "list[int]": [0, 2],
    "list[str]": ["panel-0-1"],
    "tuple[dict[str, Any], ...]": ({"id": "1"},),
    "Usage": Usage(1, 2, 0, 1),
    "Step": Step.SYNTHESIS,
    "CallStatus": CallStatus.FAILED,
    "RunStatus": RunStatus.FAILED,
}


def filled(kind: Any, **known: Any) -> Any:
    return kind(**({f.name: OTHER[f.type] for f in fields(kind)} | known))


@pytest.mark.parametrize(("kind", "model"), [(CallState, Call), (FusionState, Fusion)])
def test_every_field_has_a_column(kind: Any, model: Any) -> None:
    columns = {column.name for column in model._meta.get_fields()}
    assert {f.name for f in fields(kind)} - columns == set()


def test_every_field_comes_back_from_its_row(alice: User) -> None:
    call, fusion = filled(CallState), filled(FusionState)
    state = RunState(calls={call.key: call}, fusions={fusion.number: fusion})
    run = Story().save(alice)
    saved = fusion_row(run.pk, state, fusion)
    saved.save()
    row = call_row(run.pk, call)
    row.fusion = saved
    row.save()
    back = state_from_rows(run)
    assert (back.calls, back.fusions) == (state.calls, state.fusions)


def test_a_row_takes_what_no_database_would(alice: User) -> None:
    call = filled(CallState, text="a\0b\ud800c", model="m" * 300, error="\0")
    row = call_row(Story().save(alice).pk, call)
    row.save()
    row.refresh_from_db()
    assert (row.text, row.error, row.model) == ("a\ufffdb\ufffdc", "\ufffd", "m" * 200)


def changed(value: Any) -> Any:
    """Another value of the same kind, neither its default nor the usual other one."""
    match value:
        case Step():
            return Step.POLL
        case CallStatus() | RunStatus():
            return type(value).CANCELLED
        case str():
            return value + value
        case dict():
            return {"model": "b", "consensus": [{"claim": "y", "seats": [0]}]}
        case list():
            return [1] if value == [0, 2] else []
        case Usage():
            return Usage(5, 5)
    return value + 1


def other(usual: Any, name: str) -> Any:
    """Of a field with words of its own, those words."""
    own: dict[str, Any] = {"analysis_by": "words", "wish": {"way": "best"}}
    return own.get(name) or changed(getattr(usual, name))


@pytest.mark.parametrize(
    ("kind", "untold"), [(CallState, UNTOLD_OF_A_CALL), (FusionState, UNTOLD_OF_A_FUSION)]
)
def test_every_field_is_told_to_programs_unless_it_says_why_not(
    kind: Any, untold: dict[str, str], alice: User
) -> None:
    """A field is told when another value of it is told otherwise."""
    story = Story(a_spec("a", "b", "c"))
    run = story.save(alice)

    def told(item: Any) -> Any:
        state = RunState(RunStatus.COMPLETED)
        if isinstance(item, CallState):
            state.calls[item.key] = item
        else:
            state.fusions[item.number] = item
        said = run_object(run, story.spec, state)
        return said.calls + said.fusions

    usual = filled(kind)
    silent = {
        f.name
        for f in fields(kind)
        if told(replace(usual, **{f.name: other(usual, f.name)})) == told(usual)
    }
    assert silent == set(untold)
