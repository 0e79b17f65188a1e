"""A run that goes on from another stores what it follows; its messages are built from that."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from console.api.http.base import ApiCall, parse
from console.api.openai.requests import ResponseRequest
from console.api.openai.responses_input import as_chat
from console.engine.provider import Message
from console.engine.state import Step
from console.models import Run
from console.record.asked import asked
from console.record.rows import state_from_rows
from console.services import fusions, tokens
from console.services.follow import run_follow
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


def carried_out(worker: Worker, run: Run) -> Run:
    carry_out(worker, str(run.pk))
    return at(run)


def at(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def follow(run: Run, prompt: str, source: str) -> Run:
    return run_follow(run=run, owner=run.owner, prompt=prompt, follows_from=source)


def everything(run: Run) -> tuple[list[Message], dict[int, list[Message]]]:
    said = asked(at(run))
    return said.messages, said.histories


def contents(messages: list[Message]) -> list[Any]:
    return [m["content"] for m in messages]


def sent_to(upstream: Upstream, model: str) -> list[Any]:
    return contents(upstream.calls_of(model)[-1].body["messages"])


@pytest.fixture
def parent(worker: Worker, upstream: Upstream, start: StartRun) -> Run:
    """Eight seats that have answered, and a fused answer."""
    for n in range(8):
        upstream.script(f"m{n}", Script(text=f"Answer {n}."))
    upstream.script("judge", Script(text="Fused."))
    return carried_out(worker, start(*(f"m{n}" for n in range(8)), prompt="One?"))


@pytest.fixture
def turns(worker: Worker, parent: Run) -> list[Run]:
    """Three more, each of another kind."""
    own = carried_out(worker, follow(parent, "Two?", "own"))
    again = carried_out(worker, follow(own, "Three?", "own"))
    return [own, again, follow(again, "Four?", "seat-2")]


def calls_read(queries: CaptureQueriesContext) -> int:
    return sum('FROM "console_call"' in q["sql"] for q in queries.captured_queries)


def test_a_follow_up_of_eight_seats_reads_its_parents_calls_once(parent: Run) -> None:
    with CaptureQueriesContext(connection) as queries:
        own = follow(parent, "Two?", "own")
    assert calls_read(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        said = asked(at(own))
    assert calls_read(queries) == 1 and len(said.histories) == 8


def test_a_turn_stores_its_prompt_and_keys_however_long_the_conversation(
    worker: Worker, parent: Run
) -> None:
    run, sizes = parent, []
    for n in range(4):
        run = carried_out(worker, follow(run, f"And {n}?", "own"))
        assert run.status == "completed" and run.messages == [] and run.histories == {}
        sizes.append(len(str(run.follows_calls)))
    assert len(set(sizes)) == 1 and sizes[0] < 400
    messages, histories = everything(run)
    assert len(messages) == 9 and {len(own) for own in histories.values()} == {9}


def test_each_seat_is_asked_on_its_own_and_the_judge_on_what_was_fused(
    worker: Worker, upstream: Upstream, turns: list[Run]
) -> None:
    assert sent_to(upstream, "m3") == ["One?", "Answer 3.", "Two?", "Answer 3.", "Three?"]
    last = carried_out(worker, turns[-1])
    assert last.status == "completed"
    shared = ["One?", "Fused.", "Two?", "Fused.", "Three?", "Answer 2.", "Four?"]
    assert sent_to(upstream, "m3") == sent_to(upstream, "m2") == shared


@pytest.mark.parametrize("source", ["fused", "seat-1", "own"])
def test_what_was_asked_stays_whatever_becomes_of_the_run_before(
    worker: Worker, upstream: Upstream, parent: Run, source: str
) -> None:
    after = follow(parent, "Two?", source)
    before = everything(after)
    upstream.script("judge", Script(text="Fused otherwise."))
    fusions.run_fuse(run=parent, seats=[0, 1])
    carried_out(worker, parent)
    upstream.script("m1", Script(text="I have changed my mind."))
    fusions.seat_ask(run=parent, seat=1)
    parent = carried_out(worker, parent)
    answer = state_from_rows(parent).latest(Step.PANEL, seat=1)
    assert answer and answer.text == "I have changed my mind."
    assert parent.fusions.get(number=2).text == "Fused otherwise."
    assert everything(after) == before
    assert everything(follow(parent, "Two?", source)) != before


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_whichever_run_of_a_chain_is_deleted_those_after_it_keep_what_they_asked(
    worker: Worker, upstream: Upstream, parent: Run, turns: list[Run], gone: int
) -> None:
    chain = [parent, *turns]
    before = [everything(run) for run in chain]
    at(chain[gone]).delete()
    left = [(run, said) for run, said in zip(chain, before, strict=True) if run != chain[gone]]
    for run, said in left:
        assert everything(run) == said
    heir = at(chain[gone + 1])
    assert heir.follows is None and heir.messages and heir.follows_calls is None
    last = carried_out(worker, turns[-1])
    assert last.status == "completed"
    assert everything(follow(last, "Five?", "own"))[0][:7] == before[-1][0]


def test_deleting_all_at_once_leaves_nothing_behind(parent: Run, turns: list[Run]) -> None:
    last = everything(turns[-1])
    Run.objects.exclude(pk=turns[-1].pk).delete()
    assert everything(turns[-1]) == last
    Run.objects.all().delete()
    assert not Run.objects.exists()


def test_what_was_read_before_a_deletion_is_read_anew(parent: Run, turns: list[Run]) -> None:
    stale = at(turns[1])
    before = everything(stale)
    at(turns[0]).delete()
    assert (asked(stale).messages, asked(stale).histories) == before


def test_a_run_stored_with_its_messages_goes_on_as_it_is(
    worker: Worker, upstream: Upstream, parent: Run
) -> None:
    old = follow(parent, "Two?", "own")
    messages, histories = everything(old)
    own = {str(seat): said for seat, said in histories.items()}
    Run.objects.filter(pk=old.pk).update(messages=messages, histories=own, follows_calls=None)
    assert everything(old) == (messages, histories)
    assert carried_out(worker, old).status == "completed"
    assert sent_to(upstream, "m3") == ["One?", "Answer 3.", "Two?"]
    on = everything(follow(at(old), "Three?", "own"))
    assert contents(on[1][3]) == ["One?", "Answer 3.", "Two?", "Answer 3.", "Three?"]


def test_a_response_that_goes_on_from_a_follow_up_has_the_whole_conversation(
    worker: Worker, parent: Run
) -> None:
    after = carried_out(worker, follow(parent, "Two?", "fused"))
    assert parent.owner
    token, _ = tokens.token_create(owner=parent.owner, name="A program")
    data = {"model": "fusion", "input": "Three?", "previous_response_id": f"resp_{after.pk.hex}"}
    call = as_chat(ApiCall(HttpRequest(), "req", token, parse(ResponseRequest, data), data))
    said = [m.content for m in call.body.messages]
    assert said == ["One?", "Fused.", "Two?", "Fused.", "Three?"]


def test_where_nothing_was_fused_answers_are_told_under_their_letters(
    worker: Worker, upstream: Upstream, parent: Run
) -> None:
    Run.objects.filter(pk=parent.pk).update(status="cancelled")
    parent.fusions.all().delete()
    said = everything(follow(parent, "Two?", "own"))[0]
    assert contents(said)[1].startswith("A: Answer 0.\n\nB: Answer 1.")


def test_a_run_whose_call_is_not_there_says_so_and_costs_nothing(
    worker: Worker, upstream: Upstream, parent: Run
) -> None:
    after = follow(parent, "Two?", "seat-2")
    parent.calls.filter(seat=2).delete()
    made = len(upstream.calls)
    run = carried_out(worker, after)
    assert (run.status, run.error) == ("failed", "The run it goes on from is not there any more.")
    assert len(upstream.calls) == made
    at(parent).delete()
    assert at(after).follows is None
