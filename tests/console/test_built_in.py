"""Presets of the built-in model name the one that `up` serves, and go back with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from console.catalog.built_in import LARGER_OUTPUT_TOKENS, follow
from console.catalog.seed_data import LOCAL_ANALYSIS_TOKENS
from console.models import Credential, Preset
from console.services.presets import preset_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def serve(settings: Any) -> Any:
    """Starts the site with another model, or (no name) with the packaged one."""
    packaged = settings.LOCAL_MODEL_NAME

    def serve(name: str = "", context: int = 0) -> None:
        settings.LOCAL_MODEL_NAME, settings.LOCAL_MODEL_CONTEXT = name or packaged, context
        settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
        follow(apps, "default")

    return serve


def rows() -> list[Any]:
    local = Preset.objects.filter(slug="local")
    return [*local.values(), *local.get().panelists.values()]


def test_local_asks_a_larger_model_by_its_name_and_with_room(serve: Any) -> None:
    serve("house-3b-instruct", 8192)
    local = Preset.objects.get(slug="local")
    assert "tiny" not in local.description
    spec = preset_spec(local)
    people = [*spec.panel, spec.judge, spec.writer]
    assert {p.model for p in people} == {"house-3b-instruct"}
    assert {p.context_length for p in people} == {8192}
    assert {p.max_output_tokens for p in spec.panel} == {LARGER_OUTPUT_TOKENS}
    assert spec.judge.temperature is None
    assert spec.policy.analysis_max_output_tokens != LOCAL_ANALYSIS_TOKENS


def test_the_packaged_model_finds_its_preset_as_it_was(serve: Any) -> None:
    serve()
    before = rows()
    spec = preset_spec(Preset.objects.get(slug="local"))
    assert spec.judge.temperature == 0 and spec.judge.context_length == 4096
    serve("house-3b-instruct", 8192)
    serve("another-1b", 2048)
    assert rows() != before
    serve()
    assert rows() == before


def test_what_an_admin_chose_stays_but_for_the_name(serve: Any) -> None:
    local = Preset.objects.get(slug="local")
    local.panelists.filter(seat=0).update(max_output_tokens=77, system_prompt="Rhyme.")
    Preset.objects.filter(pk=local.pk).update(analysis_max_output_tokens=999, description="Ours")
    serve("house-3b-instruct", 8192)
    local.refresh_from_db()
    seat = local.panelists.get(seat=0)
    assert (seat.model, seat.max_output_tokens, seat.system_prompt) == (
        "house-3b-instruct",
        77,
        "Rhyme.",
    )
    assert (local.analysis_max_output_tokens, local.description) == (999, "Ours")


def test_presets_of_other_servers_are_none_of_its_business(serve: Any) -> None:
    other = Credential.objects.get(slug="openai")
    local = Preset.objects.get(slug="local")
    local.panelists.filter(seat=1).update(credential=other, model="gpt")
    Preset.objects.filter(pk=local.pk).update(judge_credential=other, judge_model="gpt")
    serve("house-3b-instruct", 8192)
    local.refresh_from_db()
    assert local.judge_model == "gpt" and local.analysis_max_output_tokens == LOCAL_ANALYSIS_TOKENS
    assert [p.model for p in local.panelists.all()] == [
        "house-3b-instruct",
        "gpt",
        "house-3b-instruct",
    ]
