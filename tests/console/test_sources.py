"""The web pages that an answer cites stand under it, for whoever may read the run."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.state import RunState
from console.fragments import run_context, run_fragments, run_texts
from console.markdown import StreamRenderer, render
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


NUMBER = re.compile(r'<a href="([^"]*)" rel="noopener noreferrer nofollow">(\[?\d+\]?)</a>')


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Wet [1][2].", [("a", "[1]"), ("b", "[2]")]),
        ("Wet [1, 2] and [2,9].", [("a", "1"), ("b", "2"), ("b", "2")]),
        ("**Wet**[2]: so\n\n- it [1]", [("b", "[2]"), ("a", "[1]")]),
        ("Wet [3] [0] [001] [1a] [^1] \\[1] `[1]`", []),
        ("[1](https://c.example/) [x [1]](https://c.example/)", []),
        ("```\n[1]\n```", []),
    ],
)
def test_a_number_in_brackets_leads_to_its_source(
    text: str, numbers: list[tuple[str, str]]
) -> None:
    cited = {1: "https://a", 2: "https://b"}
    html = render(text, cited=cited)
    assert NUMBER.findall(html) == [(f"https://{host}", label) for host, label in numbers]
    assert "<a" in html or not numbers
    assert NUMBER.findall(render(text)) == []
    assert "host" not in render("Wet [1].", cited=cited)


def test_an_address_that_is_none_makes_no_link_of_a_number() -> None:
    for url in ("javascript:pwned()", "/fusion/keys", "https://", "https:\\evil.test"):
        assert render("Wet [1].", cited={1: url}) == "<p>Wet [1].</p>\n"
    assert "(evil.test)" in render("Wet [1].", cited={1: "https://bank.test@evil.test/"})


def test_numbers_lead_there_live_after_a_reload_shared_and_in_every_fusion(
    client: Client, alice: User
) -> None:
    story = (
        Story().begin().answer(0, "Wet [1][2].", citations=[ONE | {"url": "https://a.example/"}])
    )
    story.answer(1, "Dry [1].").answer(2, "Cold.").judge().analyse()
    story.synthesise("Fused [1].").complete(citations=[TWO])
    run = story.save(alice, visibility="link", share_token="t" * 43)
    client.force_login(alice)
    for address in (f"/fusion/runs/{run.pk}", f"/fusion/shared/{run.share_token}"):
        html = client.get(address).content.decode()
        both = [(TWO["url"], "[1]"), ("https://a.example/", "[1]")]
        assert sorted(NUMBER.findall(html)) == both
    renderer = StreamRenderer()
    renderer.feed("Wet [1][2].")
    assert "<a" not in renderer.block
    renderer.finish(cited={1: "https://a.example/"})
    assert "".join(renderer.final) == run_texts(story.spec, story.state)["seat-0"]
    again = story.state.of_turn(1)
    assert 'href="http://b.example/2"' in run_texts(story.spec, again)["fused"]


def test_a_page_that_was_not_taken_leaves_the_others_their_numbers() -> None:
    cited = [ONE, TWO | {"number": "3"}]
    story = Story().begin().answer(0, "Wet [1] [2] [3].", citations=cited)
    html = run_texts(story.spec, story.state)["seat-0"]
    assert [label for _, label in NUMBER.findall(html)] == ["[1]", "[3]"]
    live = run_fragments(run_context(story.spec, story.state, show_costs=True))
    assert '<li dir="auto" value="3">' in live["seat-0-sources"]


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
