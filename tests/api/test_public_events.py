"""What programs are told of events: what the table lists, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.api.openai.public_events import TOLD, public
from console.engine.events import Event, EventType
from console.engine.state import CallState, Step, call_key
from tests.console.story import a_spec

SPEC = a_spec()
# Told with the end of the call: these texts are of use to nobody until they are whole.
WHOLE = (Step.ANALYSIS, Step.CONDENSE, Step.POLL, Step.RESEARCH, Step.LOOKUP)
# What replaces a text is told as the rest of it, or the run begins again; that a call lives is of
# use to the panel alone.
UNTOLD = (EventType.CALL_RECAST, EventType.CALL_ALIVE)
DELTAS = (EventType.CALL_DELTA, EventType.CALL_REASONING_DELTA)


def call_of(step: Step) -> CallState:
    key = call_key(step, 1, 1)
    return CallState(key=key, step=step, number=1, cause="first", panelist={})


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_told_by_its_name_unless_it_is_left_out_on_purpose(kind: EventType) -> None:
    for step in Step:
        left_out = kind in UNTOLD or (kind in DELTAS and step in WHOLE)
        event = Event(kind, 1.0, call_key(step, 1, 1))
        assert (public(event, call_of(step), SPEC) is None) is left_out


@pytest.mark.parametrize("kind", EventType)
def test_a_field_that_is_not_listed_is_not_told(kind: EventType) -> None:
    for step in Step:
        event = Event(kind, 1.0, call_key(step, 1, 1), 1, {"secret": "s", "step": step.value})
        if said := public(event, call_of(step), SPEC):
            assert not {"secret", "step"} & said[1].keys()


def test_of_usage_only_the_tokens_are_told() -> None:
    data = {"usage": {"input_tokens": 1, "margin": 2}, "cost": "0.5"}
    event = Event(EventType.CALL_COMPLETED, 1.0, "panel-0-1", data=data)
    said = public(event, call_of(Step.PANEL), SPEC)
    assert said is not None
    assert said[1]["usage"] == {"input_tokens": 1} and said[1]["cost"] == 0.5


def test_every_public_name_is_documented() -> None:
    section = Path("docs/api.md").read_text().partition("### Events")[2].partition("\n## ")[0]
    assert [name for name, _ in TOLD.values() if f"`{name}`" not in section] == []
