"""Two texts of a run side by side: which there are, by which names, and for whom."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.findings.evidence import verify
from console.models import Run
from console.record.compared import comparable

from .story import ANALYSIS, Story
from .test_run_detail import HOSTILE, Elements

ALPHA = "Move the billing in two steps. Upkeep costs 40,000 a year. Test the invoices."
BETA = "Upkeep costs 60,000 a year. Test the invoices. Ask the auditors first."
GAMMA = "Leave it as it is until next year. Test the invoices."


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def story(**analysis: Any) -> Story:
    told = Story().begin()
    for seat, text in enumerate((ALPHA, BETA, GAMMA)):
        told.answer(seat, text)
    judged = verify(ANALYSIS | analysis, {0: ALPHA, 1: BETA, 2: GAMMA})
    return told.judge().analyse(judged).synthesise("Test the invoices.[^A,B] Begin in May.[^own]")


def shown(client: Client, run: Run, **asked: str) -> str:
    response = client.get(f"/fusion/runs/{run.pk}/compare", asked)
    assert response.status_code == 200
    return response.content.decode()


def stated(html: str, side: str) -> list[tuple[str, str]]:
    """(state, words) of every statement of a side."""
    pattern = rf'<span id="{side}-\d+" data-said="(\w+)"[^>]*>(.*?)</span>'
    return [(state, re.sub("<[^>]*>", "", said)) for state, said in re.findall(pattern, html)]


def test_two_seats_side_by_side(page: Client, alice: User) -> None:
    html = shown(page, story().complete().save(alice), left="A", right="b")
    assert stated(html, "left") == [
        ("only", "Move the billing in two steps."),
        ("words", "Upkeep costs 40,000 a year."),
        ("same", "Test the invoices."),
    ]
    assert stated(html, "right") == [
        ("words", "Upkeep costs 60,000 a year."),
        ("same", "Test the invoices."),
        ("only", "Ask the auditors first."),
    ]
    assert 'data-legend="grave"' in html and html.count("<mark") == 2
    assert all(f'<mark class="grave">{figure}</mark>' in html for figure in ("40,000", "60,000"))


def test_what_the_analysis_holds_against_each_other_is_opposed(page: Client, alice: User) -> None:
    stances = [
        {"seats": [0], "stance": "Now", "evidence": [{"seat": 0, "quote": "in two steps"}]},
        {"seats": [2], "stance": "Later", "evidence": [{"seat": 2, "quote": "until next year"}]},
    ]
    run = story(contradictions=[{"topic": "When?", "stances": stances}]).complete().save(alice)
    html = shown(page, run, left="A", right="C")
    assert stated(html, "left")[0] == ("opposed", "Move the billing in two steps.")
    assert stated(html, "right")[0] == ("opposed", "Leave it as it is until next year.")
    assert 'data-legend="opposed"' in html
    assert '<a href="#left-0" dir="auto">When?</a>' in html


def test_where_nobody_says_what_it_is_the_fused_answer_and_the_first_seat(
    page: Client, alice: User
) -> None:
    html = shown(page, story().complete().save(alice))
    assert '<option value="fused-1" selected>' in html and '<option value="A" selected>' in html
    assert stated(html, "left") == [("same", "Test the invoices."), ("only", "Begin in May.")]
    assert "[^" not in html and "source-own" not in html


def test_every_fusion_and_every_analysis_can_stand_on_a_side(page: Client, alice: User) -> None:
    told = story().complete().fuse_again("Test the invoices. Begin in June.")
    names = [one.name for one in comparable(told.spec, told.state)]
    assert names == ["fused-2", "fused-1", "A", "B", "C", "analysis-1"]
    run = told.save(alice)
    html = shown(page, run, left="fused-1", right="fused-2")
    assert ("words", "Begin in May.") in stated(html, "left")
    html = shown(page, run, left="analysis", right="fused")
    assert any("Upkeep is a real" in said for _, said in stated(html, "left"))


@pytest.mark.parametrize("name", ["Z", "fused-9", "analysis-x", "D", "left", "<b>"])
def test_a_text_that_is_not_there_is_said_to_be_none(page: Client, alice: User, name: str) -> None:
    run = story().complete().save(alice)
    response = page.get(f"/fusion/runs/{run.pk}/compare", {"left": name})
    assert response.status_code == 400
    said = response.content.decode()
    assert (
        "It has: fused-1, A, B, C, analysis-1." in said
        and "<b>" not in said.split("It has")[0][-60:]
    )


def test_one_text_alone_is_not_compared(page: Client, alice: User) -> None:
    run = Story().begin().write(0, "Only this.").save(alice)
    assert "no two texts to compare yet" in shown(page, run)
    run = Story().begin().write(0, "Only this.").write(1, "And that.").save(alice)
    assert [state for state, _ in stated(shown(page, run), "left")] == ["only"]


def test_only_what_differs_is_in_the_address_and_in_the_form(page: Client, alice: User) -> None:
    run = story().complete().save(alice)
    assert "only-differs" in shown(page, run, differs="1")
    html = shown(page, run)
    assert "only-differs" not in html and 'form="compare-form"' in html


def test_the_same_text_on_both_sides_is_said_to_be_the_same(page: Client, alice: User) -> None:
    html = shown(page, story().complete().save(alice), left="B", right="B")
    assert "Both say the same, word for word." in html


def test_nothing_that_a_model_writes_becomes_part_of_the_page(page: Client, alice: User) -> None:
    told = Story().begin()
    for seat in range(3):
        told.answer(
            seat, f"{HOSTILE} and {'more' * seat} of it.\n\n| a | b |\n|-|-|\n| {HOSTILE} | 1 |"
        )
    html = shown(page, told.judge().analyse().synthesise("Fused.").complete().save(alice))
    html += shown(page, Run.objects.get(), left="A", right="B")
    elements = Elements(html)
    assert not elements.names & {"img", "iframe", "style"} and elements.inline_scripts == 0
    assert not {"onerror", "hx-get", "style"} & elements.attributes
    assert not [value for value in elements.values if value.startswith("javascript")]


def test_a_link_shows_the_same_without_a_sign_in_and_no_more(client: Client, alice: User) -> None:
    run = story().complete().save(alice, visibility="link", share_token="by-link")
    response = client.get("/fusion/shared/by-link/compare", {"left": "A", "right": "B"})
    html = response.content.decode()
    assert stated(html, "left") and "/fusion/shared/by-link" in html
    assert str(run.pk) not in html and "0.03" not in html
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_a_runs_page_leads_to_it_and_a_shared_one_to_its_own(page: Client, alice: User) -> None:
    run = story().complete().save(alice, visibility="link", share_token="by-link")
    assert (
        f'href="/fusion/runs/{run.pk}/compare"'
        in page.get(f"/fusion/runs/{run.pk}").content.decode()
    )
    by_link = page.get("/fusion/shared/by-link").content.decode()
    assert 'href="/fusion/shared/by-link/compare"' in by_link


def test_any_two_runs_stand_side_by_side_for_who_may_read_both(
    page: Client, alice: User, bob: User
) -> None:
    run = story().complete().save(alice)
    other = story().complete().save(alice, prompt="Shall we wait?", visibility="team")
    choice = {"do": "beside", "run": [run.pk, other.pk]}
    response = page.post("/fusion/runs/chosen", choice)
    assert response["Location"] == f"/fusion/runs/{other.pk}/compare?with={run.pk}"
    html = shown(page, other, **{"with": str(run.pk)})
    assert '<option value="with.fused-1" selected>' in html
    assert '<option value="fused-1" selected>' in html
    assert f'<input type="hidden" name="with" value="{run.pk}">' in html
    assert {state for state, _ in stated(html, "left")} == {"same"}
    # What the one's analysis says of its answers says nothing of another's.
    html = shown(page, run, **{"with": str(other.pk), "left": "A", "right": "with.b"})
    assert "Shall we wait? · B · " in html and "opposed" not in dict(stated(html, "left"))
    assert ("words", "Upkeep costs 40,000 a year.") in stated(html, "left")
    reader = Client()
    reader.force_login(bob)
    assert reader.get(f"/fusion/runs/{other.pk}/compare").status_code == 200
    for named in (run.pk, "none"):
        assert reader.get(f"/fusion/runs/{other.pk}/compare?with={named}").status_code == 404
    page.post("/fusion/runs/chosen", {"do": "beside", "run": run.pk})
    assert "Choose two questions" in page.get("/fusion/runs").content.decode()
