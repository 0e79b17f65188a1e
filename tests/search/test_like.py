"""Who asks something is told of questions like it, over the pairs in `tests/data/like/pairs.toml`,
which were written before what reads them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.engine.findings.gist import gist
from console.models import Run, SiteChoices
from console.search.like import LIKE, asked_like, likeness
from console.services.asked_before import questions_like
from tests.console.story import Story

pytestmark = pytest.mark.database

PAIRS = tomllib.loads((Path(__file__).parent.parent / "data/like/pairs.toml").read_text("utf-8"))
ASKED = "Should a team of six build a modular monolith or microservices?"
AGAIN = "Modular monolith or microservices for a team of six?"


def test_of_fifty_pairs_nearly_all_that_are_told_are_like(record_property: Any) -> None:
    told = {
        kind: [pair for pair in PAIRS[kind] if likeness(*map(gist, pair)) >= LIKE]
        for kind in ("like", "unlike")
    }
    many = {kind: len(pairs) for kind, pairs in told.items()}
    assert len(PAIRS["like"]) + len(PAIRS["unlike"]) == 50
    precision = many["like"] / (many["like"] + many["unlike"])
    record_property("precision", precision)
    assert precision >= 0.95 and many["like"] >= 20, told["unlike"]


@pytest.fixture
def runs(alice: User) -> list[Run]:
    return [Story().whole().save(alice, prompt=second) for _, second in PAIRS["unlike"]]


def test_the_most_like_are_found_among_all_that_one_may_read(
    runs: list[Run], alice: User, bob: User, charlie: User
) -> None:
    run = Story().whole().save(alice, prompt=ASKED)
    assert [one.run for one in asked_like(alice, AGAIN)] == [run.pk]
    assert asked_like(bob, AGAIN) == asked_like(charlie, AGAIN) == []
    again = Story().whole().save(alice, prompt=f"{ASKED} ")
    assert [one.run for one in asked_like(alice, AGAIN)] == [again.pk]
    for more in ("Now?", "Name risks.", "Be brief.", "Which one?"):
        Story().whole().save(bob, prompt=f"{ASKED} {more}", visibility="team")
    found = asked_like(alice, AGAIN)
    assert len(found) == 3 and {one.owner for one in found} == {"alice", "bob"}
    Story().begin().save(alice, prompt="What eats a jellyfish in the Baltic Sea?")
    assert asked_like(alice, "Which fish eats jellyfish in the Baltic Sea?") == []


@pytest.mark.parametrize("asked", ["", "Why?", "the of and to in for with", "?" * 40, "a" * 9000])
def test_what_says_little_is_like_nothing(runs: list[Run], alice: User, asked: str) -> None:
    assert asked_like(alice, asked) == []


def test_it_asks_the_database_few_questions_however_long_it_is(
    runs: list[Run], alice: User
) -> None:
    asked = " ".join(second for _, second in PAIRS["unlike"])
    with CaptureQueriesContext(
        connection,
    ) as asking:
        asked_like(alice, asked)
    searches = [q for q in asking if "set_config" not in q["sql"] and "SAVEPOINT" not in q["sql"]]
    assert len(searches) <= 10  # PostgreSQL is asked for the spans of time, too


def test_the_page_tells_of_it_unless_the_site_does_not(
    client: Client, alice: User, runs: list[Run]
) -> None:
    run = Story().whole().save(alice, prompt=ASKED)
    client.force_login(alice)
    html = client.post("/fusion?like", {"prompt": AGAIN}).content.decode()
    assert "You asked something like this: " in html and f"/fusion/runs/{run.pk}" in html
    assert client.post("/fusion?like", {"prompt": "Why is the sky blue?"}).content.strip() == b""
    assert not Run.objects.filter(prompt=AGAIN).exists()
    SiteChoices.objects.create(tells_like=False)
    assert client.post("/fusion?like", {"prompt": AGAIN}).content.strip() == b""
    assert questions_like(alice, AGAIN) == []
