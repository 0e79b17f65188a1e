"""Columns whose words grow with the versions: a new word is no migration."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client

from console.models import Run

from .story import Story

OPEN = {"status", "step", "cause", "retry_cause", "origin", "kind", "environment", "follows_from"}


def test_columns_that_name_steps_causes_origins_kinds_and_states_are_open() -> None:
    fields = [
        field
        for model in apps.get_app_config("console").get_models()
        for field in model._meta.concrete_fields
        if field.name in OPEN
    ]
    assert {field.name for field in fields} == OPEN
    for field in fields:
        assert not field.choices and (field.max_length or 0) >= 40, field


def test_an_admin_filters_by_words_and_reads_one_of_a_later_version(
    client: Client, ada: User, alice: User
) -> None:
    here = Story().whole().save(alice, prompt="From here?", visibility="team")
    there = Story().whole().save(alice, prompt="From there?", origin="desk", visibility="team")
    client.force_login(ada)
    html = client.get("/admin/console/run/").content.decode()
    assert "?origin__exact=shell" in html and ">Shell<" in html
    assert "?status__exact=cancelled" in html
    page = client.get("/admin/console/run/?origin__exact=page").content.decode()
    assert here.prompt in page and there.prompt not in page
    none = client.get("/admin/console/run/?status__exact=cancelled").content.decode()
    assert here.prompt not in none
    for run, word in ((here, "Page"), (there, "desk")):
        html = client.get(f"/admin/console/run/{run.pk}/change/").content.decode()
        assert f'<div class="readonly">{word}</div>' in html
    assert Run.objects.count() == 2
