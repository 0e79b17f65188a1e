"""What others did to one's runs is told by a dot at the head of every page, and on a page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import LookedAt, Run
from console.services.follow import run_follow
from console.services.verdicts import WhatWasSeen, verdict_set, verdict_take_back

from .story import Story

SEEN = WhatWasSeen()
DOT = "Others did something to your questions"


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice, prompt="Should it rain?", visibility="team")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def head(client: Client) -> str:
    return client.get("/fusion/tokens").content.decode()


def test_what_somebody_finds_best_is_told_until_it_is_seen(
    page: Client, run: Run, bob: User
) -> None:
    assert DOT not in head(page)
    assert "Nobody has done anything" in page.get("/fusion/others").content.decode()
    verdict_set(run=run, person=bob, best="B", note="Shorter <b>and</b> right.", seen=SEEN)
    assert DOT in head(page) and DOT in page.get("/fusion/runs/under-way").content.decode()
    assert page.head("/fusion/others").status_code == 200 and DOT in head(page)
    html = page.get("/fusion/others").content.decode()
    assert "<strong>bob</strong> found B best" in html and "data-new" in html
    assert "Shorter &lt;b&gt;and&lt;/b&gt; right." in html and "Should it rain?" in html
    assert DOT not in head(page)
    assert "data-new" not in page.get("/fusion/others").content.decode()
    verdict_set(run=run, person=bob, best="tie", seen=SEEN)
    assert DOT in head(page)
    assert "found a tie" in page.get("/fusion/others").content.decode()
    verdict_take_back(run=run, person=bob)
    assert "found" not in page.get("/fusion/others").content.decode().partition("<main")[2]


def test_a_question_that_goes_on_from_one_s_own_is_told(
    page: Client, alice: User, bob: User
) -> None:
    run = Story().whole().save(alice, prompt="First?", visibility="team")
    after = run_follow(run=run, owner=bob, prompt="And then?")
    assert DOT in head(page)
    html = page.get("/fusion/others").content.decode()
    assert "<strong>bob</strong> asked on from it" in html and "First?" in html
    assert f'href="/fusion/runs/{after.pk}"' in html
    Run.objects.filter(pk=after.pk).update(visibility="private")
    assert "asked on" not in page.get("/fusion/others").content.decode()


def test_nobody_is_told_of_what_they_did_themselves_nor_of_others_runs(
    page: Client, run: Run, alice: User, bob: User
) -> None:
    verdict_set(run=run, person=alice, best="A", seen=SEEN)
    run_follow(run=run, owner=alice, prompt="And then?")
    assert DOT not in head(page) and not LookedAt.objects.exists()
    verdict_set(run=Story().whole().save(bob, visibility="team"), person=alice, best="A", seen=SEEN)
    assert DOT not in head(page)
    other = Client()
    other.force_login(bob)
    assert DOT in head(other)
    assert DOT not in Client().get("/sign-in").content.decode()


def test_beside_a_run_under_way_both_are_told(page: Client, run: Run, bob: User) -> None:
    begun = Story().begin().save(run.owner or bob)
    verdict_set(run=run, person=bob, best="A", seen=SEEN)
    html = head(page)
    assert DOT in html and f'class="under-way" href="/fusion/runs/{begun.pk}"' in html
