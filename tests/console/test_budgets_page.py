"""The page of budgets: what was spent by whom on what, day by day, and what is left."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Hold, Purse, Run, Window
from console.models.runs import Origin
from console.money.purses import purse_set
from console.money.spending import by_day, calls_within, month_of
from console.money.spent_by_token import spent_by_token, usage_of_token
from console.services.tokens import token_create

from .story import Story, a_spec

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def text(page: Any) -> str:
    return " ".join(re.sub("<[^>]+>", " ", unescape(page.content.decode())).split())


def story(moment: datetime, **options: Any) -> Story:
    return Story(a_spec(**options), began=moment.timestamp()).whole()


def save(story: Story, owner: User, **fields: Any) -> Run:
    """As it is once a worker has sent all of its calls."""
    run = story.save(owner, **fields)
    began = datetime.fromtimestamp(story.now, UTC)
    run.calls.filter(sent_at=None).update(sent_at=began, started_at=began)
    return run


def noon() -> datetime:
    return timezone.localtime().replace(hour=12, minute=0)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_admin_sees_who_spent_what_on_which_model_and_preset_and_a_member_their_own(
    alice: User, bob: User, ada: User
) -> None:
    token, _ = token_create(owner=bob, name="nightly")
    save(story(noon()), alice)
    save(story(noon(), judge="maker/judge"), alice, preset_name="Plant questions")
    save(story(noon()), bob, token=token, origin=Origin.API)
    of_all = text(signed_in(ada).get("/fusion/budgets"))
    # Each run has five calls of $0.0312.
    assert "$0.4680 for 3 runs." in of_all
    assert "alice 2 $0.3120 $0.1560 Plant questions" in of_all
    assert "token nightly 1 $0.1560 $0.1560 Quality" in of_all
    assert "Quality 2 $0.3120 $0.1560" in of_all
    assert "maker/beta 3 $0.0936" in of_all
    assert "panel $0.2808 judge $0.0936 writer $0.0936" in of_all
    of_alice = text(signed_in(alice).get("/fusion/budgets"))
    assert "$0.3120 for 2 runs of yours." in of_alice
    assert "nightly" not in of_alice
    # Nobody widens it by its address.
    assert "$0.3120 for 2 runs" in text(signed_in(alice).get(f"/fusion/budgets?who={bob.pk}"))


def search(run: Run, engine: str = "Tavily", nano: int = 8_000_000) -> Hold:
    number = run.holds.count() + 1
    hold = Hold.objects.create(
        run=run, call=f"panel-web-{number}", attempt=1, engine=engine, amount_nano=nano,
        input_tokens=10**6, input_price_nano=nano, output_price_nano=0, priced_by="list",
        settled_nano=nano,
    )  # fmt: skip
    Hold.objects.filter(pk=hold.pk).update(created_at=noon())
    return hold


def test_what_the_sites_own_engine_was_paid_stands_beside_the_calls(
    alice: User, bob: User, ada: User
) -> None:
    token, secret = token_create(owner=bob, name="nightly")
    first = save(story(noon()), alice)
    second = save(story(noon()), bob, token=token, origin=Origin.API)
    for run in (first, first, second):
        search(run)
    gone = search(save(story(noon()), alice, origin=Origin.SAMPLE))
    client = signed_in(ada)
    page = text(client.get("/fusion/budgets"))
    assert "$0.3360 for 2 runs." in page and "writer $0.0624 web $0.0240" in page
    assert "Tavily 3 $0.0240 computed from the list" in page
    assert "alice 1 $0.1720" in page and "token nightly 1 $0.1640" in page
    assert "$0.0240 for 2 runs." in text(client.get("/fusion/budgets?model=Tavily"))
    assert "$0.1720 for 1 run of yours." in text(signed_in(alice).get("/fusion/budgets"))
    file = client.get("/fusion/budgets.csv").content.decode()
    assert ",alice,,Quality,Tavily,2,0.016" in file
    assert ",bob,nightly,Quality,Tavily,1,0.008" in file
    spent = spent_by_token(token.pk)
    assert spent.day == spent.ever == Decimal("0.1640")
    [line] = [r for r in usage_of_token(token.pk, month_of(noon().date())) if r.model == "Tavily"]
    assert (line.calls, line.spent, line.preset) == (1, Decimal("0.008"), "quality")
    assert gone.run and "Together" in page


def test_what_was_searched_before_it_was_held_is_told_by_its_runs(alice: User) -> None:
    searches = [
        {"query": "a", "engine": "Tavily", "found": [], "cost": "0.008"},
        {"query": "b", "engine": "Tavily", "found": [], "failure": "It is away."},
    ]
    run = save(story(datetime(2026, 3, 14, 12, tzinfo=UTC)), alice, research={"searches": searches})
    save(story(noon()), alice)
    migration = import_module("console.migrations.0053_searches_are_held")
    migration.told(apps, None)
    [hold] = Hold.objects.all()
    assert (hold.run, hold.settled_nano, hold.engine) == (run, 8_000_000, "Tavily")
    assert (hold.created_at.year, hold.created_at.month) == (2026, 3)
    migration.untold(apps, None)
    assert not Hold.objects.exists()


def test_it_is_narrowed_to_a_person_a_preset_and_a_model(alice: User, bob: User, ada: User) -> None:
    save(story(noon()), alice)
    save(story(noon(), judge="maker/judge"), bob, preset_name="Plants & more")
    client = signed_in(ada)
    page = client.get("/fusion/budgets").content.decode()
    assert "?preset=Plants+%26+more" in page
    assert "$0.1560 for 1 run." in text(client.get(f"/fusion/budgets?who={alice.pk}"))
    of_judge = text(client.get("/fusion/budgets?model=maker/judge&preset=Plants+%26+more"))
    assert "$0.0624 for 1 run." in of_judge  # it wrote, too
    for nonsense in ("who=x", "month=13", "month=2026-99", "who=99999999999", "model=%00"):
        assert client.get(f"/fusion/budgets?{nonsense}").status_code == 200


def test_a_day_is_one_of_the_sites_time_zone(alice: User, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    with timezone.override("Pacific/Auckland"):
        # Still the evening of the 14th in Greenwich.
        save(story(datetime(2026, 3, 14, 20, tzinfo=UTC)), alice)
        days = by_day(calls_within(month_of(date(2026, 3, 1))), month_of(date(2026, 3, 1)))
    assert len(days) == 31
    assert [day.day.day for day in days if day.whole] == [15]


def against(model: str, price: str = "2") -> dict[str, Any]:
    priced = {"input": price, "output": price}
    return {"low": None, "high": None, "reference": {"model": model, "price": priced}}


def test_what_one_answer_would_have_cost_instead_is_a_stroke_on_each_day(alice: User) -> None:
    run = save(story(noon()), alice, estimate=against("maker/reference"))
    usage = {"input_tokens": 1_000_000, "output_tokens": 500_000}
    run.calls.filter(step="panel").update(usage=usage)
    client = signed_in(alice)
    page = client.get("/fusion/budgets")
    assert "One answer of reference to each would have cost about $3.00." in text(page)
    assert "one answer of reference instead $3.00" in text(page)
    # The axis reaches as far as it does: $3 of $4.
    assert re.search(r'class="spent-alone" d="M\d+ 25\.00h8"', page.content.decode())
    assert "Together One answer" in text(page)
    save(story(noon()), alice, estimate=against("maker/other"))
    assert "One answer of one model to each" in text(client.get("/fusion/budgets"))
    # Nobody's whole run is one call instead.
    assert "spent-alone" not in client.get("/fusion/budgets?model=maker/beta").content.decode()


def test_runs_without_an_estimate_have_no_such_stroke(alice: User) -> None:
    save(story(noon()), alice)
    page = signed_in(alice).get("/fusion/budgets").content.decode()
    assert "spent-alone" not in page and "One answer" not in page


def test_months_are_walked_through_and_none_is_to_come(alice: User) -> None:
    save(story(datetime(2026, 3, 14, 12, tzinfo=UTC)), alice)
    client = signed_in(alice)
    march = client.get("/fusion/budgets?month=2026-03").content.decode()
    assert "March 2026: $0.1560" in march
    assert "?month=2026-02" in march
    assert "?month=2026-04" in march
    assert "14 Mar: $0.1560" in march
    here = client.get("/fusion/budgets").content.decode()
    assert "The month after" not in here
    assert "Nothing was spent." in here


def test_the_cost_nobody_said_is_what_was_booked_and_what_nobody_knows_is_told(
    alice: User,
) -> None:
    run = save(story(noon()), alice)
    run.calls.filter(key="panel-0-1").update(cost=None, cost_source="")
    run.calls.filter(key="panel-1-1").update(cost=None, cost_source="")
    Hold.objects.create(
        run=run, call="panel-0-1", attempt=1, amount_nano=10**8, input_tokens=1,
        input_price_nano=1, output_price_nano=1, priced_by="list",
        settled_nano=5 * 10**7, is_estimated=True,
    )  # fmt: skip
    page = text(signed_in(alice).get("/fusion/budgets"))
    assert "maker/alpha 3 $0.1124 estimated" in page
    assert "maker/beta 1 — 1 call of unknown cost" in page
    assert "for 1 run of yours, 1 call of unknown cost." in page
    run.calls.update(cost=None, cost_source="")
    Hold.objects.all().delete()
    shown = signed_in(alice).get("/fusion/budgets")
    page = text(shown)
    assert b"Nobody knows what was spent." in shown.content
    assert ": — for 1 run of yours, " in page and "$0 for" not in page
    assert "panel — judge — writer —" in page


def test_samples_and_what_was_imported_cost_nothing_here(alice: User) -> None:
    save(story(noon()), alice, origin=Origin.SAMPLE)
    save(story(noon()), alice, origin=Origin.IMPORTED)
    assert "$0 for 0 runs" in text(signed_in(alice).get("/fusion/budgets"))


def budget(kind: str, subject: str, spent: str, held: str = "0") -> None:
    purse_set(kind=kind, subject=subject, period="day", limit=Decimal(10))
    purse = Purse.objects.get(kind=kind, subject=subject)
    Window.objects.create(
        purse=purse, rank=1, starts=timezone.localtime().date(),
        spent_nano=int(Decimal(spent) * 10**9), held_nano=int(Decimal(held) * 10**9),
    )  # fmt: skip


def test_budgets_tell_what_is_spent_held_and_left(alice: User, bob: User, ada: User) -> None:
    token, _ = token_create(owner=bob, name="nightly")
    budget("person", str(alice.pk), "8.5", "0.5")
    budget("token", str(token.pk), "11")
    budget("site", "", "1")
    of_all = text(signed_in(ada).get("/fusion/budgets"))
    assert "This site each day $1.00 of $10 $9.00 left" in of_all
    assert (
        "alice each day $8.50 of $10 80 % are spent $1.00 left $0.5000 held for calls under way"
        in of_all
    )
    assert "Token nightly each day $11.00 of $10 overspent" in of_all
    of_bob = text(signed_in(bob).get("/fusion/budgets"))
    assert "Token nightly" in of_bob
    assert "alice each day" not in of_bob
    assert "This site" not in of_bob  # as long as it does not stand in the way
    Window.objects.filter(purse__kind="site").update(spent_nano=9 * 10**9)
    assert "This site each day" in text(signed_in(bob).get("/fusion/budgets"))


def test_admins_are_told_on_the_page_for_a_new_run_of_what_is_nearly_spent(
    alice: User, ada: User
) -> None:
    budget("person", str(alice.pk), "7.9")
    assert "alice each day" not in text(signed_in(ada).get("/fusion"))
    Window.objects.update(spent_nano=8 * 10**9)
    assert "alice each day: $8.00 of $10. Budgets" in text(signed_in(ada).get("/fusion"))
    assert "alice each day" not in text(signed_in(alice).get("/fusion"))
    Window.objects.update(starts=timezone.localtime().date() - timedelta(1))
    assert "alice each day" not in text(signed_in(ada).get("/fusion"))


def test_the_same_is_had_as_a_file(alice: User, ada: User) -> None:
    save(story(noon()), alice, preset_name="=SUM(1)")
    lines = signed_in(ada).get("/fusion/budgets.csv").content.decode().splitlines()
    assert lines[0] == "day,person,token,preset,model,calls,spent"
    day = f"{noon():%Y-%m-%d}"
    assert f"{day},alice,,'=SUM(1),maker/alpha,3,0.0936" in lines
    assert signed_in(alice).get("/fusion/budgets.csv?month=2026-01").content.count(b"\n") == 1


def test_as_many_questions_are_asked_of_many_runs_as_of_one(alice: User, ada: User) -> None:
    client, asked = signed_in(ada), []
    for _ in range(2):
        save(story(noon()), alice)
        budget("token", str(token_create(owner=alice)[0].pk), "1")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/fusion/budgets").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 13


def test_calls_are_found_by_when_they_began(alice: User) -> None:
    for day in range(40):
        save(story(noon() - timedelta(30 * day)), alice)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    days = month_of(date(2025, 3, 1))
    rows = calls_within(days).values_list("step").annotate(spent=Sum("amount"))
    assert "call_started" in rows.explain()
