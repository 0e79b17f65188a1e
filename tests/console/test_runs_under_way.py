"""How many of one's runs are under way, at the head of every page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console import access
from console.models import Run

from .story import Story

pytestmark = pytest.mark.database


def head(client: Client, path: str = "/fusion") -> tuple[str, str] | None:
    """What is said there and where it leads."""
    html = client.get(path).content.decode()
    found = re.search(r'<a class="under-way" href="([^"]+)">(.*?)</a>', html, re.DOTALL)
    return (re.sub("<[^>]+>", "", found[2]).strip(), found[1]) if found else None


def test_only_one_s_own_that_have_not_ended_are_counted_and_the_newest_is_led_to(
    client: Client, alice: User, bob: User, ada: User
) -> None:
    client.force_login(alice)
    Story().whole().save(alice)
    Story().begin().save(bob, visibility="team")
    assert head(client) is None
    first = Story().save(alice)
    assert head(client) == ("1 under way", f"/fusion/runs/{first.pk}")
    second = Story().begin().save(alice)
    for path in (
        "/fusion",
        "/fusion/runs",
        "/fusion/tokens",
        "/fusion/runs/under-way",
        "/password",
    ):
        assert head(client, path) == ("2 under way", f"/fusion/runs/{second.pk}")
    client.force_login(ada)
    assert head(client) is None
    client.force_login(bob)
    assert (head(client) or ("", ""))[0] == "1 under way"


def test_nobody_s_runs_are_told_to_whoever_is_not_known(
    client: Client, alice: User, charlie: User
) -> None:
    run = Story().begin().save(alice, visibility="link", share_token="by-link")
    assert head(client, "/fusion/shared/by-link") is None
    assert head(client, "/sign-in") is None
    for user in (alice, charlie):
        assert access.at_the_head(user).under_way == ([run.pk] if user == alice else [])


def test_beyond_a_hundred_nobody_counts(client: Client, alice: User) -> None:
    spec = Story().spec.to_dict()
    Run.objects.bulk_create(
        Run(owner=alice, prompt="Why?", messages=[], spec=spec, preset="a", preset_name="A")
        for _ in range(access.MANY + 5)
    )
    client.force_login(alice)
    assert (head(client) or ("", ""))[0] == "100+ under way"
