"""U-48: the list of models is slow, endless, doubled, a page of HTML, or gone since."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.catalog import listings as catalog
from tests.upstream import Script, Upstream

from . import report
from .stage import credential

pytestmark = pytest.mark.django_db
MANY = json.dumps({"data": [{"id": f"model-{n // 2}"} for n in range(50_000)]})
LISTS = {
    "a list of 50,000 models, each named twice": (Script(body=MANY), "model-2499"),
    "a page of HTML in the place of the list": (
        Script(body="<html><script>alert(1)</script>", content_type="text/html"),
        "faulty: The provider sent something that is not an answer.",
    ),
    "the list does not come": (Script(delay=30), "faulty: The provider did not answer within 0.5"),
    "the list breaks off": (
        Script(wire=[b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"]),
        "faulty: The answer ended without a finish mark",
    ),
    "the list is refused": (Script(status=401), "faulty: The provider refused the key."),
    "rows that are none": (Script(body='{"data": [1, null, {"id": 7}, {"id": "fine"}]}'), "fine"),
}


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    monkeypatch.setattr(catalog, "PATIENCE", 0.5)
    with Upstream() as server:
        yield server


def page(client: Client) -> tuple[str, float]:
    began = time.monotonic()
    answer = client.get("/fusion?models")
    assert answer.status_code == 200
    return answer.content.decode(), time.monotonic() - began


@pytest.mark.parametrize("title", LISTS)
def test_a_list_that_is_none_hides_no_other(
    upstream: Upstream, title: str, record_property: Any
) -> None:
    script, said = LISTS[title]
    upstream.script("/v1/models", script)
    client = Client()
    client.force_login(User.objects.create_user("alice", is_staff=True))
    with Upstream() as sound:
        sound.script("/v1/models", Script(body='{"data": [{"id": "sound"}]}'))
        made = credential("faulty", upstream.url)
        made.name = "faulty"
        made.save()
        credential("sound", sound.url)
        client.get("/fusion")  # what is loaded once is not what takes long here
        html, seconds = page(client)
    assert "sound" in html and said in html
    assert "<script>alert" not in html and len(html) < 2**20
    assert len(upstream.requests) == 1
    sees = said if said.startswith("faulty: ") else "the models that are listed"
    report.note_list(record_property, "U-48", title, sees, seconds)


def test_a_list_that_was_there_is_kept_while_its_server_is_away(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.script("/v1/models", Script(body='{"data": [{"id": "once"}]}'), Script(status=500))
    made = credential("faulty", upstream.url)
    monkeypatch.setattr(catalog, "KEPT", 0)
    assert catalog.models_of(made)[1] == ""
    models, error = catalog.models_of(made)
    assert [m.model for m in models] == ["once"]
    assert error.startswith("Faulty: ") and "an older list" in error
