"""A frozen panel, fused again, asked again, gone on from: each pays for its own calls only."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.catalog.seed_data import FRONTIER_OUTPUT_TOKENS, LOCAL_OUTPUT_TOKENS
from console.engine.findings.given import fused_answer
from console.engine.spec import Panelist
from console.engine.state import Step
from console.engine.terms import Terms
from console.fragments.fusions import askable
from console.models import Credential, Fusion, Run
from console.record.asked import asked
from console.record.rows import state_from_rows
from console.services import fusions, tokens
from console.services.build_spec import build
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.runs import run_cancel, run_start
from console.services.wish import SeatWish, Wish
from console.worker.upkeep import Upkeep
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.stack import until
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

WHOLE = Script(text="A fused answer.")


def carried_out(worker: Worker, run: Run) -> Run:
    carry_out(worker, str(run.pk))
    return Run.objects.get(pk=run.pk)


def asked_since(upstream: Upstream, before: int) -> list[str]:
    return [r.model for r in upstream.calls[before:]]


def frozen(run: Run) -> list[dict[str, Any]]:
    return [*run.calls.values(), *run.fusions.values()]


@pytest.fixture
def finished(worker: Worker, upstream: Upstream, start: StartRun) -> Run:
    return carried_out(worker, start("good", "good", "echo"))


def test_another_judge_makes_only_its_own_calls_and_leaves_the_rest_to_the_byte(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    before, made = frozen(finished), len(upstream.calls)
    fusions.run_fuse(run=finished, judge="test:other", criteria="Weigh legal risk.", seats=[0, 2])
    run = carried_out(worker, finished)
    assert run.status == "completed"
    assert set(asked_since(upstream, made)) == {"other"} and len(upstream.calls) == made + 2
    second = run.fusions.get(number=2)
    assert second.judged == ["panel-0-1", "panel-2-1"] and second.judge["model"] == "other"
    assert second.text and second.criteria == "Weigh legal risk."
    now = frozen(run)
    assert all(row in now for row in before)


def test_a_judge_whose_credential_is_gone_is_refused_before_anything_is_asked(
    finished: Run,
) -> None:
    Credential.objects.filter(slug="test").update(slug="renamed")
    before = frozen(finished)
    with pytest.raises(Refused, match="is not there any more"):
        fusions.run_fuse(run=finished)
    finished.refresh_from_db()
    assert finished.status == "completed" and frozen(finished) == before
    assert fusions.run_fuse(run=finished, judge="renamed:other").number == 2


def test_a_seat_asked_again_swapped_or_added_makes_one_call(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    before, run = frozen(finished), finished
    for act, model in (
        (lambda run: fusions.seat_ask(run=run, seat=1), "good"),
        (lambda run: fusions.seat_ask(run=run, seat=1, model="test:swapped"), "swapped"),
        # Who sits there now, as its column says; not the one it was swapped for.
        (lambda run: fusions.seat_ask(run=run, seat=1), "swapped"),
        (lambda run: fusions.seat_add(run=run, model="test:added"), "added"),
    ):
        made = len(upstream.calls)
        act(run)
        run = carried_out(worker, run)
        assert run.status == "completed" and asked_since(upstream, made) == [model]
    state = state_from_rows(run)
    assert [c.number for c in state.calls_of(Step.PANEL, seat=1)] == [1, 2, 3, 4]
    assert len(run.spec["panel"]) == 4 and state.answer(3)
    assert all(row in frozen(run) for row in before)


def test_a_seat_asked_again_is_asked_of_whom_it_was_given_and_not_of_the_fallback(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "good")
    spec = run.frozen_spec
    refused = replace(spec.panel[1], model="fault-401", fallback=Panelist("spare", "test"))
    Run.objects.filter(pk=run.pk).update(
        spec=replace(spec, panel=(spec.panel[0], refused)).to_dict()
    )
    carried_out(worker, run)
    made = len(upstream.calls)
    fusions.seat_ask(run=run, seat=1)
    run = carried_out(worker, run)
    assert asked_since(upstream, made) == ["fault-401", "spare"]


def test_the_page_names_who_answered_and_who_is_asked_next(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    fusions.seat_ask(run=finished, seat=1, model="test:swapped")
    run = carried_out(worker, finished)
    fusions.seat_ask(run=run, seat=1, model="test:fault-401")
    run = carried_out(worker, run)
    seat = askable(run.frozen_spec, state_from_rows(run))[1]
    assert (seat.name, seat.seated) == ("swapped", "fault-401")
    made = len(upstream.calls)
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    asked = client.post(f"/fusion/runs/{run.pk}/seats/1/ask")
    assert asked["Location"] == f"/fusion/runs/{run.pk}?look=answers&part=seat-1"
    carried_out(worker, run)
    assert set(asked_since(upstream, made)) == {"fault-401"}


def test_a_seats_options_reach_its_model_and_stay_when_it_is_asked_again_or_swapped(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    def asked_of(model: str) -> list[tuple[Any, ...]]:
        return [
            (
                *(r.body.get(k) for k in ("temperature", "max_tokens", "reasoning_effort")),
                r.body["messages"][0],
            )
            for r in upstream.calls_of(model)
        ]

    upstream.script("dead", Script(status=500))
    seats = [
        SeatWish("test:chosen", 0.2, 300, "low", "Doubt everything."),
        SeatWish("test:dead", 0.4, 500, system_prompt="Be brief.", fallback="test:spare"),
    ]
    spec = build(Wish(panel=seats, judge="test:judge"))
    policy = replace(spec.policy, retries=0)
    alice = User.objects.get_or_create(username="alice")[0]
    run = run_start(owner=alice, prompt="Why?", spec=replace(spec, policy=policy))
    run = carried_out(worker, run)
    assert run.status == "completed"
    doubting = {"role": "system", "content": "Doubt everything."}
    wanted = (0.2, 300, "low", doubting)
    assert asked_of("chosen") == [wanted]
    brief = {"role": "system", "content": "Be brief."}
    assert asked_of("dead") == [(0.4, 500, None, brief)]
    assert asked_of("spare") == [(None, 500, None, brief)]

    fusions.seat_ask(run=run, seat=0)
    run = carried_out(worker, run)
    assert asked_of("chosen") == [wanted, wanted]
    fusions.seat_ask(run=run, seat=0, model="test:other")
    run = carried_out(worker, run)
    assert asked_of("other") == [wanted]


def test_a_run_that_ends_with_its_analysis_says_so_and_is_fused_by_hand(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "echo")
    Run.objects.filter(pk=run.pk).update(
        spec=replace(run.frozen_spec, stop_after="analysis").to_dict()
    )
    run = carried_out(worker, run)
    first = run.fusions.get()
    assert run.status == "completed" and first.analysis and not first.text
    assert not run.calls.filter(step="synthesis").exists()
    assert run.owner
    client = Client()
    client.force_login(run.owner)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Done: 2 of 2 answers compared, not fused yet" in page
    assert "Compared first: nothing has been fused yet." in page
    assert "Fuse these answers" in page and "Was it worth it" not in page
    with pytest.raises(Refused, match="no such fused answer"):
        fusions.run_poll(run=run, fusion=1)
    with pytest.raises(Refused, match="no fused answer to go on from"):
        run_follow(run=run, owner=run.owner, prompt="And then?")

    made = len(upstream.calls)
    fusions.run_fuse(run=run)
    run = carried_out(worker, run)
    assert run.status == "completed" and asked_since(upstream, made) == ["judge", "judge"]
    assert run.fusions.get(number=2).text
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "not fused yet" not in page and "nothing has been fused" not in page


def test_a_run_stopped_before_its_analysis_is_fused_whole_by_hand(
    worker: Worker, start: StartRun
) -> None:
    run = start("good", "echo")
    stops = replace(run.frozen_spec, stop_after="analysis")
    Run.objects.filter(pk=run.pk).update(spec=replace(stops, stop_after="panel").to_dict())
    run = carried_out(worker, run)
    Run.objects.filter(pk=run.pk).update(spec=stops.to_dict())
    run.refresh_from_db()
    assert not run.fusions.exists()
    fusions.run_fuse(run=run)
    assert carried_out(worker, run).fusions.get().text


def test_a_limit_chosen_for_a_seat_stays_with_it_and_a_usual_one_with_its_server() -> None:
    router = Panelist("big", "openrouter", max_output_tokens=FRONTIER_OUTPUT_TOKENS)
    chosen = Panelist("m", "test", max_output_tokens=300)
    usual = Panelist("m", "local", max_output_tokens=LOCAL_OUTPUT_TOKENS)
    assert fusions._with_model(chosen, router).max_output_tokens == 300
    assert fusions._with_model(usual, router).max_output_tokens == FRONTIER_OUTPUT_TOKENS
    exactly = replace(usual, limit_is_chosen=True)
    swapped = fusions._with_model(exactly, router)
    assert swapped.max_output_tokens == LOCAL_OUTPUT_TOKENS and swapped.has_own_limit
    assert not fusions._with_model(replace(usual, limit_is_chosen=False), router).has_own_limit


def test_what_is_under_way_is_not_begun_again(finished: Run) -> None:
    fusions.run_fuse(run=finished)
    with pytest.raises(Refused, match="under way"):
        fusions.run_fuse(run=finished)
    assert finished.fusions.count() == 2


@pytest.mark.parametrize("path", ["seats", "seats/0/ask"])
def test_what_was_asked_while_a_model_was_looked_up_keeps_its_place(
    worker: Worker,
    upstream: Upstream,
    finished: Run,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    client = Client()
    assert finished.owner
    client.force_login(finished.owner)
    made, find = len(upstream.calls), fusions.find_panelist

    def find_slowly(name: str, terms: Terms) -> Panelist:
        monkeypatch.setattr(fusions, "find_panelist", find)
        client.post(f"/fusion/runs/{finished.pk}/{path}", {"model": "test:quick"})
        carried_out(worker, finished)
        return find(name, terms)

    monkeypatch.setattr(fusions, "find_panelist", find_slowly)
    answer = client.post(f"/fusion/runs/{finished.pk}/{path}", {"model": "test:slow"})
    assert answer.status_code == 302
    run = carried_out(worker, finished)
    assert run.status == "completed" and asked_since(upstream, made) == ["quick", "slow"]
    said = {c.panelist["model"]: c.status for c in run.calls.filter(step="panel")}
    assert said["quick"] == said["slow"] == "completed"


def test_a_key_that_was_sent_twice_at_once_is_one_fusion_however_late_the_second_comes(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    assert finished.owner
    token, _ = tokens.token_create(owner=finished.owner, name="A program", concurrent_runs=1)

    def asked() -> Fusion:
        return tokens.token_run_fuse(
            token=token,
            run=Run.objects.get(pk=finished.pk),
            judge="",
            synthesizer="",
            criteria="",
            seats=None,
            request_hash="the same",
            idempotency_key="one key",
        )

    first = asked()
    assert asked() == first
    made = len(upstream.calls)
    carried_out(worker, finished)
    assert asked() == first and len(upstream.calls) == made + 2
    assert Run.objects.get(pk=finished.pk).status == "completed"


def test_a_run_that_is_deleted_meanwhile_is_said_to_be_gone(finished: Run) -> None:
    Run.objects.filter(pk=finished.pk).delete()
    for act in (
        lambda: fusions.seat_ask(run=finished, seat=0),
        lambda: fusions.seat_add(run=finished, model="test:good"),
        lambda: fusions.run_poll(run=finished, fusion=1),
    ):
        with pytest.raises(Refused, match="not there any more"):
            act()


def test_a_seat_without_an_answer_cannot_be_fused(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = carried_out(worker, start("good", "fault-401"))
    with pytest.raises(Refused, match="B has no answer"):
        fusions.run_fuse(run=run, seats=[1])
    with pytest.raises(Refused, match="no such seat"):
        fusions.seat_ask(run=run, seat=7)


def test_a_run_that_failed_goes_on_when_a_seat_answers(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = carried_out(worker, start("fault-401", "fault-401"))
    assert run.status == "failed"
    fusions.seat_ask(run=run, seat=0, model="test:good")
    run = carried_out(worker, run)
    assert run.status == "completed" and run.fusions.get().text


def test_of_a_run_that_was_stopped_before_it_began_one_seat_can_be_asked(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "echo", "other")
    run_cancel(run=run)
    stopped = Run.objects.get(pk=run.pk)
    stopped.finished_at = stopped.created_at - timedelta(hours=1)
    stopped.save(update_fields=["finished_at"])
    fusions.seat_ask(run=stopped, seat=1)
    run = carried_out(worker, stopped)
    assert run.status == "completed" and run.fusions.get().judged == ["panel-1-1"]
    assert asked_since(upstream, 0) == ["echo", "judge"]
    seconds = state_from_rows(run).seconds
    assert seconds is not None and 0 <= seconds < 60


def test_fusing_now_and_stopping_a_seat_reach_a_run_under_way(
    worker: Worker, upkeep: Upkeep, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "fault-hold", "fault-hold", policy=PATIENT)
    with pytest.raises(Refused, match="no answer to fuse yet"):
        fusions.fuse_now(run=run)
    thread = threading.Thread(target=carry_out, args=[worker, str(run.pk)], daemon=True)
    thread.start()
    until(lambda: run.calls.filter(seat=0, status="completed").exists())
    fusions.seat_stop(run=run, seat=1)
    until(lambda: run.calls.filter(seat=1, status="cancelled").exists())
    fusions.fuse_now(run=run)
    until(lambda: run.fusions.filter(status="completed").exists())
    fusions.seat_stop(run=run, seat=2)
    thread.join(60)
    run = Run.objects.get(pk=run.pk)
    assert run.status == "completed"
    assert run.calls.get(seat=2).status == "cancelled"  # until then it went on
    fusion = run.fusions.get()
    assert (fusion.judged, fusion.without) == (["panel-0-1"], ["panel-2-1"])


def test_a_run_follows_another_from_its_fused_answer_a_seat_or_each_its_own(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    alice = finished.owner
    fused = run_follow(run=finished, owner=alice, prompt="And then?")
    said = asked(fused).messages
    assert [m["role"] for m in said] == ["user", "assistant", "user"]
    assert said[1]["content"] == fused_answer(state_from_rows(finished))
    seat = run_follow(run=finished, owner=alice, prompt="And then?", follows_from="seat-2")
    assert asked(seat).messages[1]["content"] == finished.calls.get(seat=2).text
    assert (seat.follows, seat.follows_from) == (finished, "seat-2")
    own = run_follow(run=finished, owner=alice, prompt="And?", follows_from="own")
    for run in (fused, seat, own):
        own = carried_out(worker, run)
        assert own.status == "completed"
    answers = {c.seat: c.text for c in finished.calls.filter(step="panel")}
    assert {s: h[1]["content"] for s, h in asked(own).histories.items()} == answers
    with pytest.raises(Refused):
        run_follow(run=finished, owner=alice, prompt="x", follows_from="seat-9")


def test_only_the_owner_fuses_again(finished: Run) -> None:
    bob = User.objects.create_user("bob")
    Run.objects.filter(pk=finished.pk).update(visibility="team")
    client = Client()
    client.force_login(bob)
    for path in ("fuse", "fuse-now", "seats", "seats/0/ask", "seats/0/stop"):
        answer = client.post(f"/fusion/runs/{finished.pk}/{path}", {"model": "good"})
        assert answer.status_code == 404
    assert client.post(f"/fusion/runs/{finished.pk}/follow", {"prompt": "On"}).status_code == 302
    client.force_login(finished.owner)
    page = client.get(f"/fusion/runs/{finished.pk}").content.decode()
    assert "Fuse again" in page and "Ask a seat again" in page
    refused = client.post(f"/fusion/runs/{finished.pk}/seats", {"model": ""})
    assert refused.status_code == 422 and "Choose a model" in refused.content.decode()


def test_a_viewer_of_a_reopened_run_sees_the_new_opening(
    worker: Worker, upstream: Upstream, finished: Run
) -> None:
    from console.record import eventlog

    fusions.run_fuse(run=finished, judge="test:other")
    run = carried_out(worker, finished)

    async def states() -> list[int]:
        redis = eventlog.connect()
        after = eventlog.beginning(run.reopened_after)
        async for entries in eventlog.tail(redis, run.pk, after=after):
            await redis.aclose()
            return [int(entry.id.split("-")[0]) for entry in entries]
        return []

    assert set(asyncio.run(states())) == {run.attempt}
