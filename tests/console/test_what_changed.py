"""The first thing that a later fusion shows is what it says that the one before did not."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.fragments.changed import IS_NEWS, MOST_SHOWN, changed
from console.services.links import run_share

from .story import Story

BEFORE = "Replace the rack now. It costs 96,000 euros. The lease ends in 2034."


def two(after: str, began: float = 1_790_000_000.0) -> Story:
    return Story(began=began).whole(fused=BEFORE).fuse_again(after)


@pytest.mark.parametrize(
    ("after", "counted", "changes"),
    [
        (BEFORE, "nothing, word for word", []),
        (
            BEFORE.replace("96,000", "99,000"),
            "1 changed",
            [("changed", "It costs 96,000 euros.", "It costs 99,000 euros.")],
        ),
        (
            f"{BEFORE} Fitters are booked out until autumn.",
            "1 new",
            [("new", "", "Fitters are booked out until autumn.")],
        ),
        (
            "Replace the rack now. The lease ends in 2034.",
            "1 gone",
            [("gone", "It costs 96,000 euros.", "")],
        ),
        ("The lease ends in 2034. It costs 96,000 euros. Replace the rack now.", "nothing", []),
        (
            "现在更换机架。 Replace the rack now. It costs 96,000 euros. The lease ends in 2034.",
            "1 new",
            [("new", "", "现在更换机架。")],
        ),
    ],
    ids=["same", "a figure", "one more", "one less", "moved", "CJK"],
)
def test_each_sentence_that_is_new_gone_or_changed_is_told(
    after: str, counted: str, changes: list[tuple[str, str, str]]
) -> None:
    story = two(after)
    view = changed(story.spec, story.state, 1, 2, now=story.now)
    assert view and view.counted.startswith(counted)
    assert [(one.word, one.before, one.now) for one in view.changes] == changes


def test_there_is_none_without_two_texts_and_of_many_the_first_are_shown() -> None:
    story = Story().whole(fused=BEFORE)
    assert changed(story.spec, story.state, None, 1, now=story.now) is None
    many = two(" ".join(f"Valve {n} is of another maker than gauge {n * 7}." for n in range(20)))
    view = changed(many.spec, many.state, 1, 2, now=many.now)
    assert view and len(view.changes) == MOST_SHOWN and view.more == 20 + 3 - MOST_SHOWN


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(("ago", "is_open"), [(5.0, True), (IS_NEWS + 60.0, False)])
def test_it_stands_open_above_the_text_as_long_as_that_is_new(
    page: Client, alice: User, ago: float, is_open: bool
) -> None:
    story = two(BEFORE.replace("96,000", "<b>99,000</b>"), began=time.time() - ago)
    run = story.save(alice)
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    told, _, text = html.partition('data-text="fused"')
    assert ('<details class="changed" open>' in told) is is_open
    assert "What changed since 1" in told and 'class="changed"' not in text
    assert '<del dir="auto">It costs 96,000 euros.</del>' in told
    assert "<b>99,000</b>" not in told
    assert f"/fusion/runs/{run.pk}/compare?left=fused-1&amp;right=fused-2" in told
    earlier = page.get(f"/fusion/runs/{run.pk}?fusion=1").content.decode()
    assert 'class="changed"' not in earlier


@pytest.mark.django_db
def test_who_has_the_link_is_led_to_the_comparison_of_the_link(client: Client, alice: User) -> None:
    run = two(BEFORE.replace("96,000", "99,000")).save(alice)
    token = run_share(run=run, visibility="link", by=alice)
    run.refresh_from_db()
    html = client.get(f"/fusion/shared/{token}").content.decode()
    assert f"/fusion/shared/{token}/compare?left=fused-1&amp;right=fused-2" in html
