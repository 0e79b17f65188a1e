"""`manage.py fuse --quote`: a price, and nobody is asked."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from console.models import Credential, Run
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)
PANEL = ("--panel", "test:good,test:echo", "--judge", "test:judge")


def fuse(*args: str) -> str:
    out = io.StringIO()
    call_command("fuse", "What is the answer?", "--quote", *args, stdout=out)
    return out.getvalue()


def test_it_names_whose_price_is_not_known_and_starts_nothing(
    credential: Credential, upstream: Upstream
) -> None:
    said = fuse(*PANEL)
    assert said.startswith("Price not known") and "What good, echo and judge cost" in said
    assert not Run.objects.exists() and not upstream.calls_of("good")


def test_as_one_object_it_is_what_programs_are_told(credential: Credential) -> None:
    said = json.loads(fuse(*PANEL, "--json"))
    assert said["object"] == "quote" and said["low"] is None
    assert said["unknown"] == ["good", "echo", "judge"]
    assert [call["seat"] for call in said["calls"]] == ["A", "B", None, None]


def test_what_cannot_be_asked_is_refused(credential: Credential) -> None:
    with pytest.raises(CommandError, match="There is no preset"):
        fuse("--preset", "gone")
