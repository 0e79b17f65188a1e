"""After twenty runs a preset's card says in one line what fusing has brought."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.models import Call, Fusion, Preset, Run
from console.models.runs import Origin
from console.services.gains import ENOUGH, Gains, gains
from tests.console.test_api_quote import priced  # noqa: F401 - a fixture

from .story import Story, a_spec

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def ran(alice: User, times: int, preset: str = "own", **fields: Any) -> None:
    for _ in range(times):
        run = Story(a_spec()).whole().save(alice, **fields)
        Run.objects.filter(pk=run.pk).update(preset=preset)
        run.calls.filter(sent_at=None).update(sent_at=run.started_at)


def changed(count: int) -> None:
    Fusion.objects.update(changed=False)
    few = Fusion.objects.order_by("pk").values_list("pk", flat=True)[:count]
    Fusion.objects.filter(pk__in=list(few)).update(changed=True)


def test_it_counts_what_twenty_runs_brought_and_what_the_best_seat_alone_cost(
    alice: User,
) -> None:
    ran(alice, ENOUGH)
    changed(6)
    # A seat's call is one of five that cost the same.
    assert gains() == {"own": Gains(changed=6, runs=20, alone=pytest.approx(0.2))}


def test_fewer_runs_and_those_of_nobody_here_say_nothing(alice: User) -> None:
    ran(alice, ENOUGH - 1)
    ran(alice, 3, origin=Origin.IMPORTED)
    ran(alice, 3, origin=Origin.EVALUATION)
    ran(alice, 2, preset="other")
    assert gains() == {}


def test_what_a_call_cost_that_nobody_knows_is_not_guessed(alice: User) -> None:
    ran(alice, ENOUGH)
    changed(0)
    Call.objects.filter(key="panel-1-1").update(cost=None)
    assert gains() == {"own": Gains(changed=0, runs=20, alone=None)}


def test_it_is_looked_up_once_however_many_runs_there_are(alice: User) -> None:
    ran(alice, ENOUGH + 2)
    with CaptureQueriesContext(connection) as queries:
        gains()
        gains()
    assert len(queries) == 3


@pytest.mark.usefixtures("priced")
def test_the_card_says_so_and_leads_to_them(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "Fusing changed" not in client.get("/fusion").content.decode()
    ran(alice, ENOUGH)
    changed(6)
    cache.clear()
    page = client.get("/fusion").content.decode()
    told = "Fusing changed the answer in 6 of 20; the best seat alone costs about a fifth"
    assert f'<a href="/fusion/runs?preset=own">{told}</a>' in unescape(page)
    assert len(re.findall("Fusing changed", page)) == 1
    assert Preset.objects.filter(slug="own").exists()
