"""What a token carries so that its program need not send it."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from console.api.http.defaults import with_defaults
from console.api.openai.requests import ChatRequest
from console.models import ApiToken, Preset, PresetPanelist, Purse, Run
from console.services.token_defaults import TokenDefaults
from console.services.tokens import token_create

from .story import Story
from .test_api_quote import priced

pytestmark = pytest.mark.django_db
__all__ = ["priced"]

ASK = {"model": "fusion", "prompt": "What is the answer?"}


@pytest.fixture
def other(priced: Preset) -> Preset:
    credential = priced.judge_credential
    preset = Preset.objects.create(
        slug="other", name="Other", judge_credential=credential, judge_model="own/a"
    )
    for seat in (0, 1):
        PresetPanelist.objects.create(
            preset=preset, seat=seat, credential=credential, model="own/judge"
        )
    return preset


def asked(secret: str, body: dict[str, Any], path: str = "/v1/runs") -> Run:
    headers = {"authorization": f"Bearer {secret}"}
    response = Client().post(path, body, content_type="application/json", headers=headers)
    assert response.status_code == 202, response.content
    return Run.objects.get(pk=response.json()["id"])


def of(alice: User, **defaults: Any) -> str:
    said = TokenDefaults(**defaults)
    return token_create(owner=alice, requests_per_minute=None, defaults=said)[1]


def test_where_a_request_names_no_preset_it_is_the_tokens(alice: User, other: Preset) -> None:
    secret = of(alice, preset="other")
    assert asked(secret, ASK).preset == "other"
    # The request's own word wins, of a preset and of a panel.
    assert asked(secret, ASK | {"model": "fusion/own"}).preset == "own"
    panel = {"panel": ["openrouter:own/a"], "judge": "openrouter:own/judge"}
    run = asked(secret, ASK | {"fusion": panel})
    assert [seat["model"] for seat in run.spec["panel"]] == ["own/a"]
    listed = Client().get("/v1/models", headers={"authorization": f"Bearer {secret}"}).json()
    assert next(m for m in listed["data"] if m["id"] == "fusion")["name"] == "Fusion (Other)"
    other.enabled = False
    other.save()
    headers = {"authorization": f"Bearer {secret}"}
    gone = Client().post("/v1/runs", ASK, content_type="application/json", headers=headers)
    assert gone.status_code == 404 and "no preset “other”" in gone.json()["error"]["message"]


def test_who_may_read_its_runs_is_the_tokens_word_unless_a_request_has_one(
    alice: User, priced: Preset
) -> None:
    secret = of(alice, visibility="team", preset="own")
    assert asked(secret, ASK).visibility == "team"
    assert asked(secret, ASK | {"fusion": None}).visibility == "team"
    assert asked(secret, ASK | {"fusion": {"visibility": "private"}}).visibility == "private"
    assert asked(of(alice, preset="own"), ASK).visibility == "private"


def test_a_budget_of_each_run_holds_whatever_a_request_says(alice: User, priced: Preset) -> None:
    _, secret = token_create(
        owner=alice,
        requests_per_minute=None,
        spending_per_run=Decimal("0.25"),
        defaults=TokenDefaults(preset="own"),
    )

    def limit(**more: Any) -> Decimal:
        run = asked(secret, ASK | more)
        assert run.usual_budget_nano is None
        return Purse.objects.get(kind="run", subject=run.pk.hex).limit

    assert limit() == limit(max_cost=5) == Decimal("0.25")
    assert limit(max_cost=0.1) == Decimal("0.1")


def test_another_fusion_costs_no_more_than_a_run_may(alice: User, priced: Preset) -> None:
    _, secret = token_create(
        owner=alice, requests_per_minute=None, spending_per_run=Decimal("0.25")
    )
    run = Story().whole().save(alice)
    headers = {"authorization": f"Bearer {secret}"}
    body = {"judge": "openrouter:own/judge", "synthesizer": "openrouter:own/judge"}
    path = f"/v1/runs/{run.pk}/fusions"
    response = Client().post(path, body, content_type="application/json", headers=headers)
    assert response.status_code == 202, response.content
    assert Purse.objects.get(kind="run", subject=run.pk.hex).limit == Decimal("0.25")


def test_people_make_such_tokens_on_their_page(client: Client, alice: User, other: Preset) -> None:
    client.force_login(alice)
    assert 'value="other"' in client.get("/fusion/tokens").content.decode()
    form = {
        "name": "nightly", "scopes": ["run"], "expires_days": "30", "spending_per_run": "0.5",
        "preset": "other", "visibility": "team", "every_turn": "on", "cancel_on_disconnect": "on",
    }  # fmt: skip
    page = client.post("/fusion/tokens", form).content.decode()
    text = " ".join(re.sub("<[^>]+>", " ", unescape(page)).split())
    assert (
        "preset other, runs for the team to read, a panel with every turn, "
        "stopped when its client goes, a run at most $0.5" in text
    )
    token = ApiToken.objects.get(name="nightly")
    assert TokenDefaults.of(token.defaults) == TokenDefaults("other", "team", "every", True)
    refused = client.post("/fusion/tokens", form | {"preset": "none"}).content.decode()
    assert "Select a valid choice" in refused and "<details" in refused and " open>" in refused
    # What is usual is not kept.
    client.post("/fusion/tokens", {"name": "plain", "scopes": ["run"], "expires_days": "30"})
    assert ApiToken.objects.get(name="plain").defaults is None


def test_admins_change_them(client: Client, alice: User, ada: User, other: Preset) -> None:
    token, _ = token_create(owner=alice, name="nightly", defaults=TokenDefaults("other", "team"))
    client.force_login(ada)
    change = f"/admin/console/apitoken/{token.pk}/change/"
    assert '<option value="other" selected>' in client.get(change).content.decode()
    form = {
        "name": "nightly", "scopes": ["run"], "preset": "", "visibility": "private",
        "fanout": "every", "spending_per_run": "2",
    }  # fmt: skip
    assert client.post(change, form).status_code == 302
    token.refresh_from_db()
    assert token.defaults == {"fanout": "every"}
    assert token.spending_per_run == 2


def test_the_shell_makes_them_too(alice: User, other: Preset) -> None:
    out = StringIO()
    call_command(
        "create_token", "alice", "--preset=other", "--visibility=team", "--fanout=every",
        "--cancel-on-disconnect", "--spending-per-run=0.5", stdout=out,
    )  # fmt: skip
    token = ApiToken.objects.get()
    assert TokenDefaults.of(token.defaults) == TokenDefaults("other", "team", "every", True)
    assert token.run_budget_nano == 500_000_000
    with pytest.raises(CommandError, match="no preset “none”"):
        call_command("create_token", "alice", "--preset=none")


def test_each_field_that_a_request_leaves_out_is_the_tokens(alice: User) -> None:
    said = TokenDefaults("", "team", "every", True)
    token, _ = token_create(owner=alice, defaults=said)
    message = {"messages": [{"role": "user", "content": "?"}], "model": "fusion"}
    own = with_defaults(ChatRequest.model_validate(message), token).fusion
    assert (own.visibility, own.fanout, own.cancel_on_disconnect) == ("team", "every", True)
    fields = {"fanout": "once", "cancel_on_disconnect": False, "include": True}
    own = with_defaults(ChatRequest.model_validate(message | {"fusion": fields}), token).fusion
    assert (own.visibility, own.fanout, own.cancel_on_disconnect) == ("team", "once", False)
    assert own.include is True
    plain, _ = token_create(owner=alice)
    own = with_defaults(ChatRequest.model_validate(message), plain).fusion
    assert (own.visibility, own.fanout, own.cancel_on_disconnect) == ("private", "once", False)
