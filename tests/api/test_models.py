"""`GET /v1/models`: presets first, then single models, as far as they can be asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.api.openai import models
from console.models import CatalogModel, Credential
from console.services.tokens import token_create

from .conftest import GEMINI, GPT, OPUS, Api


def listed(api: Api) -> dict[str, dict[str, Any]]:
    response = api.get("/models")
    assert response.headers["x-fusion"] == "1"
    said = response.json()
    assert said["object"] == "list"
    return {row["id"]: row for row in said["data"]}


def test_presets_that_can_run_and_models_are_listed(api: Api) -> None:
    rows = listed(api)
    assert [*rows][:4] == ["fusion", "openrouter/fusion", "fusion/quality", "fusion/budget"]
    assert {OPUS, GPT, GEMINI, "good", "writer"} <= rows.keys()
    assert not {"fusion/dead", "fusion/off", "fusion/local"} & rows.keys()
    for row in rows.values():
        assert row["object"] == "model" and row["owned_by"] and row["name"]
        assert isinstance(row["created"], int)
        assert row["architecture"]["input_modalities"] == ["text"]
        assert "error" not in row, "a client takes any such key for a failure"


def test_a_single_model_has_its_context_and_prices(api: Api) -> None:
    row = listed(api)["good"]
    assert row["context_length"] == 400_000
    assert row["pricing"] == {"prompt": "0.000001", "completion": "0.000002"}
    assert row["owned_by"] == "openrouter"


def test_a_preset_says_whom_it_asks_and_takes_no_more_than_its_smallest_member(api: Api) -> None:
    row = listed(api)["fusion/quality"]
    assert [p["model"] for p in row["fusion"]["panel"]] == [
        f"openrouter:{name}" for name in (OPUS, GPT, GEMINI)
    ]
    assert row["fusion"]["judge"]["model"] == f"openrouter:{OPUS}"
    assert row["context_length"] == 100_000
    assert row["pricing"] == {"prompt": "-1", "completion": "-1"}


def test_one_model_is_found_by_its_name_slashes_and_all(api: Api) -> None:
    for path in ("fusion/quality", "fusion%2Fquality", OPUS, "good", "openrouter:good"):
        response = api.get(f"/models/{path}")
        assert response.status_code == 200, path
        assert response.json()["id"] == path.replace("%2F", "/")
    missing = api.get("/models/fusion/nothing")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"


@pytest.mark.django_db(transaction=True)
def test_a_name_that_two_servers_list_is_told_to_say_which(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = [
        CatalogModel(credential=Credential(slug=slug), model="shared", name="Shared")
        for slug in ("one", "two")
    ]
    monkeypatch.setattr(models, "all_models", lambda: (twice, []))
    _, secret = token_create(owner=alice, requests_per_minute=None)
    headers = {"Authorization": f"Bearer {secret}"}
    missing = client.get("/v1/models/shared", headers=headers)
    assert missing.status_code == 404
    assert "name it one:shared or two:shared." in missing.json()["error"]["message"]
    assert client.get("/v1/models/two:shared", headers=headers).json()["id"] == "two:shared"
