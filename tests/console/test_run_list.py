from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.engine.events import EventType
from console.models import Run

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


def test_what_an_evaluation_asked_has_a_list_of_its_own(
    client: Client, alice: User, charlie: User
) -> None:
    client.force_login(alice)
    own, team = {"origin": "evaluation"}, {"origin": "evaluation", "visibility": "team"}
    assert "Runs of evaluations" not in listed(client)
    Story().whole().save(alice, prompt="of alice")
    Story().whole().save(None, prompt="by the shell", origin="shell", visibility="team")
    Story().whole().save(None, prompt="graded", **own)
    assert "Runs of evaluations" not in listed(client)
    for number in range(22):
        Story().whole().save(None, prompt=f"task {number:02}", **team)
    history, asked = listed(client), client.get("/fusion").content.decode()
    for page in (history, asked):
        assert "of alice" in page and "by the shell" in page
        assert "task" not in page and "graded" not in page
    assert 'href="?origin=evaluation"' in history
    first = listed(client, "?origin=evaluation")
    assert "task 21" in first and "task 02" in first and "task 01" not in first
    assert "of alice" not in first and "graded" not in first
    second = listed(client, to(first, "next").replace("&amp;", "&"))
    assert "task 01" in second and "task 02" not in second and "of alice" not in second
    assert "task 21" in listed(client, to(second, "prev").replace("&amp;", "&"))
    client.force_login(charlie)
    assert client.get("/fusion/runs?origin=evaluation")["Location"].startswith("/sign-in")


def to(page: str, rel: str) -> str:
    """The address that a page's link leads to; "" where it has none."""
    link = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return link[1] if link else ""


def test_the_newest_comes_first_and_twenty_make_a_page(client: Client, alice: User) -> None:
    for number in range(45):
        Story().whole().save(alice, prompt=f"question {number:02}")
    client.force_login(alice)
    first = listed(client)
    assert first.index("question 44") < first.index("question 43")
    assert "question 25" in first and "question 24" not in first and not to(first, "prev")
    second = listed(client, to(first, "next"))
    assert "question 24" in second and "question 05" in second and "question 04" not in second
    third = listed(client, to(second, "next"))
    assert "question 04" in third and "question 00" in third and not to(third, "next")
    assert listed(client, to(third, "prev")).count("question") == second.count("question")
    assert "question 24" in listed(client, to(third, "prev"))
    back = listed(client, to(listed(client, to(third, "prev")), "prev"))
    assert "question 44" in back and not to(back, "prev")


def test_a_page_goes_on_where_the_last_one_ended_whatever_came_or_went(
    client: Client, alice: User, bob: User
) -> None:
    runs = [
        Story()
        .whole()
        .save(
            (alice, bob)[n % 2],
            prompt=f"question {n:02}",
            visibility="team" if n % 3 else "private",
        )
        for n in range(60)
    ]
    client.force_login(alice)
    visible = [n for n in range(60) if n % 2 == 0 or n % 3]
    first = listed(client)
    last = visible[-20]
    runs[last].delete()
    Story().whole().save(alice, prompt="question 99")
    second = listed(client, to(first, "next"))
    seen = [int(n) for n in re.findall(r"question (\d\d)", second)]
    assert seen == visible[:-20][::-1][:20]


def test_runs_of_the_very_same_moment_are_each_shown_once(client: Client, alice: User) -> None:
    for number in range(50):
        Story().whole().save(alice, prompt=f"question {number:02}", visibility="team")
    Run.objects.update(created_at=timezone.now())
    client.force_login(alice)
    seen, at = [], "?"
    while at:
        page = listed(client, at)
        seen += re.findall(r"question (\d\d)", page)
        at = to(page, "next")
    assert len(seen) == len(set(seen)) == 50


@pytest.mark.parametrize("query", ["?page=2", "?before=nonsense", "?after=-", "?before=20260101T"])
def test_an_address_that_names_no_place_is_the_first_page(
    client: Client, alice: User, query: str
) -> None:
    Story().whole().save(alice, prompt="question 00")
    client.force_login(alice)
    assert "question 00" in listed(client, query)


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
    with django_assert_max_num_queries(10):  # type: ignore[operator]
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
