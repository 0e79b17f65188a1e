"""The sources of a run on its page, and each as it was read."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from console.fragments import run_context, run_fragments
from console.models import Run
from console.services.tokens import token_create

from .researched import ELBE, keep_texts, researched
from .story import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: User) -> Run:
    story = researched(Story().whole())
    story.state.calls["panel-0-1"].text = "It is “1,094 km long” [1], not “9 km” [1]."
    run = story.save(alice, visibility="team", share_token="by-link")
    keep_texts(run)
    return run


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_the_page_lists_what_was_read_and_what_was_not_with_who_cites_it(
    signed_in: Client, run: Run
) -> None:
    html = signed_in.get(reverse("run-detail", args=[run.pk])).content.decode()
    part = html.split('id="sources"')[1].split("</section>")[0]
    assert "2 read" in part and "Searched for “elbe length”" in part
    assert "Elbe &lt;i&gt;" in part and f'href="{ELBE}"' in part
    assert "1 of 2 quotes found" in part and "Not found there: “9 km”" in part
    assert "Its server answered 500." in part
    assert "Tells models what to do (“You are now an AI”). Kept as material, not followed." in part
    assert "Named by the provider of C for a search of its own; not read by us." in part
    assert 'data-key="s"' in html and "2</span>" in html.split('id="phases"')[1].split("</ol>")[0]
    assert f'<a href="{ELBE}"' in html.split('id="seat-0"')[1], "[1] leads there"


def test_a_run_without_sources_has_no_part_for_them(signed_in: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    html = signed_in.get(reverse("run-detail", args=[run.pk])).content.decode()
    assert 'id="sources"' not in html and 'data-key="s"' not in html and "no sources" in html


def test_page_and_socket_show_the_same_of_them(signed_in: Client, run: Run) -> None:
    from console.record.rows import state_from_rows

    state = state_from_rows(run)
    told = run_fragments(run_context(run.frozen_spec, state, show_costs=True))["sources"]
    html = signed_in.get(reverse("run-detail", args=[run.pk])).content.decode()
    # Its owner's page alone has what is offered once the run has ended.
    offered = r' <button[^>]*form="read-source".*?</button>|<form id="read-source".*?</form>'
    assert told not in html and told in re.sub(offered, "", html, flags=re.DOTALL)


def test_a_source_is_shown_as_it_was_read_with_its_quotes_marked(
    signed_in: Client, run: Run
) -> None:
    page = reverse("run-source", args=[run.pk, 1])
    assert signed_in.get(f"{reverse('run-detail', args=[run.pk])}?source=1")["Location"] == page
    html = signed_in.get(page).content.decode()
    assert "<mark>1,094 km long</mark>" in html and "quoted by </span>A</span>" in html
    assert "Boats go to Hamburg." in html and "Not found here: “9 km”" in html


def test_a_source_is_for_whoever_may_read_the_run(
    client: Client, run: Run, alice: User, bob: User, charlie: User
) -> None:
    page = reverse("run-source", args=[run.pk, 1])
    assert client.get(page).status_code == 302  # to sign in
    client.force_login(bob)
    assert client.get(page).status_code == 200
    assert client.get(reverse("run-source", args=[run.pk, 9])).status_code == 404
    Run.objects.filter(pk=run.pk).update(visibility="private")
    assert client.get(page).status_code == 404


def test_by_a_link_the_list_is_shown_and_no_text(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(visibility="link")
    html = client.get(reverse("run-shared", args=["by-link"])).content.decode()
    assert "2 read" in html and "?source=" not in html


def test_what_is_taken_along_lists_them(signed_in: Client, run: Run) -> None:
    export = reverse("run-export", args=[run.pk])
    markdown = signed_in.get(f"{export}?format=md").content.decode()
    listed = markdown.split("## Sources\n\n")[1].split("\n\n")[0].splitlines()
    assert listed[0].startswith(f"- [1] Elbe \\<i\\>: <{ELBE}> — **A** (1 of 2 quotes found in it.")
    assert "Its server answered 500." in listed[2] and not listed[2].startswith("- [")
    html = signed_in.get(f"{export}?format=html").content.decode()
    assert "<h2>Sources</h2>" in html and '<li value="2">' in html
    document = signed_in.get(f"{export}?format=json").json()
    sources = document["runs"][0]["research"]["sources"]
    assert [source.get("number") for source in sources] == [1, 2, None]


def test_a_run_that_is_brought_in_keeps_its_list(signed_in: Client, run: Run, alice: User) -> None:
    from console.record.portable import bring_in, read

    body = signed_in.get(f"{reverse('run-export', args=[run.pk])}?format=json").content
    [brought] = bring_in(read(body), owner=alice, visibility="private", origin="imported")
    brought.refresh_from_db()
    run.refresh_from_db()
    assert brought.research == run.research
    html = signed_in.get(reverse("run-source", args=[brought.pk, 1])).content.decode()
    assert "What this page says stayed where the run was made." in html


@pytest.mark.django_db(transaction=True)
def test_programs_are_told_what_was_looked_up_and_of_others_nothing(
    client: Client, alice: User
) -> None:
    _, secret = token_create(owner=alice, requests_per_minute=None)
    told = []
    for story in (researched(Story().whole()), Story().whole()):
        run = story.save(alice)
        asked = {"Authorization": f"Bearer {secret}"}
        told.append(client.get(f"/v1/runs/{run.pk}", headers=asked).json())
    assert told[0]["research"]["sources"] and "research" not in told[1]
