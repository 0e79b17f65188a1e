"""`GET /v1/key` and `GET /v1/usage`: what a token may spend and has spent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import F
from django.test import Client
from django.utils import timezone

from console.models import ApiToken, Purse, Run, Window
from console.money.purses import purse_set
from console.services.tokens import token_create

from .story import Story, a_spec

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def token(alice: User) -> tuple[ApiToken, str]:
    return token_create(owner=alice, name="nightly", spending_per_day=Decimal(2))


def get(secret: str, path: str, status: int = 200) -> Any:
    response = Client().get(path, headers={"authorization": f"Bearer {secret}"})
    assert response.status_code == status, response.content
    return response.json()


def ran(alice: User, token: ApiToken | None, days_ago: int = 0) -> Run:
    began = timezone.now() - timedelta(days_ago)
    run = Story(a_spec(), began=began.timestamp()).whole().save(alice, token=token)
    run.calls.update(sent_at=began, started_at=began)
    return run


def test_a_key_says_its_limit_and_what_it_has_spent_in_openrouters_words(
    alice: User, token: tuple[ApiToken, str]
) -> None:
    row, secret = token
    ran(alice, row)
    ran(alice, row, days_ago=400)
    ran(alice, None)
    Window.objects.create(
        purse=Purse.objects.get(), rank=1, starts=timezone.localtime().date(),
        spent_nano=500_000_000, held_nano=250_000_000,
    )  # fmt: skip
    purse_set(kind="person", subject=str(alice.pk), period="month", limit=Decimal(30))
    purse_set(kind="site", subject="", period="month", limit=Decimal(100))
    data = get(secret, "/v1/key")["data"]
    assert (data["label"], data["is_free_tier"], data["scopes"][0]) == ("nightly", False, "run")
    assert (data["limit"], data["limit_remaining"], data["limit_reset"]) == (2.0, 1.25, "daily")
    assert data["usage_daily"] == data["usage_weekly"] == data["usage_monthly"] == 0.156
    assert data["usage"] == 0.312
    assert data["budgets"] == [
        {"of": "person", "period": "month", "limit": 30, "spent": 0, "held": 0, "remaining": 30},
        {"of": "token", "period": "day", "limit": 2, "spent": 0.5, "held": 0.25, "remaining": 1.25},
    ]


def test_without_a_budget_a_key_has_no_limit_and_never_another_tokens(
    alice: User, token: tuple[ApiToken, str]
) -> None:
    _, other = token_create(owner=alice, name="other")
    ran(alice, token[0])
    data = get(other, "/v1/key")["data"]
    assert data["limit"] is data["limit_remaining"] is data["limit_reset"] is None
    assert (data["usage"], data["budgets"]) == (0, [])


def test_usage_is_told_by_day_preset_and_model(alice: User, token: tuple[ApiToken, str]) -> None:
    row, secret = token
    ran(alice, row)
    run = ran(alice, row)
    ran(alice, None)
    run.calls.filter(key="panel-1-1").update(cost=None, cost_source="")
    said = get(secret, "/v1/usage")
    today = timezone.localtime().date().isoformat()
    assert (said["month"], said["cost"]) == (today[:7], 0.2808)
    of = {line["model"]: line for line in said["data"]}
    assert list(of) == ["maker/alpha", "maker/beta", "maker/gamma"]
    assert of["maker/beta"] == {
        "date": today, "preset": "quality", "model": "maker/beta", "calls": 2,
        "input_tokens": 424, "output_tokens": 2368, "cost": 0.0312, "unknown_cost": 1,
    }  # fmt: skip
    assert get(secret, "/v1/usage?month=2026-01")["data"] == []
    for nonsense in ("2026", "2026-13", "1999-01", "2026-1", "٢٠٢٦-01"):
        error = get(secret, f"/v1/usage?month={nonsense}", 400)["error"]
        assert error["param"] == "month"


def test_a_fusion_that_a_token_asked_for_is_paid_by_it_and_not_by_the_runs(
    alice: User, token: tuple[ApiToken, str]
) -> None:
    row, secret = token
    run = ran(alice, None)
    assert get(secret, "/v1/usage")["cost"] == 0
    run.fusions.update(token=row)
    assert get(secret, "/v1/usage")["cost"] == 0.0624
    run.calls.update(started_at=F("started_at") - timedelta(60))
    cache.clear()
    assert get(secret, "/v1/key")["data"]["usage"] == 0.0624


def test_who_shows_no_token_is_told_nothing() -> None:
    for path in ("/v1/key", "/v1/usage"):
        assert Client().get(path).status_code == 401
