"""Every fusion whole, under its number: which is shown, and what belongs to it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.spec import Panelist
from console.fragments.fusions import fusion_tabs
from console.models import Run

from .story import ANALYSIS, Story, a_spec

SECOND = {"claim": "Only the second judge says so", "seats": [0, 1, 2], "evidence": []}
OTHER = Panelist("maker/omega", "openrouter").to_dict()


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def twice(**again: Any) -> Story:
    story = Story().whole(fused="The first text.")
    story.fuse_again("The second text.", **again)
    story.state.fusions[2].analysis = ANALYSIS | {"consensus": [SECOND]}
    return story


def shown(client: Client, run: Run, **asked: str) -> str:
    response = client.get(f"/fusion/runs/{run.pk}", asked)
    assert response.status_code == 200
    return response.content.decode()


def fused(html: str) -> str:
    return html.split('data-text="fused"')[1].partition("</section>")[0]


def tabs(html: str) -> list[tuple[str, bool]]:
    """(number and how it came about, whether it is the one that is shown)."""
    (nav,) = re.findall(r'<nav id="fusion-tabs".*?</nav>', html, re.DOTALL)
    links = re.findall(r"<li><a (.*?)>(.*?)</a></li>", nav)
    words = [re.sub("<[^>]*>", "", text) for _, text in links]
    return [(w.strip(), "aria-current" in a) for w, (a, _) in zip(words, links, strict=True)]


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("number", ["", "1", "2"])
def test_each_has_text_analysis_receipt_and_writer_in_the_same_places(
    page: Client, alice: User, number: str, is_shared: bool
) -> None:
    run = twice(synthesizer=OTHER).save(alice, visibility="link", share_token="by-link")
    address = "/fusion/shared/by-link" if is_shared else f"/fusion/runs/{run.pk}"
    html = page.get(address, {"fusion": number} if number else {}).content.decode()
    is_first = number == "1"
    assert tabs(html) == [("1", is_first), ("2 written by omega", not is_first)]
    assert ("The first text." in fused(html)) is is_first
    assert ("The second text." in fused(html)) is not is_first
    analysis = html.split('id="analysis"')[1]
    assert ("Only the second judge says so" in analysis) is not is_first
    assert ("Upkeep is a real" in analysis) is is_first
    writer = re.findall(r"written by (\w+)", html.split('id="fused-head"')[1])[0]
    assert writer == ("alpha" if is_first else "omega")
    change = f'href="{address}/compare?left=fused-1&amp;right=fused-2"'
    assert (change in html) is not is_first
    assert ('class="receipt"' in html) is not is_shared


def test_the_receipt_of_an_earlier_one_has_its_own_calls_only(page: Client, alice: User) -> None:
    run = twice().save(alice)
    receipt = shown(page, run, fusion="1").split('class="receipt"')[1].split("</table>")[0]
    assert re.findall(r'receipt-step">(\w+)<', receipt) == ["judge", "writer"]
    assert "<caption>Receipt of fusion 1</caption>" in receipt and "chip" not in receipt


def test_one_fusion_has_no_tabs(page: Client, alice: User) -> None:
    html = shown(page, Story().whole().save(alice))
    assert tabs(html) == [] and "What changed" not in html


def test_the_old_one_stays_in_view_until_the_new_one_is_there(page: Client, alice: User) -> None:
    story = Story().whole(fused="The first text.").fuse_again("The second", ends="")
    run = story.save(alice)
    html = shown(page, run)
    assert tabs(html) == [("1", True), ("2", False)]
    assert "data-older" in html and 'data-look="result"' in html
    assert "The first text." in fused(html)
    ready = re.findall(r'<a [^>]*fused-ready"[^>]*>', html)[0]
    assert 'href="?look=result&amp;fusion=2"' in ready and "data-part" not in ready
    # What comes when the run has ended is of the one that is shown, too.
    assert f'hx-get="/fusion/runs/{run.pk}?fusion=1"' in html
    live = shown(page, run, fusion="2")
    assert "The second" in fused(live) and "data-older" not in live
    # There: the newest, unless the address says otherwise.
    done = twice().save(alice)
    assert tabs(shown(page, done)) == [("1", False), ("2", True)]
    part = page.get(
        f"/fusion/runs/{done.pk}", {"fusion": "1"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert tabs(part) == [("1", True), ("2", False)]


@pytest.mark.parametrize("ends", ["run.cancelled", "run.failed"])
def test_one_that_was_never_written_leaves_the_one_before_it_in_view(
    page: Client, alice: User, ends: str
) -> None:
    story = Story().whole(fused="The first text.").fuse_again("", ends=ends)
    run = story.save(alice)
    html = shown(page, run)
    assert tabs(html) == [("1", True), ("2", False)] and "The first text." in fused(html)
    word = "stopped" if ends == "run.cancelled" else "failed"
    assert f'aria-label="Fusion 2, {word}"' in html
    assert "The first text." not in fused(shown(page, run, fusion="2"))


@pytest.mark.parametrize("number", ["0", "3", "-1", "01", "x", "٢", "9" * 500])
def test_a_fusion_that_is_not_there_is_said_not_to_be(
    page: Client, alice: User, number: str
) -> None:
    run = twice().save(alice, visibility="link", share_token="by-link")
    for address in (f"/fusion/runs/{run.pk}", "/fusion/shared/by-link"):
        response = page.get(address, {"fusion": number})
        assert response.status_code == 400
        assert f"This run has no fusion {number[:20]}. It has: 1, 2." in response.content.decode()


@pytest.mark.parametrize(
    ("wish", "how"),
    [
        ({}, ""),
        ({"seats": [0, 1, 2]}, ""),
        ({"seats": [0, 2]}, "of A and C"),
        ({"synthesizer": OTHER}, "written by omega"),
        ({"judge": OTHER}, "judged by omega"),
        ({"judge": OTHER, "synthesizer": OTHER}, "written by omega"),
        ({"criteria": "Weigh the cost."}, "other criteria"),
        ({"wish": {"rulings": [{}, {}], "facts": ["x"]}}, "with 2 rulings and 1 fact"),
        ({"wish": {"facts": ["x"], "on": 1}, "synthesizer": OTHER}, "with 1 fact"),
        ({"wish": {"preset": "budget"}, "judge": OTHER}, "as budget"),
        ({"wish": {"way": "vote"}}, "vote"),
        ({"wish": {"way": "fuse"}}, ""),
        ({"wish": {"analysis_only": True}}, "analysis only"),
        ({"wish": {"instruction": "Short."}}, "by an instruction"),
    ],
)
def test_a_tab_says_how_its_fusion_came_about(wish: dict[str, Any], how: str) -> None:
    story = twice(**wish)
    assert [(tab.how, tab.state) for tab in fusion_tabs(story.spec, story.state)] == [
        ("", "done"),
        (how, "done"),
    ]


def test_criteria_of_its_own_stand_with_the_text(page: Client, alice: User) -> None:
    story = Story(replace(a_spec(), criteria="Be brief.")).whole()
    story.state.fusions[1].criteria = "Be brief."
    run = story.fuse_again("Second.", criteria="Weigh the cost.").save(alice)
    assert "By these criteria: Weigh the cost." in shown(page, run)
    assert "By these criteria" not in shown(page, run, fusion="1")


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({}, "fused-answer"),
        ({"part": "analysis"}, "analysis"),
        ({"part": "seat-1"}, "fused-answer"),
        ({"look": "answers"}, "seat-0"),
        ({"look": "answers", "part": "seat-2"}, "seat-2"),
        ({"look": "answers", "part": "seat-3"}, "seat-0"),
        ({"look": "answers", "part": '"><script>'}, "seat-0"),
    ],
)
def test_the_part_that_a_phone_shows_is_said_by_the_address(
    page: Client, alice: User, asked: dict[str, str], part: str
) -> None:
    html = shown(page, twice().save(alice), **asked)
    assert re.findall(r'data-look="\w+"\s+data-part="([^"]*)"', html) == [part]
