"""`/fusion`: asking."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.template import Template
from django.test import Client, override_settings
from django.test.signals import template_rendered
from django.test.utils import CaptureQueriesContext

from console.engine.wait_for import at_least
from console.models import Credential, Preset, Run
from console.pages.form_rows import SeatOptions, SeatRow
from console.services.places import key_for_places
from console.services.wish import SeatWish
from tests.upstream import Script, Upstream

from .story import Story


@pytest.fixture(autouse=True)
def no_remembered_models() -> None:
    cache.clear()


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quality and Budget can run; no request is made before a run is."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """The only provider: an OpenAI-compatible server named by the environment."""
    with Upstream() as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-only-for-tests")
        yield upstream


def ask(client: Client, **fields: Any) -> Any:
    form = {"prompt": "Why?", "preset": "quality", "client_run_id": str(uuid.uuid4())}
    return client.post("/fusion", form | fields)


def test_a_visitor_is_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/fusion")["Location"].startswith("/sign-in")
    assert client.get("/fusion?models")["Location"].startswith("/sign-in")
    assert ask(client)["Location"].startswith("/sign-in")
    assert not Run.objects.exists()


def test_a_deactivated_person_is_sent_to_sign_in(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get("/fusion")["Location"].startswith("/sign-in")


def test_the_start_leads_here(client: Client, db: None) -> None:
    assert client.get("/")["Location"] == "/fusion"


def test_the_controls_have_the_names_people_and_checks_know(page: Client, with_key: None) -> None:
    html = page.get("/fusion").content.decode()
    assert re.search(r'<label[^>]*for="prompt">Prompt</label>', html)
    assert re.search(r"<legend[^>]*>Preset</legend>", html)
    for name in ("Quality", "Budget", "Custom"):
        assert f">{name}</label>" in html
    assert re.search(r"<button[^>]*>Fuse</button>", html)


def test_a_prompt_becomes_a_run_and_leads_to_it(page: Client, with_key: None, alice: User) -> None:
    response = ask(page, prompt="  Why?\n\nSay it.  ", visibility="team")
    run = Run.objects.get()
    assert response["Location"] == f"/fusion/runs/{run.pk}"
    assert (run.owner, run.preset, run.visibility) == (alice, "quality", "team")
    assert run.prompt == "  Why?\n\nSay it.  "


@pytest.mark.database
def test_a_form_sent_twice_makes_one_run(page: Client, with_key: None) -> None:
    same = str(uuid.uuid4())
    first, second = (ask(page, client_run_id=same) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": " \n "}, "Write a prompt first."),
        ({"preset": ""}, "Choose a preset."),
        ({"preset": "gone"}, "That preset is not there any more."),
        ({"preset": "custom", "judge": "j"}, "Name 1 to 8 models for the panel."),
        ({"preset": "custom", "panel": ["m"] * 9, "judge": "j"}, "A panel has at most 8 seats."),
        ({"preset": "custom", "panel": ["m"]}, "Name the model that judges the answers."),
    ],
)
def test_bad_input_comes_back_with_a_sentence_and_nothing_lost(
    page: Client, with_key: None, fields: dict[str, Any], sentence: str
) -> None:
    typed = {"prompt": "A long thought", "synthesizer": "maker/writer", "visibility": "team"}
    response = ask(page, **(typed | fields))
    html = response.content.decode()
    assert response.status_code == 422
    assert sentence in html
    assert "maker/writer" in html
    assert '<option value="team" selected' in html
    assert ("A long thought" in html) is ("prompt" not in fields)
    assert not Run.objects.exists()


def test_a_prompt_over_the_limit_says_the_limit(
    page: Client, with_key: None, settings: Any
) -> None:
    settings.MAX_PROMPT_CHARACTERS = 10
    response = ask(page, prompt="x" * 11)
    assert "The prompt has 11 characters" in response.content.decode()


def test_a_form_too_large_to_read_says_so(page: Client, with_key: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
    answer = page.post(
        "/fusion", {"prompt": "x" * 2_000_001}, headers={"origin": "http://testserver"}
    )
    assert answer.status_code == 413
    assert "at most 2 MB are read" in answer.content.decode()


def test_what_was_typed_comes_back_escaped(page: Client, with_key: None) -> None:
    hostile = "</textarea><script>alert(1)</script>"
    html = ask(page, prompt=hostile, preset="gone").content.decode()
    assert hostile not in html
    assert "&lt;/textarea&gt;&lt;script&gt;" in html


def shown(html: str) -> list[str]:
    return re.findall(r'<input type="radio"[^>]*name="preset"[^>]*value="([^"]+)"', html)


def test_a_preset_that_cannot_run_is_not_shown_and_says_why_when_it_is_asked_all_the_same(
    page: Client,
) -> None:
    html = page.get("/fusion").content.decode()
    assert shown(html) == ["custom"]
    assert "No preset can run with the keys that are here." in html
    assert "Not shown" not in html and "Add a provider key" not in html
    response = ask(page, preset="quality")
    assert response.status_code == 422
    assert key_for_places() in response.content.decode()
    assert not Run.objects.exists()


def test_with_a_key_only_what_runs_is_shown_and_members_are_told_of_nothing_else(
    page: Client, with_key: None
) -> None:
    html = page.get("/fusion").content.decode()
    assert shown(html) == ["quality", "budget", "custom"]
    assert "presets-hidden" not in html


def test_an_admin_reads_in_one_line_what_is_hidden_and_unfolds_why_and_where_a_key_is_added(
    client: Client, ada: User
) -> None:
    client.force_login(ada)
    html = client.get("/fusion").content.decode()
    (line,) = re.findall(r'presets-hidden">(.*?)</details>', html, re.DOTALL)
    summary, _, folded = line.partition("</summary>")
    assert summary.strip() == "<summary>3 presets cannot run yet and are not shown"
    why = key_for_places().replace("`", "")
    assert f"<li>Quality, Budget: {why}</li>" in folded and "<li>Local: " in folded
    assert "`" not in line
    assert '<a href="/fusion/keys">Add a provider key</a>' in folded


def test_quality_is_chosen_once_there_is_a_key(page: Client, with_key: None) -> None:
    html = page.get("/fusion").content.decode()
    assert re.search(r'value="quality"[^>]*checked', html)


def test_a_preset_switched_off_is_not_offered(page: Client, with_key: None) -> None:
    Preset.objects.filter(slug="budget").update(enabled=False)
    assert 'value="budget"' not in page.get("/fusion").content.decode()
    assert ask(page, preset="budget").status_code == 422


def offered(lists: str) -> list[str]:
    [text] = re.findall(r'id="model-list"[^>]*>(.+?)</div>', lists)
    return [way[0] for offer in json.loads(text) for way in offer["ways"]]


def test_with_another_server_only_custom_is_chosen_and_prefilled(
    page: Client, server: Upstream
) -> None:
    html = page.get("/fusion").content.decode()
    assert re.search(r'value="custom"[^>]*checked', html)
    assert 'hx-trigger="load"' in html
    lists = page.get("/fusion?models").content.decode()
    names = re.findall(r'<data class="prefill" value="([^"]+)"', lists)
    assert names
    assert set(names) <= set(offered(lists))


def test_a_custom_panel_runs_as_it_was_named(page: Client, server: Upstream) -> None:
    lists = page.get("/fusion?models").content.decode()
    name = offered(lists)[0]
    response = ask(page, preset="custom", panel=[name, "", name], judge=name)
    assert response.status_code == 302
    spec = Run.objects.get().frozen_spec
    assert [p.model for p in spec.panel] == [name, name]
    assert spec.judge.model == name


@pytest.mark.parametrize("preset", ["custom", "quality"])
def test_asking_reads_no_preset_but_the_chosen(
    page: Client, server: Upstream, with_key: None, preset: str
) -> None:
    asked: dict[str, Any] = {"prompt": "Why?", "preset": preset}
    asked |= {"panel": ["openai:good", "openai:better"], "judge": "openai:judge"}

    def ask() -> int:
        with CaptureQueriesContext(connection) as made:
            assert page.post("/fusion", asked).status_code == 302
        seats = [q["sql"] for q in made.captured_queries if "presetpanelist" in q["sql"]]
        assert len(seats) == (0 if preset == "custom" else 1)
        return len(made)

    ask()  # lists are read
    before = ask()
    for number in range(5):
        other = Preset.objects.get(slug="quality")
        other.pk, other.slug, other.name = None, f"other-{number}", f"Other {number}"
        other.save()
    assert ask() == before


def test_the_page_does_not_wait_for_any_provider(page: Client, server: Upstream) -> None:
    page.get("/fusion")
    assert not server.requests


def test_a_server_that_does_not_answer_is_a_sentence(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    response = page.get("/fusion?models")
    assert response.status_code == 200
    assert 'class="models-error"' in response.content.decode()


def test_recent_runs_are_own_and_the_team_s(page: Client, alice: User, bob: User) -> None:
    Story().whole().save(alice, prompt="alice alone")
    Story().whole().save(bob, prompt="bob for the team", visibility="team")
    Story().whole().save(bob, prompt="bob alone")
    html = page.get("/fusion").content.decode()
    assert "alice alone" in html
    assert "bob for the team" in html
    assert "bob alone" not in html


def test_a_form_without_its_token_is_refused_in_our_look(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    response = ask(strict)
    assert response.status_code == 403
    assert "This form had grown old" in response.content.decode()


def test_a_policy_is_chosen_for_one_run_and_bad_numbers_lose_nothing(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    asked = {"prompt": "Why?", "preset": "local", "stop_after_panel": "on", "visibility": "private"}
    with override_settings(LOCAL_MODEL_URL="http://127.0.0.1:9/v1"):
        refused = client.post("/fusion", asked | {"policy-quorum": "many", "policy-grace": "3"})
        page = refused.content.decode()
        assert refused.status_code == 422 and "Quorum: write a whole number." in page
        assert 'value="3"' in page and "Why?" in page
        assert not Run.objects.exists()
        chosen = {"policy-quorum": "2", "policy-grace": "0,5", "policy-repeat_unconfirmed": "yes"}
        assert client.post("/fusion", asked | chosen).status_code == 302
    spec = Run.objects.get().frozen_spec
    assert (spec.policy.wait_for, spec.policy.grace) == (at_least(2), 0.5)
    assert spec.policy.repeat_unconfirmed and spec.stop_after == "panel"


# ---- options of a seat


def test_a_seats_options_are_its_own_also_behind_a_seat_left_empty(
    page: Client, server: Upstream
) -> None:
    options = {
        "seat-2-temperature": "0.2",
        "seat-2-max_output_tokens": "300",
        "seat-2-reasoning_effort": "low",
        "seat-2-system_prompt": "Doubt\r\neverything.",
        "seat-2-fallback_model": "openai:spare",
    }
    panel = ["openai:a", "", "openai:b"]
    response = ask(page, preset="custom", panel=panel, judge="openai:j", **options)
    assert response.status_code == 302, response.content.decode()
    plain, asked = Run.objects.get().frozen_spec.panel
    assert plain.to_dict() == {"model": "a", "credential": "openai"}
    assert (asked.model, asked.temperature, asked.max_output_tokens) == ("b", 0.2, 300)
    assert (asked.reasoning_effort, asked.system_prompt) == ("low", "Doubt\neverything.")
    assert asked.fallback and asked.fallback.model == "spare"


def test_options_that_were_left_empty_are_what_their_form_makes_of_them() -> None:
    sent = {f"seat-1-{name}": "" for name in SeatOptions.Meta.fields}
    row = SeatRow(1, "openai:a", sent=sent)
    assert row.is_as_usual and row.options.is_valid() and not row.options.has_changed()
    options = dict(row.options.cleaned_data)
    fallback = options.pop("fallback_model")
    assert row.named == SeatWish("openai:a", fallback=fallback, **options)
    for name in SeatOptions.Meta.fields:
        assert not SeatRow(1, "openai:a", sent=sent | {f"seat-1-{name}": "0"}).is_as_usual


def test_a_form_asks_the_database_a_few_things(page: Client, server: Upstream) -> None:
    panel = [f"openai:m{n}" for n in range(6)]
    for _ in range(2):  # once the list is read and what calls used is known
        with CaptureQueriesContext(connection) as asked:
            assert ask(page, preset="custom", panel=panel, judge="openai:j").status_code == 302
    # Who asks (2), credentials, their lists and what these say of the models, what admins chose;
    # the run and its entry.
    said = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(said) == 8, said


def test_of_more_fields_than_seats_none_that_is_filled_in_is_lost(
    page: Client, server: Upstream
) -> None:
    panel = ["", " ", *(f"openai:m{n}" for n in range(8))]
    assert ask(page, preset="custom", panel=panel, judge="openai:j").status_code == 302
    assert len(Run.objects.get().frozen_spec.panel) == 8


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("temperature", "2.5", "less than or equal to 2"),
        ("temperature", "warm", "Enter a number."),
        ("temperature", "nan", "Enter a number."),
        ("max_output_tokens", "0", "greater than or equal to 1"),
        ("max_output_tokens", "99999999999", "less than or equal to 10000000"),
        ("reasoning_effort", "utmost", "Select a valid choice."),
        ("system_prompt", "x" * 20_001, "at most 20000 characters"),
        ("fallback_model", "openrouter:x", "OpenRouter needs an API key."),
    ],
)
def test_a_wrong_option_is_unfolded_and_what_was_typed_stays(
    page: Client, server: Upstream, name: str, value: str, sentence: str
) -> None:
    typed = {"seat-0-system_prompt": "Be <kind>.", f"seat-1-{name}": value}
    panel = ["openai:a", "openai:b"]
    response = ask(page, preset="custom", panel=panel, judge="openai:j", **typed)
    html = response.content.decode()
    assert response.status_code == 422 and not Run.objects.exists()
    assert "Look at the options of seat B." in html
    first, second, third = re.findall(
        r'<details class="seat-options" ?(.*?)>(.*?)</details>', html, flags=re.DOTALL
    )[:3]
    assert "open" in first[0] and "Be &lt;kind&gt;." in first[1] and "error" not in first[1]
    assert "open" in second[0] and sentence in second[1] and 'aria-invalid="true"' in second[1]
    assert name == "reasoning_effort" or value in second[1]
    assert "open" not in third[0]


@pytest.mark.parametrize(
    "field", ["panel", "judge", "synthesizer", "judge_fallback", "synthesizer_fallback"]
)
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("openrouter:x", "OpenRouter needs an API key."), ("x" * 201, "200 characters")],
)
def test_a_name_that_cannot_be_meant_is_refused_where_it_stands(
    page: Client, server: Upstream, field: str, name: str, sentence: str
) -> None:
    named = {"panel": "openai:a", "judge": "openai:j", field: name}
    response = ask(page, preset="custom", **named)
    html = response.content.decode()
    assert response.status_code == 422 and not Run.objects.exists()
    (said,) = re.findall(r'<p id="([^"]+)" class="error" role="alert">(.*?)</p>', html)
    place = "panel-0" if field == "panel" else field
    assert said[0] == f"{place}-error" and sentence in said[1]
    (wrong,) = re.findall(r'<input[^>]*aria-invalid="true"[^>]*>', html)
    assert f'name="{field}"' in wrong and f'aria-describedby="{place}-error"' in wrong
    assert name in html
    assert ("open>" in html.partition('class="custom-judging"')[2]) is ("fallback" in field)


LISTED = ["maker/claude-opus-4", "maker/claude-sonnet-4", "maker/gpt-5", "other/qwen3"]


@pytest.fixture
def two_servers(server: Upstream) -> Iterator[None]:
    """Of one server alone any name is asked: it may know more than it lists."""
    rows = json.dumps({"data": [{"id": name} for name in LISTED]})
    server.script("/v1/models", Script(body=rows))
    with Upstream() as second:
        Credential.objects.create(
            slug="second", name="Second", kind="openai_compatible", base_url=second.url
        )
        yield


@pytest.mark.parametrize(
    ("panel", "wrong"),
    [
        (["maker/gpt-5", "claude-opuss-4", "other/qwen3"], {1: ["maker/claude-opus-4"]}),
        (["claude-sonet-4"], {0: ["maker/claude-sonnet-4"]}),
        (["maker/gpt-5", "", "qwen-3"], {2: ["other/qwen3"]}),
        (["maker/gpt-5", "nothing-like-it"], {1: []}),
        (["gpt5", "maker/gpt-5", "qwen33"], {0: ["maker/gpt-5"], 2: ["other/qwen3"]}),
        (["openrouter:x", "maker/gpt-5"], {0: []}),
    ],
)
def test_only_a_seat_that_cannot_be_asked_is_marked_and_what_was_meant_is_offered(
    page: Client, two_servers: None, panel: list[str], wrong: dict[int, list[str]]
) -> None:
    response = ask(page, preset="custom", panel=panel, judge="maker/gpt-5")
    html = response.content.decode()
    assert response.status_code == 422 and not Run.objects.exists()
    seats = re.split(r'<div class="custom-seat"', html.partition("custom-judging")[0])[1:]
    for number, seat in enumerate(seats):
        assert ('aria-invalid="true"' in seat) is (number in wrong)
        assert (f'id="panel-{number}-error"' in seat) is (number in wrong)
        offered = [unescape(name) for name in re.findall(r'data-name="([^"]+)"', seat)]
        assert offered[:1] == wrong.get(number, [])[:1]
    assert all(name in html for name in panel)


@pytest.mark.parametrize(
    "field", ["judge", "synthesizer", "judge_fallback", "synthesizer_fallback"]
)
def test_what_was_meant_by_a_judge_is_offered_where_it_stands(
    page: Client, two_servers: None, field: str
) -> None:
    named = {"panel": "maker/gpt-5", "judge": "maker/gpt-5", field: "claude-opuss-4"}
    html = ask(page, preset="custom", **named).content.decode()
    (place,) = re.findall(rf'<p id="{field}-error".*?</div>', html, re.DOTALL)
    assert 'data-name="maker/claude-opus-4"' in place


def test_options_without_a_model_are_not_passed_over(page: Client, server: Upstream) -> None:
    typed = {"seat-1-temperature": "1.25"}
    response = ask(page, preset="custom", panel=["openai:a", ""], judge="openai:j", **typed)
    html = response.content.decode()
    assert response.status_code == 422 and "Seat B has options, but no model." in html
    assert 'value="1.25"' in html
    # Of a preset's panel they say nothing, as the models named for a panel of one's own.
    Preset.objects.filter(slug="local").update(enabled=True)
    with override_settings(LOCAL_MODEL_URL="http://127.0.0.1:9/v1"):
        assert ask(page, preset="local", **typed).status_code == 302


def test_without_javascript_every_seat_has_its_options_folded(
    page: Client, server: Upstream
) -> None:
    html = page.get("/fusion").content.decode()
    assert html.count('<details class="seat-options" >') == 9  # and judge's and synthesizer's
    efforts = re.findall(r'<select id="id_seat-7-reasoning_effort".*?</select>', html, re.DOTALL)
    offered = re.findall(r'value="(\w*)"', efforts[0])
    assert offered == ["", "none", "minimal", "low", "medium", "high"]


def test_what_nobody_filled_in_is_made_once_and_never_of_what_somebody_did(
    page: Client, server: Upstream, with_key: None
) -> None:
    def seats(html: str) -> list[str]:
        return re.findall(r'<div class="custom-seat".*?</details>', html, re.DOTALL)

    made: list[str] = []

    def note(template: Template, **said: Any) -> None:
        made.append(template.name)

    blank = seats(page.get("/fusion").content.decode())
    filled = page.get("/fusion?panel=mine,,theirs").content.decode()
    assert ["mine" in seat for seat in seats(filled)] == [True, *[False] * 7]
    assert seats(filled)[2:] == blank[2:]
    typed = {"prompt": "", "preset": "custom", "seat-7-label": "Mine", "answer-text": ["Ours."]}
    sent = page.post("/fusion", typed).content.decode()
    assert 'value="Mine"' in seats(sent)[7] and "Ours." in sent
    template_rendered.connect(note)
    try:
        again = page.get("/fusion").content.decode()
    finally:
        template_rendered.disconnect(note)
    assert seats(again) == blank and "Ours." not in again
    assert not {name for name in made if "_seat" in name or "_answer" in name}
    own = seats(page.get("/fusion/presets/new").content.decode())
    assert 'data-option="seed" hidden' in blank[0] and 'data-option="seed" >' in own[0]
