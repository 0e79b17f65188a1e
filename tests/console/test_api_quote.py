"""`POST /v1/runs/quote`, and the estimate that comes with a run's start."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import CatalogModel, Credential, Preset, PresetPanelist, Run
from console.models.tokens import Scope
from console.services.tokens import token_create
from tests.console.listed import Have

pytestmark = pytest.mark.django_db
OWN = {"panel": ["openrouter:own/a", "openrouter:own/b"], "judge": "openrouter:own/judge"}
ASK = {"model": "fusion/own", "prompt": "What is the answer?"}


@pytest.fixture
def priced(have: Have) -> Preset:
    """A preset whose three models cost what their list says."""
    have("openrouter")
    credential = Credential.objects.get(slug="openrouter")
    for n, model in enumerate(("own/a", "own/b", "own/judge", "own/unknown")):
        price = None if model == "own/unknown" else 2_000_000_000
        CatalogModel.objects.create(
            credential=credential, model=model, name=model, position=900 + n,
            input_price=price, output_price=price, context_length=8_000,
        )  # fmt: skip
    preset = Preset.objects.create(
        slug="own", name="Own", enabled=True, judge_credential=credential, judge_model="own/judge"
    )
    for seat, model in enumerate(("own/a", "own/b")):
        PresetPanelist.objects.create(preset=preset, seat=seat, credential=credential, model=model)
    return preset


def post(alice: User, path: str, body: dict[str, Any], **token: Any) -> Any:
    _, secret = token_create(owner=alice, requests_per_minute=None, **token)
    headers = {"authorization": f"Bearer {secret}"}
    return Client().post(path, body, content_type="application/json", headers=headers)


def quoted(alice: User, body: dict[str, Any]) -> dict[str, Any]:
    response = post(alice, "/v1/runs/quote", body)
    assert response.status_code == 200, response.content
    said: dict[str, Any] = response.json()
    return said


@pytest.mark.parametrize(
    ("body", "roles"),
    [
        (ASK, {"panel", "judge", "writer"}),
        ({"model": "fusion", "prompt": "Why?", "fusion": OWN}, {"panel", "judge", "writer"}),
        ({"model": "openrouter:own/a", "prompt": "Why?"}, {"panel"}),
        ({"model": "fusion/own", "messages": [{"role": "user", "content": "Why?"}]},
         {"panel", "judge", "writer"}),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("priced")
def test_it_takes_whatever_starts_a_run_and_starts_nothing(
    alice: User, body: dict[str, Any], roles: set[str]
) -> None:
    said = quoted(alice, body)
    assert said["object"] == "quote" and 0 < said["low"] < said["high"] <= 10 * said["low"]
    assert {role for role in ("panel", "judge", "writer") if said[role]} == roles
    assert all(call["fits"] and call["context_length"] == 8_000 for call in said["calls"])
    assert said["unknown"] == [] and not Run.objects.exists()


def test_an_unknown_price_is_null_and_named(alice: User, priced: Preset) -> None:
    priced.panelists.filter(seat=1).update(model="own/unknown")
    said = quoted(alice, ASK)
    assert (said["low"], said["high"], said["unknown"]) == (None, None, ["own/unknown"])
    assert [call["low"] is None for call in said["calls"]] == [False, True, False, False]
    assert said["panel"] == {"low": None, "high": None} and said["judge"]["low"] > 0


@pytest.mark.parametrize(
    "body",
    [
        {"model": "fusion/own"},
        {"model": "fusion/gone", "prompt": "Why?"},
        ASK | {"messages": [{"role": "user", "content": "Why?"}]},
        ASK | {"temperature": "warm"},
    ],
)
@pytest.mark.usefixtures("priced")
def test_what_no_run_could_be_started_with_is_refused_alike(
    alice: User, body: dict[str, Any]
) -> None:
    started, quote = (post(alice, path, body) for path in ("/v1/runs", "/v1/runs/quote"))
    assert started.status_code == quote.status_code >= 400
    assert started.json()["error"]["message"] == quote.json()["error"]["message"]


@pytest.mark.usefixtures("priced")
def test_a_token_that_may_not_start_runs_is_told_no_price(alice: User) -> None:
    assert post(alice, "/v1/runs/quote", ASK, scopes=[Scope.READ]).status_code == 403


@pytest.mark.usefixtures("priced")
def test_a_run_is_accepted_with_what_it_will_probably_cost(alice: User) -> None:
    response = post(alice, "/v1/runs", ASK)
    assert response.status_code == 202, response.content
    assert response.json()["estimate"] == quoted(alice, ASK)
    assert Run.objects.count() == 1
