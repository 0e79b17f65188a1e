"""`/fusion/prompts`: templates that members keep, change, offer to the team and delete."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from console.models import PromptTemplate, Run
from console.services.errors import Refused
from console.services.prompts import prompt_save

from .story import Story

TEXT = "Our store leaks {leak: number = 11} % a year. Keep it until {until: date}?"


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    Story().whole().save(person)  # past the first page
    return client


@pytest.fixture
def page(alice: User) -> Client:
    return signed_in(alice)


def saved(client: Client, **fields: str) -> PromptTemplate:
    form = {"name": "Plant", "description": "One plant", "text": TEXT}
    response = client.post("/fusion/prompts/new", form | fields)
    assert response.status_code == 302, response.content.decode()
    return PromptTemplate.objects.latest("pk")


def ask(client: Client, prompt: PromptTemplate, **fields: str) -> Any:
    form = {"preset": "quality", "client_run_id": str(uuid.uuid4()), "template": str(prompt.pk)}
    blanks = {"blank-leak": "9.5", "blank-until": "2030-01-01"}
    form |= {"template_version": str(prompt.version)} | blanks
    return client.post("/fusion", form | fields)


def test_a_member_keeps_a_template_and_asks_with_it(page: Client) -> None:
    prompt = saved(page)
    html = page.get("/fusion").content.decode()
    assert f'value="template:{prompt.pk}"' in html and "Plant" in html
    assert ask(page, prompt).status_code == 302
    run = Run.objects.latest("created_at")
    assert run.prompt == "Our store leaks 9.5 % a year. Keep it until 2030-01-01?"
    assert run.template == {
        "key": str(prompt.pk),
        "name": "Plant",
        "version": 1,
        "values": {"leak": "9.5", "until": "2030-01-01"},
    }
    assert "from “Plant”" in page.get(f"/fusion/runs/{run.pk}").content.decode()


def test_a_text_that_was_changed_is_another_version_and_runs_keep_theirs(page: Client) -> None:
    prompt = saved(page)
    ask(page, prompt)
    edit = f"/fusion/prompts/{prompt.pk}/edit"
    assert "{leak: number = 11}" in page.get(edit).content.decode()
    page.post(edit, {"name": "Plants", "text": TEXT})
    page.post(edit, {"name": "Plants", "text": TEXT + " In {place}."})
    assert [v.number for v in prompt.versions.all()] == [2, 1]
    assert prompt.versions.get(number=1).text == TEXT
    # Whoever was filling in the first one is shown the second, with what still fits.
    response = ask(page, prompt)
    html = response.content.decode()
    assert response.status_code == 422 and "“Plants” was changed meanwhile" in html
    assert 'value="9.5"' in html and 'name="blank-place"' in html
    page.post(f"/fusion/prompts/{prompt.pk}/delete")
    run = Run.objects.latest("created_at")
    assert (run.template or {})["version"] == 1 and "9.5 %" in run.prompt


def test_what_is_wrong_with_a_template_is_said_and_nothing_is_lost(page: Client) -> None:
    for fields, sentence in (
        ({"name": "", "text": "Why {this}?"}, "Give it a name."),
        ({"name": "x", "text": " "}, "Write what is to be asked."),
        ({"name": "x", "text": "Why {this: choice of one}?"}, "two things to choose from"),
    ):
        response = page.post("/fusion/prompts/new", fields)
        html = response.content.decode()
        assert response.status_code == 422
        assert sentence in html and fields["text"] in html
    assert not PromptTemplate.objects.exists()


def test_nobody_else_sees_it_until_it_is_offered(page: Client, bob: User, ada: User) -> None:
    prompt = saved(page)
    others = [signed_in(bob), signed_in(ada)]
    for other in others:
        assert "Plant" not in other.get("/fusion").content.decode()
        assert "Plant" not in other.get("/fusion/prompts").content.decode()
        assert other.get(f"/fusion/prompts/new?of={prompt.pk}").status_code == 404
        assert ask(other, prompt).status_code == 422
    page.post(f"/fusion/prompts/{prompt.pk}/offer", {"offered": "yes"})
    for other in others:
        assert "Plant" in other.get("/fusion/prompts").content.decode()
        assert ask(other, prompt).status_code == 302
    theirs = others[0].get(f"/fusion/prompts/new?of={prompt.pk}").content.decode()
    assert "{leak: number = 11}" in theirs
    for act in ("edit", "delete", "offer"):
        assert others[0].post(f"/fusion/prompts/{prompt.pk}/{act}").status_code == 404
    changed = {"name": "Plant", "text": "Keep it?"}
    assert others[1].post(f"/fusion/prompts/{prompt.pk}/edit", changed).status_code == 302
    prompt.refresh_from_db()
    assert (prompt.text, prompt.owner.get_username()) == ("Keep it?", "alice")
    assert prompt.versions.get(number=2).changed_by == ada
    others[1].post(f"/fusion/prompts/{prompt.pk}/offer", {"offered": "no"})
    assert "Plant" not in others[0].get("/fusion/prompts").content.decode()


def test_a_person_has_so_many_and_a_deleted_one_is_not_saved_again(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.services.prompts.MOST", 1)
    prompt = prompt_save(by=alice, name="One", text="Why?")
    with pytest.raises(Refused, match="delete one first"):
        prompt_save(by=alice, name="Two", text="Why?")
    PromptTemplate.objects.all().delete()
    with pytest.raises(Refused, match="deleted meanwhile"):
        prompt_save(by=alice, name="One", text="Why not?", template=prompt)
