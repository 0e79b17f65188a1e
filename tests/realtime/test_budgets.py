"""Money is held before a call goes out and settled when it has ended, whatever becomes of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.engine.usage import Price
from console.fragments.budget import goes_on
from console.models import Credential, Hold, Purse, Run, SiteChoices, Window
from console.money.giving_back import give_back
from console.money.purses import purse_set
from console.money.receipt import receipt_of
from console.services import runs as services
from console.services.estimates import Estimate
from console.services.fusions import go_on, run_fuse
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.prose import words
from tests.realtime.conftest import PATIENT
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

PRICE = Price(Decimal(1), Decimal(10), Decimal("0.1"))


def start(*models: str, limit: int | None = 4_000, **more: Any) -> Run:
    asked = [
        Panelist(m, "test", price=PRICE, max_output_tokens=limit, limit_is_chosen=True)
        for m in models
    ]
    spec = Spec(
        panel=tuple(asked),
        judge=Panelist("judge", "test", price=PRICE),
        prompts=prompts.load(),
        policy=PATIENT,
    )
    owner = User.objects.get_or_create(username="alice")[0]
    return services.run_start(owner=owner, prompt="What is the answer?", spec=spec, **more)


def site(dollars: str) -> None:
    purse_set(kind="site", subject="", period="day", limit=Decimal(dollars))


def window() -> Window:
    return Window.objects.get(purse__kind="site")


def in_nano(dollars: Decimal | None) -> int:
    return int((dollars or 0) * 10**9)


def test_every_call_is_held_before_it_goes_out_and_settled_at_what_it_cost(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("5")
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    cached = {"prompt_tokens_details": {"cached_tokens": 600}}
    upstream.script("a", Script(usage=usage))
    upstream.script("b", Script(usage=usage | cached))
    upstream.script("c", Script(usage=usage | {"cost": 0.0421}))
    run = start("a", "b", "c")
    thread = in_background(worker, run)
    thread.join(60)
    state = rows(run)
    assert state.status == "completed"
    holds = {hold.call: hold for hold in Hold.objects.all()}
    assert set(holds) == set(state.calls)
    for key, call in state.calls.items():
        assert holds[key].settled_nano == in_nano(call.cost) and not holds[key].is_estimated
        assert holds[key].amount_nano > 0
    assert holds["panel-0-1"].settled_nano == 2_000_000
    assert holds["panel-1-1"].settled_nano == 1_460_000
    assert holds["panel-2-1"].settled_nano == 42_100_000
    assert window().held_nano == 0
    assert window().spent_nano == in_nano(state.cost()[0])
    assert_log_equals_rows(run)


def test_while_a_call_is_under_way_its_money_is_held(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("5")
    run = start("fault-hold", "good")
    thread = in_background(worker, run)
    wait_for(lambda: rows(run).calls.get("panel-1-1") and rows(run).calls["panel-1-1"].is_usable)
    wait_for(lambda: Hold.objects.filter(call="panel-1-1").exclude(settled_nano=None).exists())
    assert window().held_nano == Hold.objects.get(call="panel-0-1").amount_nano > 40_000_000
    services.run_cancel(run=run)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "cancelled")
    thread.join(60)
    hold = Hold.objects.get(call="panel-0-1")
    assert hold.is_estimated and 0 < (hold.settled_nano or 0) < hold.amount_nano / 100
    assert window().held_nano == 0


def test_seats_that_a_budget_does_not_pay_for_are_told_why_and_the_others_are_fused(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", "b", "c", max_cost=Decimal("0.09"))
    carry_out(worker, str(run.pk))
    state = rows(run)
    refused = [c for c in state.calls.values() if c.reason == "budget_exceeded"]
    assert len(refused) == 1 and refused[0].sent_at is None
    assert refused[0].error.startswith(
        "This run's budget of $0.09 does not pay for this call: it may cost $0.0400, and $0.00"
    )
    assert refused[0].error.endswith("Whoever started it can let it go on for more.")
    assert len(upstream.calls) == sum(call.sent_at is not None for call in state.calls.values())
    assert state.status == "completed" and state.fused and state.fused.is_usable
    assert_log_equals_rows(run)


def test_a_run_of_which_no_call_is_paid_for_says_so(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", "b", max_cost=Decimal("0.0001"))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, state.reason) == ("failed", "budget_exceeded")
    assert "This run's budget of $0.0001 does not pay" in state.error
    assert not upstream.calls and not Hold.objects.exists()
    assert_log_equals_rows(run)


def test_an_answer_is_shorter_where_the_budget_pays_for_no_more_and_says_so(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("0.03")
    run = start("a")
    carry_out(worker, str(run.pk))
    state = rows(run)
    call = state.calls["panel-0-1"]
    asked = upstream.calls_of("a")[0].body
    limit = asked.get("max_tokens") or asked.get("max_completion_tokens")
    assert call.output_limit == limit and 2_900 < limit < 3_000
    assert_log_equals_rows(run)


def test_a_call_without_an_output_limit_gets_one_where_there_is_a_budget(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", limit=None, max_cost=Decimal(1))
    carry_out(worker, str(run.pk))
    asked = upstream.calls_of("a")[0].body
    assert (asked.get("max_tokens") or asked.get("max_completion_tokens")) == 32_000


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_what_nobody_charges_for_costs_nothing(
    worker: Worker, upstream: Upstream, credential: Credential, status: int
) -> None:
    site("5")
    upstream.script("bad", Script(status=status))
    run = start("bad")
    carry_out(worker, str(run.pk))
    assert {hold.settled_nano for hold in Hold.objects.filter(call__startswith="panel")} == {0}
    assert window().held_nano == 0


def test_a_receipt_has_what_the_upstream_counted_of_repeats_too_and_marks_what_it_did_not(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("5")
    counted = {
        "prompt_tokens": 1_000,
        "completion_tokens": 200,
        "total_tokens": 1_200,
        "prompt_tokens_details": {"cached_tokens": 600},
        "completion_tokens_details": {"reasoning_tokens": 150},
    }
    searched = {"server_tool_use_details": {"web_search_requests": 2}, "citation_tokens": 70}
    upstream.script("again", Script(status=503), Script(usage=counted | searched))
    upstream.script("told", Script(usage=counted | {"cost": 0.0123}))
    upstream.script("refused", Script(status=401))
    upstream.script("broken", Script(text=words(400), cut_after=300))
    run = start("again", "told", "refused", "broken")
    carry_out(worker, str(run.pk))
    state = rows(run)
    lines = {line.call: line for line in receipt_of(run, state)}
    assert set(lines) == set(state.calls)
    again, told = lines["panel-0-2"], lines["panel-1-1"]
    for line in (again, told):
        assert (line.input_tokens, line.cached_tokens) == (1_000, 600)
        assert (line.output_tokens, line.reasoning_tokens) == (200, 150)
        assert line.booked == line.cost and line.is_estimated is False
    assert (again.searches, again.search_tokens) == (2, 70)
    assert (told.searches, told.search_tokens) == (None, None)
    assert (again.cost, again.cost_source) == (Decimal("0.00246"), "computed")
    assert (told.cost, told.cost_source) == (Decimal("0.0123"), "reported")
    for nobody_paid in ("panel-0-1", "panel-2-1"):
        assert lines[nobody_paid].booked == 0 and not lines[nobody_paid].is_estimated
    broken = lines["panel-3-1"]
    assert broken.is_estimated and broken.booked and broken.held
    output = len(state.calls["panel-3-1"].text) / 4 * 10 / 10**6
    assert output * 0.85 < float(broken.booked) < output * 1.15 < broken.held
    assert sum(line.booked or 0 for line in lines.values()) * 10**9 == window().spent_nano


def test_a_call_without_usage_is_settled_by_an_estimate(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("5")
    upstream.script("mute", Script(text=words(400), usage={}))
    run = start("mute")
    carry_out(worker, str(run.pk))
    hold = Hold.objects.get(call="panel-0-1")
    tokens = len(words(400)) // 4 * 10_000
    assert hold.is_estimated and tokens <= (hold.settled_nano or 0) <= tokens * 1.05


def test_what_a_lost_worker_held_comes_back_and_is_not_booked_twice(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("5")
    run = start("fault-hold")
    thread = in_background(worker, run)
    wait_for(lambda: "panel-0-1" in rows(run).calls and rows(run).calls["panel-0-1"].text)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "lost")
    thread.join(60)
    assert window().held_nano > 0
    Run.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert give_back() == 1
    given_back = window().spent_nano
    assert window().held_nano == 0 and given_back > 0
    upstream.script("fault-hold", Script(text="At last."))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.calls["panel-0-2"].is_usable
    assert Hold.objects.get(call="panel-0-1").settled_nano == given_back
    total = sum(hold.settled_nano or 0 for hold in Hold.objects.all())
    assert (window().held_nano, window().spent_nano) == (0, total)


def test_a_budget_that_is_set_while_a_run_goes_on_holds_for_its_next_call(
    worker: Worker, upstream: Upstream, credential: Credential, upkeep: Any
) -> None:
    upstream.script("slow", Script(text="a b c", hold_after=1))
    run = start("slow")
    thread = in_background(worker, run)
    upstream.wait_until(lambda: len(upstream.calls) == 1)
    site("0")
    wait_for(lambda: worker.runs[str(run.pk)].till.is_open)
    upstream.release()
    thread.join(60)
    state = rows(run)
    assert state.calls["panel-0-1"].is_usable and len(upstream.calls) == 1
    assert {c.reason for c in state.calls.values()} == {"", "budget_exceeded"}


def test_without_a_budget_nothing_more_is_asked_of_the_database(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    SiteChoices.objects.create(runs_have_budget=False)
    run = start("a", "b")
    asked: list[str] = []

    def note(work: Any, *args: Any) -> Any:
        with CaptureQueriesContext(connection) as captured:
            try:
                return work(*args)
            finally:
                asked.extend(query["sql"] for query in captured)

    real = worker.db

    async def db(work: Any, *args: Any) -> Any:
        return await real(note, work, *args)

    worker.db = worker._shared.__dict__["db"] = db  # type: ignore[method-assign]
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed" and asked
    # What is asked within a query that was there before (`has_purse`) is an EXISTS.
    tables = ("console_purse", "console_hold", "console_window")
    own = [sql for sql in asked if any(t in sql for t in tables) and "EXISTS" not in sql]
    assert own == []


def test_a_run_that_came_to_three_times_what_was_expected_keeps_its_answers_and_asks(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    upstream.script("a", Script(usage=usage))
    upstream.script("b", Script(usage=usage | {"cost": 7.5}))
    run = start("a", "b")
    assert run.usual_budget_nano and run.usual_budget_nano < 5 * 10**9
    thread = in_background(worker, run)
    thread.join(60)
    state = rows(run)
    assert [call.status for call in state.calls.values() if call.seat is not None] == [
        "completed", "completed",
    ]  # fmt: skip
    [judge] = [call for call in state.calls.values() if call.step == "analysis"]
    assert (judge.reason, judge.sent_at) == ("budget_exceeded", None)
    assert judge.error.startswith("This run's usual budget of $0.")
    assert "or a whole attempt of each call, does not pay for this call" in judge.error
    assert judge.error.endswith("Whoever started it can let it go on for more.")
    assert state.fusion and state.fusion.best in state.calls  # it stands in
    assert "This run's usual budget of $0." in state.error
    asks = goes_on(run, state, may_fuse=True)
    assert asks and "did not pay for all of it: $0 is left" in asks.sentence
    expected = Estimate.from_dict(run.estimate)
    assert expected and expected.high
    assert 0 <= Decimal(asks.suggested) - 3 * expected.high < Decimal("0.01")
    # Somebody goes on: nothing of that stands in their way any more.
    go_on(run=run, dollars="5", fuses=True)
    run.refresh_from_db()
    assert run.usual_budget_nano is None
    assert [purse.kind for purse in Purse.objects.all()] == ["run"]
    in_background(worker, run).join(60)
    assert rows(run).status == "completed"


def test_of_a_run_s_usual_budget_each_call_has_its_share_however_many_ask_at_once(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", "b", "c", "d", limit=None)
    purse = Purse.objects.get(kind="usual")
    assert purse.limit_nano == run.usual_budget_nano
    assert abs(sum(purse.shares.values()) - purse.limit_nano) < 10
    thread = in_background(worker, run)
    thread.join(60)
    state = rows(run)
    assert state.status == "completed" and len(upstream.calls) == len(state.calls) == 6
    holds = {hold.call: hold for hold in Hold.objects.all()}
    for seat in range(4):
        hold, share = holds[f"panel-{seat}-1"], purse.shares[f"panel-{seat}"]
        assert 0 <= share - hold.amount_nano <= 100_000, "hardly more than it may come to"
        asked = upstream.calls_of("abcd"[seat])[0].body["max_tokens"]
        assert asked == hold.output_limit == state.calls[hold.call].output_limit == 32_000
    assert holds["synthesis-f1-1"].output_limit == 32_000
    window = Window.objects.get()
    assert (window.held_nano, window.spent_nano) == (0, in_nano(state.cost()[0]))


def test_the_strictest_budget_of_several_says_no(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    site("0.001")
    run = start("a", "b")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.reason == "budget_exceeded" and "This site's budget of $0.001" in state.error
    assert goes_on(run, state, may_fuse=False) is None, "an admin raises that one"


def test_a_seat_that_fails_is_asked_again_from_the_share_that_it_did_not_use(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    upstream.script("a", Script(status=503), Script(text="At last."))
    run = start("a", "b", limit=None)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.calls["panel-0-2"].is_usable
    first, second = (Hold.objects.get(call=f"panel-0-{n}") for n in (1, 2))
    assert first.settled_nano == 0 and second.amount_nano >= first.amount_nano > 0


def test_a_run_that_a_lost_worker_left_has_its_usual_budget_still(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("fault-hold", "b", limit=None)
    thread = in_background(worker, run)
    wait_for(lambda: "panel-0-1" in rows(run).calls and rows(run).calls["panel-0-1"].text)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "lost")
    thread.join(60)
    Run.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    upstream.script("fault-hold", Script(text="At last."))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.calls["panel-0-2"].is_usable
    total = sum(hold.settled_nano or 0 for hold in Hold.objects.all())
    window = Window.objects.get()
    assert (window.held_nano, window.spent_nano) == (0, total)
    assert total <= window.purse.limit_nano


def test_who_asks_for_more_has_seen_what_it_cost(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", "b")
    carry_out(worker, str(run.pk))
    assert Purse.objects.filter(kind="usual").exists()
    run_fuse(run=run)
    assert not Purse.objects.exists()
    carry_out(worker, str(run.pk))
    assert rows(run).fusions[2].status == "completed"


def test_a_run_begun_before_its_usual_budget_was_held_goes_on_to_its_end(
    worker: Worker, upstream: Upstream, credential: Credential
) -> None:
    run = start("a", "b")
    Purse.objects.all().delete()
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed" and not Hold.objects.exists()
