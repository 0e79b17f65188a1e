"""`/fusion` for who has asked nothing: the sample, a prompt, and a key that tells whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from console.models import Credential, Run
from console.models.runs import Origin
from console.providers import kinds
from console.site.sample import sample_give, sample_remove
from tests.console.story import Story
from tests.upstream import Script, Upstream

KEY = "sk-or-v1-canary-0123456789-4f2a"


@pytest.fixture(autouse=True)
def sample(db: None, settings: Settings) -> None:
    settings.SAMPLE = True
    sample_give()


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with Upstream(api_key=KEY) as up:
        monkeypatch.setenv("OPENROUTER_BASE_URL", up.url)
        yield up


def page(client: Client) -> str:
    return str(client.get("/fusion").content.decode())


def paste(client: Client, key: str, **more: str) -> str:
    data = {"api_key": key, "prompt": "Which one?"} | more
    return str(client.post("/fusion/first/key", data, follow=True).content.decode())


def test_it_opens_on_the_sample_with_the_prompt_above_it(admin: Client) -> None:
    html = page(admin)
    assert "This is a finished run (sample: no model was asked)" in html
    assert html.index('id="prompt"') < html.index('id="run"')
    assert "Sample: no model was asked" in html and "1.8 TB" in html
    assert html.count("<main") == 1 and "autofocus" in html
    assert "Paste a key" in html


def test_a_member_is_told_whom_to_ask(client: Client, alice: User, ada: User) -> None:
    client.force_login(alice)
    html = page(client)
    assert "Paste a key" not in html and "Ask ada to add a provider key" in html
    assert "Only admins can add a provider key" in paste(client, KEY)
    assert not Credential.objects.get(slug="openrouter").is_ready


def test_who_has_asked_something_and_who_has_no_sample_find_the_usual_page(
    admin: Client, ada: User
) -> None:
    run = Story().whole().save(ada)
    assert 'class="first-lede"' not in page(admin)
    run.delete()
    assert 'class="first-lede"' in page(admin)
    sample_remove()
    html = page(admin)
    assert 'class="first-lede"' not in html and 'class="presets"' in html


def test_a_key_is_tried_kept_and_the_prompt_stays(admin: Client, upstream: Upstream) -> None:
    html = paste(admin, f" {KEY}\n")
    assert "OpenRouter: The key works" in html
    assert "Which one?" in html and KEY not in html
    assert "Paste a key" not in html and 'value="quality"' in html
    assert re.search(r'id="preset-quality"[^>]*checked', html)
    credential = Credential.objects.get(slug="openrouter")
    assert credential.is_ready and credential.key.reveal() == KEY
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "OpenRouter: The key works" not in page(admin)  # said once


@pytest.mark.parametrize(
    ("address", "key", "member"),
    [
        ("/fusion/first/key", KEY, False),
        ("/fusion", KEY, False),  # whichever button was pressed
        ("/fusion/first/key", "sk-or-v1-wrong-wrong-wrong-9z9z", False),
        ("/fusion/first/key", "no key at all", True),
    ],
)
def test_answers_that_were_being_filled_in_stay_too(
    client: Client, ada: User, alice: User, upstream: Upstream, address: str, key: str, member: bool
) -> None:
    client.force_login(alice if member else ada)
    form = {
        "api_key": key,
        "prompt": "Which one?",
        "answer-name": ["ChatGPT", "", "", ""],
        "answer-model": ["gpt-6", "", "", ""],
        "answer-text": ["It is **wet**.\n\n<b>Very.</b>", "", "", ""],
        "answer-file-2": SimpleUploadedFile("mine.md", "Das Wasser ist naß.".encode()),
        "answer-file-3": SimpleUploadedFile("mine.pdf", b"%PDF-1.7"),
    }
    html = client.post(address, form, follow=True).content.decode()
    rows = re.findall(r'<fieldset class="answer-row".*?</fieldset>', html, re.S)
    assert 'value="ChatGPT"' in rows[0] and 'value="gpt-6"' in rows[0]
    assert "It is **wet**.\n\n&lt;b&gt;Very.&lt;/b&gt;" in rows[0]
    assert "</textarea>" in rows[1] and 'value="mine"' in rows[2]
    assert "Das Wasser ist naß." in rows[2]
    assert "is no PDF that can be read: it is broken" in rows[3]
    assert re.search(r'<details id="elsewhere"[^>]* open', html) and "Which one?" in html
    assert "ChatGPT" not in page(client)  # once


def test_a_key_in_the_box_is_used_whichever_button_is_pressed(
    admin: Client, upstream: Upstream
) -> None:
    data = {"api_key": KEY, "prompt": "Which one?", "visibility": "private"}
    html = admin.post("/fusion", data, follow=True).content.decode()
    assert "The key works" in html and "Which one?" in html
    assert not Run.objects.exclude(origin=Origin.SAMPLE).exists()


def test_a_key_that_fails_is_kept_for_another_try_and_never_shown(
    admin: Client, upstream: Upstream
) -> None:
    wrong = "sk-or-v1-wrong-wrong-wrong-9z9z"
    html = paste(admin, wrong)
    assert "OpenRouter: " in html and "refused the key" in html and "ends in 9z9z" in html
    assert wrong not in html and "Which one?" in html
    assert not Credential.objects.get(slug="openrouter").is_ready
    stored = [session.get_decoded() for session in Session.objects.all()]
    assert wrong not in str(stored)
    upstream.api_key = wrong
    assert "The key works" in paste(admin, "", giver="openrouter")


def test_where_the_beginning_says_nothing_it_asks_whose_it_is(
    admin: Client, upstream: Upstream
) -> None:
    html = paste(admin, "0123456789abcdef0123456789abcdef")
    assert "Whose key this is cannot be told from its beginning" in html
    assert not upstream.requests


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "Paste the key."),
        ("sk-or-v1 with a space", "The key contains a space."),
        ("sk-or-v1-ключ", "a character that no API key has"),
        ("sk-or-\x00", "control character"),
    ],
)
def test_what_is_no_key_is_told_in_a_sentence(admin: Client, key: str, sentence: str) -> None:
    assert sentence in paste(admin, key)


def test_openais_key_fills_the_row_that_every_site_has(
    admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = replace(kinds.server_named("openai") or kinds.BUILT_IN, address=upstream.url)
    monkeypatch.setattr(kinds, "servers", lambda: iter([(kinds.OPENAI_COMPATIBLE, at_home)]))
    upstream.api_key = "sk-proj-0123456789abcdef"
    assert "OpenAI: " in paste(admin, "sk-proj-0123456789abcdef")
    assert Credential.objects.get(slug="openai").is_ready


def test_a_refused_key_that_others_give_out_alike_says_so(
    admin: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = replace(kinds.server_named("openai") or kinds.BUILT_IN, address=upstream.url)
    monkeypatch.setattr(kinds, "servers", lambda: iter([(kinds.OPENAI_COMPATIBLE, at_home)]))
    html = paste(admin, "sk-0123456789abcdef0123456789abcdef")
    assert "Keys of DeepSeek and Moonshot begin like this one" in html


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("sk-or-v1-abc", "OpenRouter"),
        ("sk-ant-api03-abc", "Anthropic"),
        ("sk-proj-abc", "OpenAI"),
        ("sk-abc", "OpenAI"),
        ("sk-svcacct-abc", "OpenAI"),
        ("AIzaSyAbc", "Google AI Studio"),
        ("gsk_abc", "Groq"),
        ("xai-abc", "xAI"),
        ("csk-abc", "Cerebras"),
        ("fw_abc", "Fireworks"),
        ("tgp_v1_abc", "Together"),
        ("SK-OR-abc", ""),
        ("or-sk-abc", ""),
        ("Bearer", ""),
        ("aiza", ""),
        ("", ""),
    ],
)
def test_whose_a_key_is_stands_in_its_beginning(key: str, name: str) -> None:
    givers = kinds.givers_of(key)
    assert (givers[0].name if givers else "") == name


def test_every_giver_has_somewhere_to_be_asked() -> None:
    servers = {server.slug for _, server in kinds.servers()}
    for giver in kinds.KEY_GIVERS:
        assert giver.slug in servers or giver.address.startswith("https://"), giver


def test_fuse_before_anybody_was_chosen_says_so_and_keeps_the_prompt(admin: Client) -> None:
    response = admin.post("/fusion", {"prompt": "Which one?", "visibility": "private"})
    html = response.content.decode()
    assert response.status_code == 422
    assert re.search(r'role="alert">First choose who answers.', html) and "Which one?" in html
    assert 'id="run"' in html
    assert focused(html) == ["first-key"]  # there the way goes on


def test_without_a_prompt_the_prompt_comes_first(admin: Client) -> None:
    html = admin.post("/fusion", {"prompt": " ", "visibility": "private"}).content.decode()
    assert "Write a prompt first." in html and focused(html) == ["prompt"]
    assert focused(page(admin)) == ["prompt"]


def focused(html: str) -> list[str]:
    tags = re.findall(r"<(?:input|textarea|button)[^>]*\bautofocus\b[^>]*>", html)
    return [name for tag in tags for name in re.findall(r'\bid="([^"]*)"', tag)]


def test_the_tiny_model_is_offered_only_where_it_runs(
    admin: Client, settings: Settings, upstream: Upstream
) -> None:
    assert "tiny built-in model" not in page(admin)
    settings.LOCAL_MODEL_URL = upstream.url
    assert "Fuse with the tiny model" in page(admin)
    data: dict[str, Any] = {"prompt": "Which one?", "visibility": "private", "preset": "local"}
    assert admin.post("/fusion", data).status_code == 302
    assert Run.objects.get(preset="local").prompt == "Which one?"


def test_a_member_too_may_take_the_tiny_model(
    client: Client, alice: User, settings: Settings, upstream: Upstream
) -> None:
    settings.LOCAL_MODEL_URL = upstream.url
    client.force_login(alice)
    html = page(client)
    assert "Only a tiny model can be asked here yet." in html and "Fuse with the tiny model" in html


def test_a_key_from_the_environment_needs_no_pasting(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    html = page(admin)
    assert "Paste a key" not in html and 'class="first-lede"' in html
    assert 'id="preset-quality"' in html


def test_a_server_that_hangs_is_told_of(admin: Client, upstream: Upstream) -> None:
    upstream.script("/v1/key", Script(status=503, body="busy"))
    html = paste(admin, KEY)
    assert "OpenRouter: " in html and "kept for another try" in html


def test_who_will_answer_is_said_before_anything_is_asked(
    admin: Client, upstream: Upstream
) -> None:
    html = paste(admin, KEY)
    assert re.search(r"Change who answers<span[^>]*>: Quality asks [^<]+ judges</span>", html)
    assert "$7.50 left of $10.00" in html


def test_the_samples_follow_up_is_reached_from_there(admin: Client) -> None:
    after = Run.objects.get(origin=Origin.SAMPLE, follows__isnull=False)
    first = page(admin)
    assert f'href="/fusion/runs/{after.pk}"' in first and "Remove the sample" in first
    html = admin.get(f"/fusion/runs/{after.pk}").content.decode()
    assert "Sample: no model was asked" in html and "Remove the sample" in html
