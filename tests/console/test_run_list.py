from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.events import EventType

from .story import Story

pytestmark = pytest.mark.database


def listed(client: Client, query: str = "") -> str:
    response = client.get(f"/fusion/runs{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_only_members_see_the_list(client: Client, charlie: User) -> None:
    assert client.get("/fusion/runs")["Location"].startswith("/sign-in")
    client.force_login(charlie)
    assert client.get("/fusion/runs")["Location"].startswith("/sign-in")


def test_everyone_sees_their_own_and_the_team_s(client: Client, alice: User, bob: User) -> None:
    Story().whole().save(alice, prompt="alice alone")
    Story().whole().save(alice, prompt="alice for the team", visibility="team")
    Story().whole().save(alice, prompt="alice by link", visibility="link", share_token="t")
    client.force_login(alice)
    mine = listed(client)
    assert all(p in mine for p in ("alice alone", "alice for the team", "alice by link"))
    client.force_login(bob)
    theirs = listed(client)
    assert "alice for the team" in theirs
    assert "alice alone" not in theirs
    assert "alice by link" not in theirs


def test_the_newest_comes_first_and_twenty_make_a_page(client: Client, alice: User) -> None:
    for number in range(21):
        Story().whole().save(alice, prompt=f"question {number:02}")
    client.force_login(alice)
    first, second = listed(client), listed(client, "?page=2")
    assert first.index("question 20") < first.index("question 19")
    assert "question 00" not in first
    assert 'href="?page=2"' in first
    assert "question 00" in second
    assert "question 20" in listed(client, "?page=nonsense")


def test_a_line_shows_each_seat_s_fate(client: Client, alice: User) -> None:
    story = Story().begin().answer(0, "Yes.").answer(1, "Yes.").fail(2).judge().analyse()
    story.synthesise("Yes.").complete().save(alice)
    client.force_login(alice)
    html = listed(client)
    assert html.count('data-state="answered"') == 2
    assert html.count('data-state="failed"') == 1


def test_the_list_takes_as_many_queries_for_twenty_runs_as_for_one(
    client: Client, alice: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        Story().whole().save(alice)
    client.force_login(alice)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        listed(client)


def test_an_empty_list_says_where_to_begin(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "Ask the panel something" in listed(client)


def test_hostile_prompts_are_text(client: Client, alice: User) -> None:
    Story().whole().save(alice, prompt="<script>alert(1)</script>")
    client.force_login(alice)
    assert "<script>alert" not in listed(client)


def test_a_run_that_was_stopped_is_called_so(client: Client, alice: User) -> None:
    Story().begin().tell(EventType.RUN_CANCELLED).save(alice)
    client.force_login(alice)
    html = listed(client)
    assert "stopped</span>" in html and "cancelled" not in html


def test_a_cost_of_which_a_part_is_unknown_is_a_floor_here_too(client: Client, alice: User) -> None:
    Story().whole().save(alice, cost="0.25", cost_is_partial=True)
    client.force_login(alice)
    assert "≥ $0.2500" in listed(client)
