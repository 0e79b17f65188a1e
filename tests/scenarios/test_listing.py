"""U-48: a server's list of models is slow, huge, full of doubles, or no list at all."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.catalog.listings import models_of
from console.models import Credential
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db
MANY = [{"id": f"maker/model-{n}"} for n in range(50_000)]
DOUBLES = [{"id": "maker/one"}, {"id": "maker/one"}, {"id": "maker/two"}]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def page(client: Client, upstream: Upstream) -> Client:
    Credential.objects.create(
        slug="faulty", name="Faulty", kind="openai_compatible", base_url=upstream.url
    )
    client.force_login(User.objects.create_superuser("ada"))
    return client


FAULTS = {
    "HTML": Script(body="<html><h1>Welcome</h1></html>", content_type="text/html"),
    "an error": Script(status=500, body="{}"),
    "no list": Script(body=json.dumps({"data": "none"})),
    "odd items": Script(body=json.dumps({"data": [None, 7, {"id": 9}, {"id": "maker/one"}]})),
    "silence": Script(delay=30),
    "50,000 models": Script(body=json.dumps({"data": MANY})),
    "doubles": Script(body=json.dumps({"data": DOUBLES})),
}


@pytest.mark.parametrize("does", FAULTS.values(), ids=FAULTS.keys())
def test_the_pages_that_list_models_stay_whole(
    page: Client, upstream: Upstream, does: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.catalog.listings.PATIENCE", 0.5)
    upstream.script("/v1/models", does)
    models = page.get("/fusion?models")
    assert models.status_code == 200 and 'id="model-list"' in models.text
    for path in ("/fusion", "/fusion/keys", "/admin/console/credential/"):
        answer = page.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) < 8_000_000, path


def test_a_model_named_twice_is_listed_once(page: Client, upstream: Upstream) -> None:
    upstream.script("/v1/models", FAULTS["doubles"])
    found = models_of(Credential.objects.get(slug="faulty"))
    assert [model.model for model in found[0]] == ["maker/one", "maker/two"]
