"""`/fusion/models`: what is listed, what it costs and who says so, what has changed, and stars."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.catalog.listings import models_of
from console.catalog.prices import price_of
from console.engine.usage import Price
from console.models import Call, CatalogList, CatalogModel, Credential, FavouriteModel
from console.models.catalog import NANO
from console.providers.secret import Secret
from tests.upstream import Script, Upstream

from .story import Story

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def key() -> Credential:
    key = Credential.objects.create(
        slug="mine", name="Mine", kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
    )
    now = timezone.now()
    CatalogList.objects.create(credential=key, asked_at=now, read_at=now, address=key.url)
    return key


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


def listed(key: Credential, model: str, **columns: Any) -> CatalogModel:
    long_ago = timezone.now() - timedelta(days=90)
    told = {"input_price": NANO, "output_price": 4 * NANO, "first_seen_at": long_ago}
    return CatalogModel.objects.create(credential=key, model=model, **told | columns)


def shown(page: Client, query: str = "") -> list[str]:
    html = page.get(f"/fusion/models{query}").content.decode()
    return re.findall(r'class="mono" dir="ltr"[^>]*>([^<]+)</(?:span|a)>', html)


def text(page: Client, query: str = "") -> str:
    html = page.get(f"/fusion/models{query}").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def priced(**prices: float) -> Script:
    told = [
        {"id": name, "pricing": {"prompt": str(price / 10**6), "completion": str(price / 10**5)}}
        for name, price in prices.items()
    ]
    return Script(body=json.dumps({"data": told}))


def test_a_price_is_told_with_who_says_it_and_an_unknown_one_is_no_zero(
    page: Client, key: Credential
) -> None:
    listed(key, "maker/listed", input_price=NANO // 8, output_price=2 * NANO)
    listed(key, "maker/free", input_price=0, output_price=0)
    listed(key, "maker/unknown", input_price=None, output_price=None)
    openai = Credential.objects.create(
        slug="o", name="OpenAI", kind="openai_compatible", base_url="https://api.openai.com/v1"
    )
    openai.secret = Secret("sk-only-for-tests-0123")
    openai.save()
    listed(openai, "gpt-4o", input_price=None, output_price=None)
    told = text(page)
    assert "$0.125 out $2.00 its list" in told
    assert "free out free its list" in told
    assert "unknown out unknown nobody says" in told
    assert re.search(r"gpt-4o .* published, genai-prices \d", told)
    assert shown(page, "?only=unpriced") == ["maker/unknown"]


def test_what_has_changed_since_the_lists_before_is_told(
    page: Client, upstream: Upstream, key: Credential
) -> None:
    CatalogList.objects.all().delete()
    Credential.objects.filter(pk=key.pk).update(base_url=upstream.url)
    key.refresh_from_db()

    def read(script: Script) -> None:
        upstream.script("/v1/models", script)
        CatalogList.objects.update(mark="")
        models_of(key)

    read(priced(stays=1, dearer=1, leaves=1))
    assert "In the last 30 days" not in text(page)  # of a first list all are new
    read(priced(stays=1, dearer=3, comes=1))
    told = text(page)
    assert "In the last 30 days: 1 new, 1 gone, 1 with another price" in told
    assert shown(page, "?only=changed") == ["comes", "dearer", "leaves"]
    told = text(page, "?only=changed")
    assert "price $1.00 in, $10.00 out until" in told
    assert "not offered since" in told and "new since" in told
    read(priced(stays=1, dearer=3, comes=1))
    assert "price $1.00 in, $10.00 out until" in text(page, "?only=changed")


def test_for_one_that_ends_the_newest_of_its_line_is_offered(page: Client, key: Credential) -> None:
    soon = timezone.now() + timedelta(days=12)
    listed(key, "anthropic/claude-opus-4", expires_at=soon)
    listed(key, "anthropic/claude-opus-5")
    listed(key, "anthropic/claude-sonnet-6")
    told = text(page, "?only=ending")
    assert "ends " in told and "instead: mine:anthropic/claude-opus-5" in told.replace("  ", " ")
    assert shown(page, "?only=ending")[0] == "anthropic/claude-opus-4"


def test_an_admin_says_what_is_really_paid_and_that_is_what_is_counted(
    page: Client, key: Credential, ada: User
) -> None:
    row = listed(key, "maker/one")
    admin = Client()
    admin.force_login(ada)
    address = f"/admin/console/catalogmodel/{row.pk}/change/"
    assert f'href="{address}"' in admin.get("/fusion/models").content.decode()
    half = admin.post(address, {"own_input": "0.5", "own_output": "", "can_judge": "unknown"})
    assert "An own price has both" in half.content.decode()
    said = {"own_input": "0.5", "own_output": "1.25", "can_judge": "unknown"}
    assert admin.post(address, said).status_code == 302
    assert price_of(key, "maker/one") == Price(Decimal("0.5"), Decimal("1.25"))
    told = text(page, "?only=own")
    assert "$0.50 $1.00 out $1.25 $4.00 set here" in told and "its list" in told
    admin.post(address, said | {"own_input": "", "own_output": ""})
    assert price_of(key, "maker/one") == Price(Decimal(1), Decimal(4))
    assert shown(page, "?only=own") == []


def test_search_and_pages_go_through_all_of_them(page: Client, key: Credential) -> None:
    CatalogModel.objects.bulk_create(
        CatalogModel(credential=key, model=f"{maker}/model-{n:04}", name=f"Model {n}")
        for n in range(60)
        for maker in ("google", "qwen")
    )
    first = page.get("/fusion/models?q=qwen")
    more = re.search(r'href="([^"]+after=\d+)"', first.content.decode())
    assert more and len(shown(page, "?q=qwen")) == 50
    rest = shown(page, more[1].replace("&amp;", "&").removeprefix("/fusion/models"))
    assert rest == [f"qwen/model-{n:04}" for n in range(50, 60)]
    assert shown(page, "?q=QWEN+0059") == ["qwen/model-0059"]
    assert "No model is like that." in text(page, "?q=nobody&after=99999999")
    part = page.get("/fusion/models?q=0059", headers={"HX-Request": "true"}).content.decode()
    assert "models-found" in part and "<html" not in part
    for odd in ("?after=x", "?only=nothing", "?q=%00%25_"):
        assert page.get(f"/fusion/models{odd}").status_code == 200


def test_a_star_is_a_persons_own_and_stays_when_a_list_is_read_anew(
    page: Client, key: Credential, bob: User
) -> None:
    row = listed(key, "maker/one")
    listed(key, "maker/two")
    done = page.post("/fusion/models/star", {"give": "mine:maker/one", "back": "q=one"})
    assert done.status_code == 302 and done["Location"] == "/fusion/models?q=one"
    row.delete()
    listed(key, "maker/one")
    assert shown(page, "?only=starred") == ["maker/one"]
    other = Client()
    other.force_login(bob)
    assert shown(other, "?only=starred") == []
    star = page.post(
        "/fusion/models/star", {"take": "mine:maker/one"}, headers={"HX-Request": "true"}
    )
    assert 'aria-pressed="false"' in star.content.decode()
    assert not FavouriteModel.objects.exists()
    page.post("/fusion/models/star", {"give": "mine:nobody/lists-this"})
    assert not FavouriteModel.objects.exists()


def test_where_one_chooses_stars_and_what_calls_have_shown_come_along(
    page: Client, key: Credential, alice: User
) -> None:
    cache.clear()
    listed(key, "maker/one")
    page.post("/fusion/models/star", {"give": "mine:maker/one"})
    run = Story().save(alice)
    began = timezone.now() - timedelta(minutes=9)
    for number, (status, wrote) in enumerate((("completed", 2), ("completed", 4), ("failed", 1))):
        Call.objects.create(
            run=run, key=f"panel-7-{number}", step="panel", seat=7, number=number, cause="first",
            panelist={"credential": "mine", "model": "maker/one"}, status=status,
            usage={"output_tokens": 100}, started_at=began, first_token_at=began,
            finished_at=began + timedelta(seconds=wrote),
        )  # fmt: skip
    html = page.get("/fusion?models").content.decode()
    assert '"mine:maker/one":[38,3,1]' in html
    assert '<data class="starred" value="maker/one"' in html


def test_1500_models_ask_the_database_what_15_do(page: Client, key: Credential) -> None:
    def queries(many: int) -> int:
        CatalogModel.objects.all().delete()
        CatalogModel.objects.bulk_create(
            CatalogModel(
                credential=key,
                model=f"maker/model-{n}",
                expires_at=timezone.now() + timedelta(days=9) if n % 2 else None,
            )
            for n in range(many)
        )
        with CaptureQueriesContext(connection) as captured:
            page.get("/fusion/models")
        return len(captured)

    queries(15)
    assert queries(1500) == queries(15) <= 14
