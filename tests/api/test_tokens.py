"""API tokens: what is kept of them, who makes and revokes them, and the one way they count."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from console.models import ApiToken
from console.models.tokens import Scope
from console.services.errors import Refused
from console.services.tokens import (
    new_secret,
    token_create,
    token_find,
    token_revoke,
    well_formed,
)
from tests.upstream import Script

from .conftest import Api
from .test_chat import ASK

MODELS = "/v1/models"
FORM = {"name": "Laptop", "scopes": ["run", "read"], "expires_days": "30"}


@pytest.fixture(autouse=True)
def without_redis(settings: object) -> None:
    """Reading goes on without it, so these need no server."""
    settings.REDIS_URL = "unix:///nowhere/at/all"  # type: ignore[attr-defined]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_is_recognisable_and_long(db: None) -> None:
    secrets = {new_secret() for _ in range(200)}
    assert len(secrets) == 200
    for secret in secrets:
        assert re.fullmatch(r"fus_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}", secret)
        assert well_formed(secret)
    secret = new_secret()
    wrong = ("x" if secret[10] != "x" else "y").join([secret[:10], secret[11:]])
    assert not well_formed(wrong), "the checksum tells a mistyped one"


@pytest.mark.database
def test_the_database_holds_nothing_that_could_be_sent(alice: User) -> None:
    token, secret = token_create(owner=alice, name="CI")
    row = json.dumps({k: str(v) for k, v in ApiToken.objects.values().get().items()})
    assert secret not in row and secret[len(token.prefix) :] not in row
    assert len(token.prefix) < 16 and secret.startswith(token.prefix)


@pytest.mark.django_db(transaction=True)
def test_only_a_bearer_token_counts(client: Client, alice: User) -> None:
    _, secret = token_create(owner=alice)
    assert client.get(MODELS, headers=bearer(secret)).status_code == 200
    assert client.get(MODELS, headers={"Authorization": f"bearer  {secret} "}).status_code == 200
    for headers in (
        {"x-api-key": secret},
        {"Authorization": secret},
        {"Authorization": f"Basic {secret}"},
        {"Authorization": f"Token {secret}"},
        {"Cookie": f"Authorization=Bearer {secret}; token={secret}"},
        {"Authorization": "Bearer"},
        {},
    ):
        response = client.get(MODELS, headers=headers)
        assert response.status_code == 401, headers
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert client.get(f"{MODELS}?api_key={secret}&access_token={secret}").status_code == 401
    client.force_login(alice)
    assert client.get(MODELS).status_code == 401, "a session is for pages"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ["revoked", "expired", "deactivated"])
def test_a_token_that_has_ended_is_as_good_as_none(client: Client, alice: User, end: str) -> None:
    token, secret = token_create(owner=alice, expires_at=timezone.now() + timedelta(days=1))
    assert client.get(MODELS, headers=bearer(secret)).status_code == 200
    if end == "revoked":
        token_revoke(token=token)
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.update(is_active=False)
    response = client.get(MODELS, headers=bearer(secret))
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"


@pytest.mark.django_db(transaction=True)
def test_each_scope_opens_its_own_door_only(client: Client, alice: User) -> None:
    doors = {
        Scope.MODELS: ("GET", MODELS),
        Scope.RUN: ("POST", "/v1/chat/completions"),
    }
    for scope in Scope:
        _, secret = token_create(owner=alice, scopes=[scope], requests_per_minute=None)
        for wanted, (method, path) in doors.items():
            response = client.generic(
                method, path, b"{}", content_type="application/json", headers=bearer(secret)
            )
            assert (response.status_code == 403) == (wanted != scope), (scope, path)
            if wanted != scope:
                assert response.json()["error"]["code"] == "insufficient_scope"


@pytest.mark.database
def test_use_is_noted_to_the_minute(alice: User) -> None:
    token, secret = token_create(owner=alice)
    assert token.last_used_at is None
    assert token_find(secret) == token
    token.refresh_from_db()
    used = token.last_used_at
    assert used and used.second == 0 and used.microsecond == 0
    assert timezone.now() - used < timedelta(minutes=2)


@pytest.mark.parametrize(
    "header",
    ["' OR 1=1 --", "fus_%", "fus_" + "\u00e9" * 49, "fus_" + "a" * 100_000, "{{7*7}}", "fus_\x00"],
)
def test_whatever_is_no_token_is_refused_before_the_database_is_asked(
    db: None, header: str, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert token_find(header) is None


def make(*args: str) -> str:
    out = io.StringIO()
    call_command("create_token", *args, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_token_alone_on_its_line(alice: User) -> None:
    said = make("alice", "--name", "CI", "--scopes", "run,read", "--expires-days", "7")
    assert said.endswith("\n") and well_formed(said[:-1])
    token = token_find(said.strip())
    assert token and (token.name, token.scopes) == ("CI", ["run", "read"])
    assert token.expires_at and timedelta(6) < token.expires_at - timezone.now() <= timedelta(7)
    unlimited = token_find(
        make("alice", "--expires-days", "0", "--requests-per-minute", "0").strip()
    )
    assert unlimited and unlimited.expires_at is None and unlimited.requests_per_minute is None
    limited = token_find(make("alice", "--spending-per-day", "2.50").strip())
    assert limited and limited.spending_per_day == Decimal("2.50")


def test_the_only_person_need_not_be_named(alice: User) -> None:
    token = token_find(make().strip())
    assert token and token.owner == alice
    User.objects.create_user("bob")
    with pytest.raises(CommandError, match="Name the person"):
        make()


def test_without_anybody_it_says_how_the_first_comes(db: None) -> None:
    with pytest.raises(CommandError, match="one-time link"):
        make()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nobody"], "nobody named"),
        (["alice", "--scopes", "run,everything"], "Scopes are"),
        (["alice", "--scopes", ""], "Scopes are"),
        (["alice", "--expires-days", "-1"], "number of days"),
        (["alice", "--spending-per-day", "much"], "amount"),
        (["charlie"], "deactivated"),
    ],
)
def test_the_command_says_what_is_wrong(
    alice: User, charlie: User, args: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        make(*args)
    assert not ApiToken.objects.exists()


def test_its_owner_makes_one_on_the_page_and_sees_it_once(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "/fusion/tokens" in client.get("/fusion").content.decode()
    page = client.post("/fusion/tokens", FORM)
    (secret,) = re.findall(r'value="(fus_[^"]+)"', page.content.decode())
    token = token_find(secret)
    assert token and (token.owner, token.name, token.scopes) == (alice, "Laptop", ["run", "read"])
    again = client.get("/fusion/tokens").content.decode()
    assert secret not in again and token.prefix in again
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("scopes", "asks"),
    [
        (["run", "read", "models"], ["/chat/completions", "base_url="]),
        (["run"], ["/chat/completions", "base_url="]),
        (["read", "models"], ["/v1/runs"]),
        (["models"], ["/v1/models"]),
    ],
)
def test_a_new_token_comes_with_what_it_may_ask_to_paste_at_the_sites_address(
    client: Client, alice: User, settings: Settings, scopes: list[str], asks: list[str]
) -> None:
    settings.BASE_URL = "https://fusion.example.org"
    client.force_login(alice)
    html = client.post("/fusion/tokens", FORM | {"scopes": scopes}).content.decode()
    (secret,) = set(re.findall(r"fus_[\w-]{49}", html))
    codes = [unescape(code) for code in re.findall(r"<code[^>]*>(.*?)</code>", html, re.DOTALL)]
    assert len(codes) == len(asks) == html.count('data-copy="snippet-')
    for code, ask in zip(codes, asks, strict=True):
        assert "https://fusion.example.org/v1" in code and ask in code
    # Once, where it is set: never in an address, nor in the line of a process.
    assert [line for line in codes[0].splitlines() if secret in line] == [
        f"export FUSION_TOKEN={secret}"
    ]
    assert not any(secret in code for code in codes[1:])
    assert "<code" not in client.get("/fusion/tokens").content.decode()


def test_a_new_token_stands_in_no_log_and_no_address(
    client: Client, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(alice)
    with caplog.at_level(0):
        page = client.post("/fusion/tokens", FORM)
    (secret,) = set(re.findall(r"fus_[\w-]{49}", page.content.decode()))
    assert page.status_code == 200, "shown on the page itself: nobody is sent on with it"
    assert secret not in caplog.text and secret not in str(page.headers)
    assert secret not in str(dict(client.session))


def test_its_owner_revokes_it_and_nobody_else_can(client: Client, alice: User, bob: User) -> None:
    token, secret = token_create(owner=alice)
    url = f"/fusion/tokens/{token.pk}/revoke"
    client.force_login(bob)
    assert client.post(url).status_code == 404
    assert token.prefix not in client.get("/fusion/tokens").content.decode()
    client.force_login(alice)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302
    assert token_find(secret) is None
    assert "Revoked" in client.get("/fusion/tokens").content.decode()


def test_whoever_is_not_signed_in_is_asked_to(client: Client) -> None:
    assert client.get("/fusion/tokens").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"scopes": []}, {"scopes": ["all"]}, {"spending_per_day": "-1"},
     {"requests_per_minute": "0"}, {"expires_days": "1000000"}],
)  # fmt: skip
def test_the_page_says_what_is_wrong(client: Client, alice: User, wrong: dict[str, object]) -> None:
    client.force_login(alice)
    page = client.post("/fusion/tokens", FORM | wrong)
    assert 'class="error"' in page.content.decode()
    assert not ApiToken.objects.exists()


def test_admins_make_and_revoke_them_for_anybody(client: Client, ada: User, alice: User) -> None:
    client.force_login(ada)
    form = {"owner": alice.pk, "name": "Hers", "scopes": ["models"], "expires_at_0": "",
            "expires_at_1": "", "requests_per_minute": "", "concurrent_runs": "",
            "spending_per_day": "1"}  # fmt: skip
    page = client.post("/admin/console/apitoken/add/", form, follow=True).content.decode()
    (secret,) = set(re.findall(r"fus_[\w-]{49}", page))
    token = token_find(secret)
    assert token and (token.owner, token.scopes) == (alice, ["models"])
    assert secret not in client.get(f"/admin/console/apitoken/{token.pk}/change/").content.decode()
    chosen = {"action": "revoke", "_selected_action": [token.pk]}
    client.post("/admin/console/apitoken/", chosen)
    assert token_find(secret) is None
    assert client.get(f"/admin/console/apitoken/{token.pk}/delete/").status_code == 403


def test_a_deactivated_person_gets_none(charlie: User) -> None:
    with pytest.raises(Refused):
        token_create(owner=charlie)


def test_a_live_stream_ends_soon_after_its_token_is_revoked(api: Api) -> None:
    key = api.token("--name", "soon revoked")
    api.script("good", Script(text="a b c", hold_after=1))
    api.upstream.hold(everything=False)
    try:
        with httpx.stream(
            "POST", f"{api.url}/chat/completions", headers=bearer(key), timeout=60,
            json=ASK | {"model": "good", "stream": True},
        ) as response:  # fmt: skip
            lines = response.iter_lines()
            next(lines)
            api.shell(
                "from console.models import ApiToken; from django.utils import timezone\n"
                "said = ApiToken.objects.filter(name='soon revoked')"
                ".update(revoked_at=timezone.now())"
            )
            last = [line for line in lines if line.startswith("data: ")][-1]
    finally:
        api.upstream.release()
    assert json.loads(last[6:])["error"]["code"] == "invalid_api_key"
