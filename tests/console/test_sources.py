"""The web pages that an answer cites stand under it, for whoever may read the run."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.state import RunState
from console.fragments import run_context, run_fragments
from console.models import Run
from console.record.public import run_object

from .story import Story

ONE = {"url": "https://a.example/1?q=a&b=\"'<", "title": "Rain <b>& snow</b>"}
TWO = {"url": "http://b.example/2", "title": ""}
LINK = re.compile(r'<li dir="auto"><a href="([^"]*)" rel="([^"]*)">(.*?)</a></li>')


def told() -> Story:
    story = Story().begin().answer(0, "Wet [1][2].", citations=[ONE, TWO])
    story.answer(1, "Dry.").answer(2, "Cold.", citations=[TWO | {"title": "Two"}])
    return story.judge().analyse().synthesise("Wet.").complete(citations=[TWO])


def links(html: str) -> list[tuple[str, ...]]:
    return LINK.findall(html)


def under(html: str, place: str) -> list[tuple[str, ...]]:
    return links(html.split(f'id="{place}-sources"')[1].split("</div>")[0])


def test_sources_stand_under_the_answer_they_belong_to(client: Client, alice: User) -> None:
    story = told()
    run = story.save(alice)
    client.force_login(alice)
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    shown = [
        ("https://a.example/1?q=a&amp;b=&quot;&#x27;&lt;", "Rain &lt;b&gt;&amp; snow&lt;/b&gt;"),
        ("http://b.example/2", "b.example"),
    ]
    assert [(url, text) for url, _, text in under(html, "seat-0")] == shown
    assert {rel for _, rel, _ in links(html)} == {"noopener noreferrer nofollow"}
    assert under(html, "seat-1") == []
    assert [text for _, _, text in under(html, "seat-2")] == ["Two"]
    assert [text for _, _, text in under(html, "fused")] == ["b.example"]
    live = run_fragments(run_context(story.spec, story.state, show_costs=True))
    assert links(live["seat-0-sources"]) == under(html, "seat-0")


def test_a_shared_page_shows_them_too(client: Client, alice: User) -> None:
    run = told().save(alice, visibility="link", share_token="t" * 43)
    html = client.get(f"/fusion/shared/{run.share_token}").content.decode()
    assert len(under(html, "seat-0")) == 2


def test_without_sources_nothing_is_said_of_them(client: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    client.force_login(alice)
    assert "Web sources" not in client.get(f"/fusion/runs/{run.pk}").content.decode()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "/fusion/keys"])
def test_what_is_no_web_address_is_no_link_whatever_a_row_says(url: str) -> None:
    story = Story().begin().answer(0, "Wet.", citations=[{"url": url, "title": "Click"}])
    live = run_fragments(run_context(story.spec, story.state, show_costs=True))
    assert live["seat-0-sources"].strip() == ""


def test_programs_are_told_them_per_call_and_of_the_whole_run_once(alice: User) -> None:
    story = told()
    run = run_object(story.save(alice), story.spec, story.state)
    first, *_ = run.calls
    assert [s.title for s in first.sources] == [ONE["title"], TWO["url"]]
    assert [(s.url, s.title) for s in run.sources] == [
        (ONE["url"], ONE["title"]),
        (TWO["url"], "Two"),
    ]
    assert run_object(Run.objects.get(), story.spec, RunState()).sources == []
