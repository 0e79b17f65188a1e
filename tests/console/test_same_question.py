"""The very same question within the time that its preset sets: the answer that is there is
offered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.access import visible
from console.engine.provider import Message
from console.models import OwnPreset, Preset, Project, Run
from console.services.asked_before import answered_already
from console.services.build_spec import build
from console.services.offering import kept_offer
from console.services.own_presets import own_wish, preset_from_offer
from console.services.presets import preset_spec
from console.services.projects import project_save

from .story import Story

pytestmark = pytest.mark.database

ASKED = "What is water like?"


@pytest.fixture
def preset(db: None, monkeypatch: pytest.MonkeyPatch) -> Preset:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
    Preset.objects.filter(slug="quality").update(reuse_minutes=60)
    return Preset.objects.get(slug="quality")


@pytest.fixture
def run(preset: Preset, alice: User) -> Run:
    return Story(preset_spec(preset)).whole().save(alice, prompt=ASKED)


def found(person: User, preset: Preset, prompt: str = ASKED) -> Run | None:
    spec = preset_spec(preset)
    return answered_already(visible(person), spec, [{"role": "user", "content": prompt}])


def test_it_is_found_by_who_may_read_it_and_however_it_is_spaced(
    run: Run, preset: Preset, alice: User, bob: User
) -> None:
    assert found(alice, preset) == found(alice, preset, "  What is\nwater  like? ") == run
    assert found(alice, preset, "What is fire like?") is None
    assert found(bob, preset) is None
    Run.objects.filter(pk=run.pk).update(visibility="team")
    assert found(bob, preset) == run


@pytest.mark.parametrize(
    "changed",
    [{"reuse_minutes": None}, {"criteria": "Brevity."}, {"max_calls": 9}],
    ids=["off", "judged otherwise", "another limit"],
)
def test_what_the_preset_asks_otherwise_is_another_question(
    run: Run, preset: Preset, alice: User, changed: dict[str, Any]
) -> None:
    Preset.objects.filter(pk=preset.pk).update(**changed)
    preset.refresh_from_db()
    assert found(alice, preset) is None


def test_what_a_project_says_is_part_of_the_question(run: Run, preset: Preset, alice: User) -> None:
    project = project_save(by=alice, name="Billing", context="Water is dry here.")
    messages: list[Message] = [{"role": "user", "content": ASKED}]

    def answered(place: Project | None) -> Run | None:
        return answered_already(visible(alice), preset_spec(preset), messages, place)

    assert answered(project) is None
    Run.objects.filter(pk=run.pk).update(project=project)
    assert answered(project) is None and answered(None) is None
    Run.objects.filter(pk=run.pk).update(context=project.context)
    assert answered(project) == run and answered(None) is None


def test_what_was_fused_again_or_brings_answers_along_is_not_the_same(
    run: Run, preset: Preset, alice: User
) -> None:
    spec, messages = preset_spec(preset), [Message(role="user", content=ASKED)]
    brought = replace(spec, panel=(replace(spec.panel[0], brought_by="alice"), *spec.panel[1:]))
    Run.objects.filter(pk=run.pk).update(spec=brought.to_dict())
    assert answered_already(visible(alice), brought, messages) is None
    Run.objects.filter(pk=run.pk).update(spec=spec.to_dict())
    assert found(alice, preset) == run
    again = run.fusions.get()
    again.pk, again.number = None, 2
    again.save(force_insert=True)
    assert found(alice, preset) is None


def test_later_it_is_asked_again(run: Run, preset: Preset, alice: User) -> None:
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert found(alice, preset) is None


def test_the_page_offers_it_before_it_is_asked(client: Client, run: Run, alice: User) -> None:
    client.force_login(alice)
    form = {"prompt": ASKED, "preset": "quality", "visibility": "private", "client_run_id": ""}
    html = client.post("/fusion?like", form).content.decode()
    assert "Answered " in html and f'<a href="/fusion/runs/{run.pk}">open that answer</a>' in html


def test_a_preset_of_one_s_own_says_so_too(
    client: Client, preset: Preset, alice: User, bob: User
) -> None:
    client.force_login(alice)
    panel = [f"openrouter:maker/{name}" for name in ("one", "two", "three")]
    form = {"name": "Plants", "panel": panel, "judge": "openrouter:maker/judge"}
    refused = client.post("/fusion/presets/new", form | {"reuse_minutes": "soon"})
    assert b"That is a number of minutes." in refused.content
    client.post("/fusion/presets/new", form | {"reuse_minutes": "15"})
    own = OwnPreset.objects.get()
    page = client.get(f"/fusion/presets/{own.slug}/edit").content.decode()
    assert re.search(r'name="reuse_minutes"[^>]*value="15"', page)
    run = Story(build(own_wish(own))).whole().save(alice, prompt=ASKED)
    asked = {"prompt": ASKED, "preset": own.slug, "visibility": "private"}
    offer = f'<a href="/fusion/runs/{run.pk}">open that answer</a>'
    assert offer in client.post("/fusion?like", asked).content.decode()
    kept_offer(kept=own, is_offered=True)
    assert preset_from_offer(preset=own, by=bob).reuse_minutes == 15
    client.post(f"/fusion/presets/{own.slug}/edit", form)
    assert offer not in client.post("/fusion?like", asked).content.decode()
