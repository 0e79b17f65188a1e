from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils.html import escape

from console.engine.errors import SENTENCES, Reason
from console.engine.events import EventType
from console.engine.state import Step, call_key
from console.engine.steps.fuse import ending_of
from console.models import Call, Fusion, Run

from .story import Story, a_spec, link_to

HOSTILE = (
    '<script>alert(1)</script><img src="https://evil.example/x" onerror=alert(1)>'
    '[link](javascript:alert(1)) <b hx-get="/x" style="color:red">b</b>'
)


class Elements(HTMLParser):
    """What a browser would make of a page: names and attributes of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.values: list[str] = []
        self.inline_scripts = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.values += [value for name, value in attrs if value and name in ("href", "src")]
        self.inline_scripts += tag == "script" and {"src", "nonce"}.isdisjoint(dict(attrs))


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def shown(client: Client, run: Run) -> str:
    response = client.get(f"/fusion/runs/{run.pk}")
    assert response.status_code == 200
    return response.content.decode()


def test_a_private_run_is_its_owner_s_alone(
    client: Client, alice: User, bob: User, charlie: User
) -> None:
    url = f"/fusion/runs/{Story().whole().save(alice).pk}"
    assert client.get(url)["Location"].startswith("/sign-in")
    client.force_login(bob)
    assert client.get(url).status_code == 404
    client.force_login(charlie)
    assert client.get(url)["Location"].startswith("/sign-in")
    client.force_login(alice)
    assert client.get(url).status_code == 200


def test_an_absent_run_looks_like_a_forbidden_one(page: Client, bob: User) -> None:
    forbidden = page.get(f"/fusion/runs/{Story().whole().save(bob).pk}")
    absent = page.get(f"/fusion/runs/{uuid.uuid4()}")
    assert forbidden.status_code == absent.status_code == 404
    for response in (forbidden, absent):
        assert "There is nothing here, or it is not yours to see." in response.content.decode()


def test_no_cache_keeps_a_run(page: Client, alice: User) -> None:
    response = page.get(f"/fusion/runs/{Story().whole().save(alice).pk}")
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_whether_it_may_still_be_read_is_told_without_making_the_page(
    page: Client, alice: User, bob: User
) -> None:
    run = Story().whole().save(alice)
    told = page.head(f"/fusion/runs/{run.pk}")
    assert told.status_code == 200 and not told.templates
    Run.objects.filter(pk=run.pk).update(owner=bob, visibility="link")
    link_to(run, "t" * 22)
    assert page.head(f"/fusion/runs/{run.pk}").status_code == 404
    shared = page.head(f"/fusion/shared/{'t' * 22}")
    assert shared.status_code == 200 and not shared.templates
    assert shared["X-Robots-Tag"] == "noindex, nofollow"


def test_the_page_has_the_names_assistive_technology_needs(page: Client, alice: User) -> None:
    html = shown(page, Story(a_spec("m/alpha", "m/alpha", "m/beta")).whole().save(alice))
    for seat, name in enumerate(["alpha (1)", "alpha (2)", "beta"]):
        assert f'aria-labelledby="seat-{seat}-name"' in html
        assert re.search(rf'<h2 id="seat-{seat}-name"[^>]*>.*{re.escape(name)}</bdi></h2>', html)
    assert html.count("<article") == 3
    assert re.search(r'<section[^>]*aria-labelledby="analysis-title"', html)
    assert ">Agreement map</h2>" in html
    assert re.search(r'<section[^>]*aria-labelledby="fused-title"', html)
    assert ">Fused answer</h2>" in html
    assert 'role="status"' in html


def test_a_finished_run_shows_answers_analysis_fused_answer_and_money(
    page: Client, alice: User
) -> None:
    html = shown(page, Story().whole("Say **why**.", "So *be* it.").save(alice))
    assert html.count("Say <strong>why</strong>.") == 3
    assert "So <em>be</em> it." in html
    for part in (
        "Consensus",
        "Contradictions",
        "Partial coverage",
        "Unique insights",
        "Blind spots",
    ):
        assert part in html
    assert "Five years of unwritten exceptions" in html
    assert "$0.0312" in html
    assert "$0.1560" in html
    assert 'data-status="completed"' in html


def test_a_failed_seat_says_what_happened_and_what_became_of_its_text(
    page: Client, alice: User
) -> None:
    story = Story().begin().wait(1).answer(0, "Yes.").answer(1, "Yes.")
    story.write(2, "Three words written").fail(2, Reason.STALLED).judge().analyse()
    html = shown(page, story.synthesise("Yes.").complete().save(alice))
    column = html[html.index('id="seat-2"') :]
    assert "The model stopped sending." in column
    assert "The 3 words it wrote are kept and not given to the judge." in column
    assert "Three words written" in column
    assert "Without C" in html
    assert "Done, from 2 of 3 answers" in html


def test_a_run_of_one_answer_and_one_without_analysis_say_so(page: Client, alice: User) -> None:
    alone = Story().begin().answer(0, "Yes.").fail(1).fail(2).judge().synthesise("Yes.").complete()
    html = shown(page, alone.save(alice))
    assert "From a single answer" in html
    assert "One answer came back, so there was nothing to compare." in html
    story = Story().begin()
    for seat in range(3):
        story.answer(seat, "Yes.")
    html = shown(page, story.judge().misjudge().synthesise("Yes.").complete().save(alice))
    assert "The judge did not return valid JSON." in html
    assert "The fused answer was written from the answers alone." in html


def test_where_judge_and_synthesizer_fail_the_page_tells_one_story(
    page: Client, alice: User
) -> None:
    """And no two sentences of it run together, however the provider ends its own."""
    story = Story().begin()
    for seat in range(3):
        story.answer(seat, f"Answer {seat}.")
    story.judge()
    said = {"reason": Reason.UPSTREAM_ERROR.value, "error": "Its server says: try again later"}
    story.tell(EventType.CALL_FAILED, call_key(Step.ANALYSIS, 1, 1), 1, **said, final=True)
    story.synthesise()
    best = call_key(Step.PANEL, 0, 1)
    key = call_key(Step.SYNTHESIS, 1, 1)
    story.tell(EventType.CALL_FAILED, key, 1, **said, final=True, best=best)
    html = shown(page, story.tell(EventType.RUN_COMPLETED).save(alice))
    assert "was written" not in html
    assert html.count("try again later.") == 2 and "try again later The" not in html
    assert "the first of them stands in" in html and "Best single answer" in html
    assert "from the fused answer" not in html
    assert '<option value="seat-0" selected>' in html


def test_hostile_text_is_nowhere_more_than_text(page: Client, alice: User) -> None:
    story = Story(a_spec("m/<b>a", "m/beta")).begin().think(0, HOSTILE)
    story.answer(0, HOSTILE, model=HOSTILE).answer(1, HOSTILE).judge()
    claim = {"claim": HOSTILE, "seats": [0]}
    stances = [{"seats": [1], "stance": HOSTILE}]
    contradiction = {"topic": HOSTILE, "stances": stances}
    story.analyse({"consensus": [claim], "contradictions": [contradiction]})
    story.synthesise(HOSTILE).complete()
    html = shown(page, story.save(alice, prompt=HOSTILE, preset_name="<i>x"))
    assert "alert(1)" in html
    elements = Elements(html)
    assert not {"img", "b", "i"} & elements.names
    assert not {a for a in elements.attributes if a.startswith(("on", "style"))}
    assert "/x" not in elements.values  # of its hx-get: the page has parts of its own
    assert not any("javascript:" in value for value in elements.values)
    assert elements.inline_scripts == 0
    failed = Story().begin().fail(0, Reason.UPSTREAM_ERROR, HOSTILE).save(alice)
    assert "<script>alert" not in shown(page, failed)


def test_every_page_forbids_inline_code_and_has_none(page: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    for url in ("/fusion", "/fusion/runs", f"/fusion/runs/{run.pk}", "/fusion/runs/nothing"):
        response = page.get(url)
        policy = response["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        html = response.content.decode()
        elements = Elements(html)
        assert elements.inline_scripts == 0
        assert not {a for a in elements.attributes if a.startswith(("on", "style"))}


def test_a_long_prompt_is_folded_and_whole(page: Client, alice: User) -> None:
    html = shown(page, Story().whole().save(alice, prompt="word " * 200 + "THE END"))
    assert '<details class="prompt-fold"' in html
    assert "THE END" in html


@pytest.mark.parametrize(
    ("prompt", "is_folded"),
    [
        ("Keep or replace?\n\nThe lease ends in 2034.", True),
        ("One\ntwo\nthree", True),
        ("One\r\n\r\ntwo", True),
        ("One\ntwo", False),
        ("Keep or replace?", False),
        ("word " * 45, False),
        ("word " * 84, True),
    ],
)
def test_a_prompt_of_several_paragraphs_leaves_the_window_to_the_answers(
    page: Client, alice: User, prompt: str, is_folded: bool
) -> None:
    html = shown(page, Story().whole().save(alice, prompt=prompt))
    assert ('<details class="prompt-fold"' in html) == is_folded
    assert ('class="prompt prompt-whole"' in html) == is_folded


def test_a_run_on_the_built_in_model_is_called_a_demonstration(
    client: Client, alice: User, ada: User
) -> None:
    run = Story(a_spec("smol", "smol", credential="local")).whole().save(alice, visibility="team")
    line = "Demonstration model: shows how Fusion works, not how well."
    client.force_login(alice)
    html = shown(client, run)
    assert line in html
    assert "Add a provider key</a>" not in html
    client.force_login(ada)
    assert '<a href="/fusion/keys">Add a provider key</a>' in shown(client, run)
    assert line not in shown(client, Story().whole().save(ada))


def test_a_fusion_opened_while_the_page_is_read_does_not_break_it(
    page: Client, alice: User
) -> None:
    run = Story().begin().save(alice)

    def open_a_fusion(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        if 'FROM "console_call"' in sql and not run.fusions.exists():
            fusion = Fusion.objects.create(run=run, number=1, judge={}, synthesizer={})
            Call.objects.create(
                run=run,
                fusion=fusion,
                key="analysis-f1-1",
                step=Step.ANALYSIS,
                number=1,
                cause="first",
                panelist={},
                status="waiting",
            )
        return execute(sql, params, *rest)

    with connection.execute_wrapper(open_a_fusion):
        shown(page, run)
    assert run.fusions.count() == 1


@pytest.mark.parametrize("is_told_above", [True, False])
@pytest.mark.parametrize(
    "reason", [Reason.REPEATS_ITSELF, Reason.ECHOES_PROMPT, Reason.DISCONNECTED, Reason.EMPTY]
)
def test_whose_answer_stands_in_and_why_is_said_once(
    page: Client, alice: User, reason: Reason, is_told_above: bool
) -> None:
    """A run that goes on beside its answer has no sentence of its own yet."""
    story = Story().begin()
    for seat in range(3):
        story.answer(seat, f"Answer {seat}.")
    story.judge().analyse().synthesise("Round and round. ")
    said = {"reason": reason.value, "error": SENTENCES[reason], "final": True}
    key, best = call_key(Step.SYNTHESIS, 1, 1), call_key(Step.PANEL, 1, 1)
    story.tell(EventType.CALL_FAILED, key, 1, **said, best=best)
    _, ending = ending_of(story.state)
    html = shown(
        page, story.tell(EventType.RUN_COMPLETED, **ending if is_told_above else {}).save(alice)
    )
    assert "Best single answer" in html and "B · beta stands in for the fused answer" in html
    why = escape(SENTENCES[reason].removesuffix(" What had arrived is kept."))
    assert html.count(why) == 1
    assert (why in html[: html.index('class="desk"')]) is is_told_above


def test_a_column_that_loops_says_so(page: Client, alice: User) -> None:
    story = Story().begin().answer(0, "Yes.").answer(1, "No.").write(2, "Round and round. ")
    story.fail(2, Reason.REPEATS_ITSELF).judge().analyse().synthesise("Yes.").complete()
    html = shown(page, story.save(alice))
    column = html[html.index('id="seat-2"') :]
    assert "repeats itself" in column and "Round and round." in column
    assert "The 3 words it wrote are kept and not given to the judge." in column
