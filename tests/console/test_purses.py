"""Budgets are kept to the nano-dollar, whoever asks at once, and say who refused."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from console.engine.provider import Request
from console.engine.spec import Panelist
from console.engine.usage import Price
from console.models import Hold, Purse, Run, Window
from console.models.money import has_purse
from console.money import book as booking
from console.money.amounts import nano
from console.money.asking import Ask, Denied, Granted, Payer, ask_of
from console.money.book import book
from console.money.ending import End
from console.money.giving_back import give_back
from console.money.purses import purse_set, used_up
from console.services.tokens import token_create

from .story import a_spec

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ASK = Ask("panel-0-1", None, "m", 1_000, 250, 4_000, nano(Decimal(2)), nano(Decimal(10)))
WHOLE = ASK.amount()  # 4.2 cents


def a_run(owner: User | None = None) -> Run:
    return Run.objects.create(
        owner=owner, prompt="?", messages=[], spec=a_spec().to_dict(), preset="p",
        preset_name="P", status="running", attempt=1,
        lease_until=timezone.now() + timedelta(minutes=5),
    )  # fmt: skip


def payer(run: Run, token: int | None = None) -> Payer:
    return Payer(run.pk, run.owner_id, token)


def asked(run: Run, ask: Ask = ASK, *, token: int | None = None, attempt: int = 1) -> Any:
    with transaction.atomic():
        return book(payer(run, token), attempt, [ask], [])[ask.key]


def ended(run: Run, cost: Decimal | None, text: str = "", *, attempt: int = 1) -> None:
    with transaction.atomic():
        book(payer(run), attempt, [], [End(ASK.key, cost, None, None, text)])


def site(limit: int, period: str = "day") -> None:
    purse_set(kind="site", subject="", period=period, limit=Decimal(limit) / 10**9)


def books_balance() -> None:
    settled = Hold.objects.aggregate(s=Sum("settled_nano"))["s"] or 0
    open_ = Hold.objects.filter(settled_nano=None).aggregate(s=Sum("amount_nano"))["s"] or 0
    for window in Window.objects.filter(purse__kind="site"):
        assert (window.spent_nano, window.held_nano) == (settled, open_)


def at_once(work: Callable[[int], Any], count: int, threads: int = 8) -> list[Any]:
    ready = threading.Barrier(threads)

    def carry_out(numbers: range) -> list[Any]:
        ready.wait()
        try:
            return [work(number) for number in numbers]
        finally:
            connection.close()

    shares = [range(n, count, threads) for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(carry_out, shares) for result in results]


def test_a_budget_for_fifty_of_two_hundred_calls_at_once_pays_for_fifty(alice: User) -> None:
    site(50 * WHOLE)
    site(60 * WHOLE, "month")
    purse_set(kind="person", subject=str(alice.pk), period="day", limit=Decimal(1000))
    runs = [a_run(alice) for _ in range(200)]
    answers = at_once(lambda n: asked(runs[n]), 200)
    assert sum(isinstance(answer, Granted) for answer in answers) == 50
    told = {answer.sentence for answer in answers if isinstance(answer, Denied)}
    assert told == {
        "This site's budget of $2.1 a day does not pay for this call: it may cost $0.0420, "
        "and $0 is left. An admin can raise it."
    }
    assert {w.held_nano for w in Window.objects.all()} == {50 * WHOLE}
    books_balance()


def test_what_is_not_used_comes_back_and_nothing_is_ever_overspent() -> None:
    site(20 * WHOLE)
    runs = [a_run() for _ in range(80)]
    costs = [Decimal(random.Random(n).randrange(1, WHOLE)) / 10**9 for n in range(80)]

    def whole_call(n: int) -> int:
        if isinstance(asked(runs[n]), Denied):
            return 0
        window = Window.objects.get()
        assert window.spent_nano + window.held_nano <= 20 * WHOLE
        ended(runs[n], costs[n])
        return nano(costs[n])

    spent = sum(at_once(whole_call, 80))
    window = Window.objects.get()
    assert (window.held_nano, window.spent_nano) == (0, spent)
    books_balance()


def test_the_strictest_budget_decides_and_is_named(alice: User) -> None:
    token = token_create(owner=alice, spending_per_day=Decimal("0.05"))[0]
    run = a_run(alice)
    site(10 * WHOLE)
    purse_set(kind="person", subject=str(alice.pk), period="month", limit=Decimal("0.07"))
    purse_set(kind="run", subject=run.pk.hex, period="run", limit=Decimal("0.08"))
    said = []
    for _ in range(4):
        ask = replace(ASK, key=f"panel-{len(said)}-1", output=1_900)  # 2.1 cents
        answer = asked(run, ask, token=token.pk)
        said.append(answer if isinstance(answer, Granted) else answer.sentence)
    assert said[:2] == [Granted(), Granted()]
    assert said[2].startswith("This token's budget of $0.05 a day does not pay")
    assert said[2].endswith("Its owner or an admin can raise it.")
    purse_set(kind="token", subject=str(token.pk), period="day", limit=None)
    named = {
        "0.07": "The budget of the person who asked of $0.05 a month",
        "0.08": "This run's budget of $0.05 ",
    }
    for limit, words in named.items():
        Purse.objects.filter(limit_nano=nano(Decimal(limit))).update(
            limit_nano=nano(Decimal("0.05"))
        )
        answer = asked(run, replace(ASK, key=f"x-{limit}", output=1_900))
        assert isinstance(answer, Denied) and answer.sentence.startswith(words)
        Purse.objects.filter(limit_nano=nano(Decimal("0.05"))).update(limit_nano=nano(Decimal(9)))


@pytest.mark.parametrize(
    ("left_for", "usual", "limit"),
    [
        (4_000, 4_000, None),
        (3_999, 4_000, 3_999),
        (2_000, 4_000, 2_000),
        (2_000, 40_000, 2_000),
        (1_999, 4_000, "no"),
        (500, 1_000, 500),
        (499, 1_000, "no"),
        (0, 4_000, "no"),
    ],
)
def test_a_call_goes_out_with_the_output_limit_that_is_paid_for_if_an_answer_of_it_is_worth_having(
    left_for: int, usual: int, limit: int | str | None
) -> None:
    ask = replace(ASK, output=usual)
    site(ask.amount(left_for))
    answer = asked(a_run(), ask)
    if limit == "no":
        assert isinstance(answer, Denied) and not Hold.objects.exists()
    else:
        assert answer == Granted(limit)
        assert Hold.objects.get().output_limit == limit


def test_a_model_of_which_nobody_knows_the_price_is_not_asked_where_there_is_a_budget(
    settings: Any,
) -> None:
    request = Request("m", [{"role": "user", "content": "word " * 100}], max_output_tokens=1_000)
    settings.WORST_PRICE = []
    unknown = ask_of("k", None, Panelist("maker/m", "c"), request)
    site(10**9)
    answer = asked(a_run(), unknown)
    assert isinstance(answer, Denied) and "cannot be kept with m: nobody knows" in answer.sentence
    settings.WORST_PRICE = [Decimal(10), Decimal(50)]
    assert asked(a_run(), ask_of("k", None, Panelist("maker/m", "c"), request)) == Granted()
    hold = Hold.objects.get()
    assert (hold.priced_by, hold.amount_nano) == ("worst_case", 52_740_000)
    Purse.objects.all().delete()
    settings.WORST_PRICE = []
    assert asked(a_run(), unknown) == Granted(), "without a budget it is asked as ever"


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("a" * 100, 50 + 24),
        ("é" * 50, 50 + 24),
        ("字" * 10, 30 + 24),
        ("a" * 10 + "字" * 10, 35 + 24),
        ("", 24),
        ("\ud800", 1 + 24),
    ],
)
def test_input_is_held_as_half_its_bytes_and_all_of_chinese(text: str, most: int) -> None:
    request = Request("m", [{"role": "user", "content": text}], max_output_tokens=10)
    assert ask_of("k", None, Panelist("m", "c"), request).input_most == most
    tools = replace(request, options={"tools": [{"type": "function"}]})
    assert ask_of("k", None, Panelist("m", "c"), tools).input_most > most


def test_what_costs_nothing_needs_no_money() -> None:
    site(0)
    free = ask_of("k", None, Panelist("m", "c", price=Price(Decimal(0), Decimal(0))),
                  Request("m", [], max_output_tokens=5))  # fmt: skip
    assert asked(a_run(), free) == Granted() and not Hold.objects.exists()


def test_a_call_of_a_lost_worker_gives_back_all_but_its_input_and_what_had_arrived() -> None:
    site(WHOLE)
    run = a_run()
    asked(run)
    assert give_back() == 0, "its worker lives"
    run.calls.create(
        key=ASK.key, step="panel", number=1, cause="first", panelist={"model": "m"},
        status="streaming", text="word" * 1_000, sent_at=timezone.now(),
    )  # fmt: skip
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert give_back() == 0, "it may only be slow, and its call goes on"
    Run.objects.update(attempt=2, lease_until=timezone.now() + timedelta(minutes=5))
    assert give_back() == 1, "another has taken the run up"
    hold, window = Hold.objects.get(), Window.objects.get()
    assert (hold.settled_nano, hold.is_estimated) == (10_500_000, True)  # 250 in, 1,000 out
    assert (window.held_nano, window.spent_nano) == (0, 10_500_000)
    assert give_back() == 0
    # Its worker was only slow, and knows better.
    ended(run, Decimal("0.011"))
    ended(run, Decimal("0.011"))
    assert Window.objects.get().spent_nano == 11_000_000 and not Hold.objects.get().is_estimated
    books_balance()


def test_a_call_that_was_given_back_and_is_asked_after_all_is_booked_once() -> None:
    site(WHOLE)
    asked(run := a_run())
    Run.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert give_back() == 1, "nobody has taken it up for one lease more"
    assert asked(run) == Granted()
    ended(run, Decimal("0.011"))
    assert (Window.objects.get().spent_nano, Hold.objects.count()) == (11_000_000, 1)
    books_balance()


def test_a_run_that_is_deleted_keeps_its_place_in_the_books() -> None:
    site(WHOLE)
    asked(run := a_run())
    run.delete()
    assert give_back() == 1
    books_balance()
    assert Window.objects.get().held_nano == 0


def test_a_provider_that_bills_more_than_was_held_closes_the_budget() -> None:
    site(WHOLE)
    run = a_run()
    asked(run)
    ended(run, Decimal("0.05"))
    assert Window.objects.get().spent_nano == 50_000_000
    closed = used_up(None, None)
    assert closed and closed.sentence == (
        "This site's budget of $0.042 a day is used up. An admin can raise it."
    )
    assert isinstance(asked(a_run()), Denied)


def test_admins_are_told_once_when_most_of_a_budget_is_spent_and_once_when_more_than_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site(10 * WHOLE)
    costs = [WHOLE, 6 * WHOLE, WHOLE, 0, WHOLE, 2 * WHOLE, WHOLE]
    runs = [a_run() for _ in costs]
    told = []
    for run, cost in zip(runs, costs, strict=True):
        caplog.clear()
        asked(run)
        ended(run, Decimal(cost) / 10**9)
        told.append([m.partition("): ")[2] for m in caplog.messages if "This site's budget" in m])
    over = "overspent: a provider billed more than its list says, or the limit was lowered"
    assert told == [[], [], ["80 % are spent"], [], [], [over], []]
    purse_set(kind="run", subject=(run := a_run()).pk.hex, period="run", limit=Decimal(1))
    Purse.objects.filter(kind="site").delete()
    caplog.clear()
    asked(run)
    ended(run, Decimal(2))
    assert not [m for m in caplog.messages if "budget" in m], "it is the business of who asked"


def test_a_limit_that_is_raised_or_lowered_holds_for_the_next_call() -> None:
    site(WHOLE)
    assert asked(a_run()) == Granted()
    assert isinstance(asked(a_run()), Denied)
    site(2 * WHOLE)
    assert asked(a_run()) == Granted()
    site(WHOLE // 2)
    assert isinstance(asked(a_run()), Denied)
    books_balance()


def test_the_same_call_asked_for_again_is_held_once() -> None:
    site(3 * WHOLE)
    run = a_run()
    assert [asked(run), asked(run)] == [Granted(), Granted()]
    assert Window.objects.get().held_nano == WHOLE


def test_a_day_and_a_month_begin_in_the_site_s_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    site(WHOLE)
    site(2 * WHOLE, "month")
    zone = ZoneInfo("Asia/Tokyo")

    def at(*moment: int) -> None:
        local = datetime(*moment, tzinfo=zone)  # type: ignore[misc]
        monkeypatch.setattr(booking.timezone, "localtime", lambda: local)

    at(2026, 11, 29, 23, 59)
    assert asked(a_run()) == Granted() and isinstance(asked(a_run()), Denied)
    at(2026, 11, 30, 0, 0)
    assert asked(a_run()) == Granted()
    at(2026, 11, 30, 12, 0)
    assert isinstance(asked(a_run()), Denied)
    at(2026, 12, 1, 0, 0)
    assert asked(a_run()) == Granted()
    assert Window.objects.count() == 5


def test_a_budget_concerns_runs_of_its_owner_alone(alice: User, bob: User) -> None:
    purse_set(kind="person", subject=str(alice.pk), period="day", limit=Decimal(0))
    assert isinstance(asked(a_run(alice)), Denied)
    assert asked(a_run(bob)) == asked(a_run()) == Granted()


def test_a_run_says_whether_any_budget_may_concern_it(alice: User) -> None:
    mine, other = a_run(alice), a_run(alice)

    def concerned() -> set[Any]:
        return set(
            Run.objects.annotate(pays=has_purse()).filter(pays=True).values_list("pk", flat=True)
        )

    assert concerned() == set()
    purse_set(kind="run", subject=mine.pk.hex, period="run", limit=Decimal(1))
    assert concerned() == {mine.pk}
    site(1)
    assert concerned() == {mine.pk, other.pk}
