"""Budgets as admins set them: of the site, a person or a token, a day or a month."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import Purse, Window
from console.money.purses import purse_set
from console.services.tokens import token_create

pytestmark = pytest.mark.django_db

LIST, ADD = "/admin/console/purse/", "/admin/console/purse/add/"


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def text(page: Any) -> str:
    return " ".join(re.sub("<[^>]+>", " ", unescape(page.content.decode())).split())


def test_budgets_of_site_person_and_token_are_set_changed_and_taken_away(
    admin: Client, alice: User
) -> None:
    token, _ = token_create(owner=alice, name="laptop", scopes=["run"])
    for form in (
        {"kind": "site", "period": "month", "limit": "100"},
        {"kind": "person", "person": alice.pk, "period": "day", "limit": "2.5"},
        {"kind": "token", "token": token.pk, "period": "day", "limit": "0.000001"},
    ):
        assert admin.post(ADD, form).status_code == 302, form
    assert list(Purse.objects.values_list("kind", "subject", "period", "limit_nano")) == [
        ("person", str(alice.pk), "day", 2_500_000_000),
        ("site", "", "month", 100_000_000_000),
        ("token", str(token.pk), "day", 1_000),
    ]
    listed = text(admin.get(LIST))
    for row in ("alice day 2.5", "this site month 100", "laptop day 0.000001"):
        assert row in listed
    of_site = Purse.objects.get(kind="site")
    change = f"{LIST}{of_site.pk}/change/"
    assert 'value="100' in admin.get(change).content.decode()
    assert admin.post(change, {"limit": "7", "kind": "person"}).status_code == 302
    of_site.refresh_from_db()
    assert (of_site.kind, of_site.limit) == ("site", Decimal(7))
    assert admin.post(f"{LIST}{of_site.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Purse.objects.filter(kind="site").exists()


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"kind": "person"}, "Choose whose budget it is."),
        ({"kind": "token"}, "Choose whose budget it is."),
        ({"kind": "site"}, "There is such a budget already: change that one."),
        ({"kind": "run"}, "Select a valid choice."),
        ({"kind": "site", "period": "year"}, "Select a valid choice."),
        ({"kind": "site", "period": "month", "limit": "-1"}, "greater than or equal to 0"),
        ({"kind": "site", "period": "month", "limit": "much"}, "Enter a number."),
        ({"kind": "site", "period": "month", "limit": "NaN"}, "Enter a number."),
        ({"kind": "site", "period": "month", "limit": "1e12"}, "less than or equal to"),
    ],
    ids=str,
)
def test_what_is_no_budget_is_refused(admin: Client, form: dict[str, str], sentence: str) -> None:
    purse_set(kind="site", subject="", period="day", limit=Decimal(1))
    page = admin.post(ADD, {"period": "day", "limit": "1"} | form)
    assert page.status_code == 200 and sentence in text(page)
    assert Purse.objects.count() == 1


def test_the_list_says_what_is_spent_and_warns_and_asks_no_more_for_more_rows(
    admin: Client, alice: User
) -> None:
    def listed() -> tuple[str, int]:
        with CaptureQueriesContext(connection) as asked:
            page = admin.get(LIST)
        return text(page), len(asked)

    def budget(kind: str, subject: str, spent: int, held: int = 0) -> None:
        purse_set(kind=kind, subject=subject, period="day", limit=Decimal(10))
        purse = Purse.objects.get(kind=kind, subject=subject)
        today = timezone.localtime().date()
        more = {"rank": 1, "spent_nano": spent * 10**9, "held_nano": held * 10**9}
        Window.objects.create(purse=purse, starts=today, **more)
        Window.objects.create(purse=purse, starts=today.replace(year=2020, day=1), **more)

    budget("site", "", 7, 2)
    page, few = listed()
    assert "this site day 10 $7.00 $2.00 –" in page.replace(".0000", ".00")
    for person, spent in ((alice, 8), (User.objects.create_user("dora"), 12)):
        budget("person", str(person.pk), spent)
    budget("person", "999999", 10)
    purse_set(kind="run", subject="0" * 32, period="run", limit=Decimal(1))
    page, more = listed()
    page = page.replace(".0000", ".00")
    assert "alice day 10 $8.00 $0 80 % are spent" in page
    assert "dora day 10 $12.00 $0 overspent" in page
    assert "somebody who is gone day 10 $10.00 $0 used up" in page
    assert more == few and "4 budgets" in page, "a run's own is not listed"
