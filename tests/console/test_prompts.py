"""Prompts to start from: templates with blanks, and what was asked before."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from console.models import Run
from console.services.errors import Refused
from console.services.prompt_starters import STARTERS
from console.services.prompt_text import Blank, blanks, filled, read
from console.services.prompts import template_of
from console.site.sample import sample_give

from .story import Story

PLAN = {
    "template": "criticise",
    "template_version": "1",
    "blank-plan": "Move {goal} on {fixed}.",
    "blank-goal": "{{plan}} & <b>speed</b>",
    "blank-fixed": "the budget",
    "blank-most": "3",
}


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    Story().whole().save(alice)  # past the first page
    return client


def ask(client: Client, **fields: Any) -> Any:
    form = {"preset": "quality", "client_run_id": str(uuid.uuid4()), "prompt": ""}
    return client.post("/fusion", form | fields)


def asked(client: Client, **fields: Any) -> Run:
    response = ask(client, **fields)
    assert response.status_code == 302, response.content.decode()
    return Run.objects.latest("created_at")


def test_a_text_is_words_and_blanks_of_five_kinds() -> None:
    parts = read(
        "Store {mass: number = 420} kg of {what}, {why: long text}\nby {day: date} {{mass}} "
        "{size: choice of small | very large = small}; {mass} again, {} {1x} {a: colour} {“q”: 1}"
    )
    assert blanks(parts) == [
        Blank("mass", "number", example="420"),
        Blank("what"),
        Blank("why", "long text"),
        Blank("day", "date"),
        Blank("size", "choice", ("small", "very large"), "small"),
    ]
    text = filled(parts, {"mass": "420", "what": "R-404A", "day": "2026-11-30"})
    assert text == (
        "Store 420 kg of R-404A, …\nby 2026-11-30 {mass} …; 420 again, {} {1x} {a: colour} {“q”: 1}"
    )


@pytest.mark.parametrize(
    ("text", "why_not"),
    [
        ("{a: number} and {a: date}", "a number in one place"),
        ("{a: choice of one}", "two things to choose from"),
        ("{a: number = many}", "The example does not fit"),
        (" ".join(f"{{x{n}}}" for n in range(21)), "at most 20"),
    ],
)
def test_a_text_that_nobody_could_fill_in_is_refused(text: str, why_not: str) -> None:
    with pytest.raises(Refused, match=why_not):
        read(text)


@pytest.mark.parametrize("starter", STARTERS, ids=lambda s: s.key)
def test_each_that_comes_along_has_a_whole_example(starter: Any) -> None:
    template = template_of(starter)
    assert not template.why_not(template.example)
    assert "{" not in template.filled(template.example)


def test_a_value_with_braces_stays_text_and_the_run_says_what_it_was_made_of(page: Client) -> None:
    run = asked(page, **PLAN)
    assert run.prompt.startswith("Criticise this plan:\n\nMove {goal} on {fixed}.\n\nIt is to")
    assert "achieve {{plan}} & <b>speed</b>. Fixed" in run.prompt
    assert run.messages == [{"role": "user", "content": run.prompt}]
    values = {n.removeprefix("blank-"): v for n, v in PLAN.items() if n.startswith("blank-")}
    record = {"key": "criticise", "name": "Criticise this plan", "version": 1, "values": values}
    assert run.template == record


def test_a_template_is_chosen_without_scripts_and_nothing_else_is_lost(page: Client) -> None:
    html = page.get("/fusion").content.decode()
    assert "Start from…" in html and 'value="template:decide"' in html
    chosen = ask(page, start="template:decide", criteria="weigh law", preset="custom", panel=["x"])
    html = chosen.content.decode()
    assert chosen.status_code == 200
    assert "From the template" in html and 'name="blank-second criterion"' in html
    assert "weigh law" in html and 'value="x"' in html
    assert "prompt-error" not in html  # nothing was asked yet
    html = ask(page, start="example:decide").content.decode()
    assert "3. Use a delivery service." in html and "<option selected>partly" in html
    html = page.get("/fusion?template=research").content.decode()
    assert 'name="blank-question"' in html


def test_a_newcomer_s_page_offers_in_one_line_what_to_start_from(
    client: Client, bob: User, settings: Any
) -> None:
    settings.SAMPLE = True
    sample_give()
    client.force_login(bob)
    html = client.get("/fusion").content.decode()
    assert "Ask your own:" in html and "Or start from" in html and "Start from…" not in html
    assert html.index("Or start from") < html.index("Compare two answers")
    for starter in STARTERS:
        assert f'value="template:{starter.key}"' in html and starter.name in html
    html = ask(client, start="template:research", prompt="").content.decode()
    assert 'name="blank-question"' in html and "Or start from" not in html


def test_what_is_wrong_with_a_blank_is_said_and_the_rest_stays(page: Client) -> None:
    response = ask(page, **PLAN | {"blank-most": "a few"})
    html = response.content.decode()
    assert response.status_code == 422
    assert "“most” is a number" in html and html.count('aria-invalid="true"') == 1
    assert "Move {goal} on {fixed}." in html
    response = ask(page, **PLAN | {"blank-goal": " "})
    assert "Fill in “goal”." in response.content.decode()
    decide = {"template": "decide", "template_version": "1", "blank-hard to take back": "maybe"}
    assert "is one of" in ask(page, **decide, **{
        "blank-options": "a", "blank-about": "b", "blank-criterion": "c",
        "blank-second criterion": "d",
    }).content.decode()  # fmt: skip
    assert Run.objects.count() == 1


def test_a_template_becomes_text_to_be_written_on(page: Client) -> None:
    html = ask(page, **PLAN | {"blank-most": "", "start": "text"}).content.decode()
    assert 'name="template"' not in html
    assert "Name the … things most likely" in html


def test_a_template_that_was_changed_or_is_gone_is_said_and_nothing_is_lost(page: Client) -> None:
    response = ask(page, **PLAN | {"template_version": "0"})
    assert response.status_code == 422
    assert "was changed meanwhile" in response.content.decode()
    response = ask(page, **PLAN | {"template": "9999"})
    html = response.content.decode()
    assert response.status_code == 422
    assert "not there any more" in html and "plan: Move {goal} on {fixed}." in html


def test_what_one_asked_before_is_recalled_by_oneself_alone(page: Client, bob: User) -> None:
    asked(page, prompt="Why is\nthe sea salt?")
    run = asked(page, **PLAN)
    html = page.get("/fusion").content.decode()
    again = re.findall(r'value="(run:[^"]+)"', html)
    assert again[0] == f"run:{run.pk}" and "Why is the sea salt?" in html
    html = ask(page, start=again[0]).content.decode()
    assert 'name="blank-plan"' in html and "Move {goal} on {fixed}." in html
    html = ask(page, start=again[1]).content.decode()
    assert "Why is\nthe sea salt?</textarea>" in html
    other = Client()
    other.force_login(bob)
    html = ask(other, start=again[0], prompt="mine").content.decode()
    assert "There is no such run." in html and "Move {goal}" not in html
