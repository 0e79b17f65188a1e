"""The page where a provider key is pasted, tried and saved."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from console.models import Credential
from console.providers import kinds
from console.providers.kinds import KeyGiver, Kind
from tests.upstream import Script, Upstream

KEY = "sk-canary-0123456789-4f2a"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(api_key=KEY) as up:
        yield up


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def openrouter(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """OpenRouter is where OPENROUTER_BASE_URL says; the key is yet to be entered."""
    monkeypatch.setenv("OPENROUTER_BASE_URL", upstream.url)
    return upstream


def paste(client: Client, key: str, **more: Any) -> Any:
    return client.post("/fusion/keys", {"kind": "openrouter", "api_key": key} | more, follow=True)


def test_a_key_that_works_is_saved_and_never_shown(admin: Client, openrouter: Upstream) -> None:
    response = paste(admin, f"  {KEY}\n")
    html = response.content.decode()
    assert "OpenRouter is saved." in html and "ends in 4f2a" in html
    assert KEY not in html
    assert 'href="/fusion"' in html
    credential = Credential.objects.get(slug="openrouter")
    assert credential.is_ready and credential.test_ok
    assert credential.key.reveal() == KEY
    assert openrouter.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_nobody_pays_for_is_not_told_as_ready(
    admin: Client, openrouter: Upstream
) -> None:
    paste(admin, KEY)
    Credential.objects.update(cannot_pay_since=datetime(2026, 3, 9, 12, tzinfo=UTC))
    html = admin.get("/fusion/keys").content.decode()
    assert "Out of credit</span> since 9 Mar" in html
    (row,) = re.findall("<tr>.*?OpenRouter.*?</tr>", html, re.DOTALL)
    assert "Ready" not in row


def test_a_key_that_fails_is_not_saved_and_the_reason_is_said(
    admin: Client, openrouter: Upstream
) -> None:
    html = paste(admin, "sk-wrong-wrong-wrong-9z9z").content.decode()
    assert "Not saved." in html and "refused the key" in html
    assert "sk-wrong" not in html
    assert "Save anyway" in html
    assert not Credential.objects.get(slug="openrouter").secret


def test_save_anyway_uses_the_key_pasted_before(admin: Client, openrouter: Upstream) -> None:
    paste(admin, "sk-wrong-wrong-wrong-9z9z")
    html = paste(admin, "", save_anyway="1").content.decode()
    assert "saved, untested" in html
    credential = Credential.objects.get(slug="openrouter")
    assert credential.key.reveal() == "sk-wrong-wrong-wrong-9z9z"
    assert credential.test_ok is False


def test_the_kept_key_is_encrypted_and_gone_after_leaving(
    admin: Client, openrouter: Upstream
) -> None:
    paste(admin, "sk-wrong-wrong-wrong-9z9z")
    assert "pending_key" in admin.session
    assert "sk-wrong" not in str(dict(admin.session))
    assert "sk-wrong" not in Session.objects.get().session_data
    admin.get("/fusion/keys")
    assert "pending_key" not in admin.session


def test_the_kept_key_goes_to_no_other_address(admin: Client, openrouter: Upstream) -> None:
    paste(admin, "sk-wrong-wrong-wrong-9z9z")
    with Upstream() as elsewhere:
        paste(admin, "", kind="openai_compatible", base_url=elsewhere.url)
        assert elsewhere.requests
        assert all("authorization" not in r.headers for r in elsewhere.requests)


def test_a_server_without_a_key_can_be_added(admin: Client) -> None:
    with Upstream() as server:
        html = paste(admin, "", kind="openai_compatible", base_url=server.url).content.decode()
    assert "127.0.0.1 is saved." in html
    credential = Credential.objects.get(slug="127001")
    assert credential.is_ready and credential.name == "127.0.0.1"


@pytest.mark.parametrize("pasted", ["", "/chat/completions", "/v1/chat/completions"])
def test_an_address_as_it_stands_in_an_example_is_mended(
    admin: Client, upstream: Upstream, pasted: str
) -> None:
    bare = upstream.url.removesuffix("/v1")
    upstream.script("/models", Script(status=404))
    more = {"kind": "openai_compatible", "base_url": bare + pasted, "name": "Mine"}
    html = paste(admin, KEY, **more).content.decode()
    assert "Mine is saved" in html
    assert ("with the address" in html) is (pasted != "/v1/chat/completions")
    credential = Credential.objects.get(slug="mine")
    assert (credential.base_url, credential.test_ok) == (upstream.url, True)
    assert credential.key.reveal() == KEY


def test_two_servers_of_one_name_get_two_slugs(admin: Client, upstream: Upstream) -> None:
    for _ in range(2):
        paste(admin, KEY, kind="openai_compatible", base_url=upstream.url, name="My server")
    slugs = Credential.objects.filter(name="My server").values_list("slug", flat=True)
    assert set(slugs) == {"my-server", "my-server-2"}


def test_a_server_that_is_not_there_is_said(admin: Client) -> None:
    html = paste(admin, KEY, kind="openai_compatible", base_url="http://127.0.0.1:9/v1")
    assert "could not be reached" in html.content.decode()
    assert not Credential.objects.filter(base_url="http://127.0.0.1:9/v1").exists()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("sk-one\nsk-two", "line break or another control character"),
        ("sk-\x1b[31m", "line break or another control character"),
        ("sk-\u200bzero-width", "line break or another control character"),
        ("my key", "contains a space"),
        ("sk-schlüssel", "no API key has"),
        ("", "Paste the key."),
    ],
)
def test_what_no_key_can_be_is_refused(
    admin: Client, openrouter: Upstream, key: str, sentence: str
) -> None:
    assert sentence in paste(admin, key).content.decode()
    assert not openrouter.requests
    assert not Credential.objects.get(slug="openrouter").secret


@pytest.mark.parametrize("url", ["", "api.example.com", "http://user:pass@host/v1", "ftp://host/"])
def test_what_no_address_can_be_is_refused(admin: Client, url: str) -> None:
    before = Credential.objects.count()
    response = paste(admin, KEY, kind="openai_compatible", base_url=url)
    assert "id_base_url_error" in response.content.decode()
    assert Credential.objects.count() == before


def test_a_key_in_the_environment_wins(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-from-the-environment")
    html = paste(admin, KEY).content.decode()
    assert "comes from the environment" in html
    assert "sk-from-the" not in html
    assert not Credential.objects.get(slug="openrouter").secret


def test_members_are_told_whom_to_ask(client: Client, ada: User, bob: User) -> None:
    client.force_login(bob)
    response = client.get("/fusion/keys")
    assert response.status_code == 403
    html = response.content.decode()
    assert "Ask ada" in html and "<form" not in html.split("<main")[1]
    assert paste(client, KEY).status_code == 403
    assert not Credential.objects.get(slug="openrouter").secret


def test_whoever_is_not_signed_in_is_asked_to(client: Client, charlie: User) -> None:
    assert client.get("/fusion/keys").headers["Location"] == "/sign-in?next=/fusion/keys"
    client.force_login(charlie)
    assert client.post("/fusion/keys").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("kind", kinds.offered(), ids=lambda kind: kind.slug)
def test_an_address_is_asked_of_kinds_that_have_no_home(admin: Client, kind: Kind) -> None:
    html = admin.get("/fusion/keys").content.decode()
    option = re.search(rf'<option value="{kind.slug}"([^>]*)>', html)
    assert option and ("takes-address" in option[1]) is not kind.has_home
    assert "of-address" in html


def test_whoever_gives_out_keys_is_offered_once_and_the_usual_one_first(admin: Client) -> None:
    html = admin.get("/fusion/keys").content.decode()
    offered = re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)</option>', html)
    named = [(giver.slug, giver.name) for giver in kinds.KEY_GIVERS]
    assert offered[: len(named)] == named and offered[0][0] == "openrouter"
    assert [slug for slug, _ in offered[len(named) :]] == ["openai_compatible"]


@pytest.mark.parametrize("giver", kinds.KEY_GIVERS, ids=lambda giver: giver.slug)
def test_a_key_of_anybody_is_tried_where_it_is_from_and_kept(
    admin: Client, upstream: Upstream, giver: KeyGiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server := kinds.server_named(giver.slug):
        monkeypatch.setenv(server.address_variable, upstream.url)
    else:
        at_home = replace(giver, address=upstream.url)
        givers = [at_home if one is giver else one for one in kinds.KEY_GIVERS]
        monkeypatch.setattr(kinds, "KEY_GIVERS", tuple(givers))
    empty = paste(admin, "", kind=giver.slug, base_url="http://127.0.0.1:9/v1").content.decode()
    assert "Paste the key." in empty and not upstream.requests
    html = paste(admin, KEY, kind=giver.slug, base_url="http://127.0.0.1:9/v1").content.decode()
    assert f"{giver.name} is saved" in html
    (credential,) = Credential.objects.filter(test_ok=True)
    assert (credential.base_url, credential.key.reveal()) == (upstream.url, KEY)
    assert credential.name == giver.name


@pytest.mark.parametrize(
    "left", [{"base_url": "http://127.0.0.1:9/v1"}, {"name": "Mine"}, {"base_url": "ftp://x"}]
)
def test_what_was_left_in_fields_that_are_not_shown_means_nothing(
    admin: Client, openrouter: Upstream, left: dict[str, str]
) -> None:
    """The kind was chosen after they were filled in."""
    assert "OpenRouter is saved." in paste(admin, KEY, **left).content.decode()
    assert Credential.objects.get(slug="openrouter").base_url == openrouter.url
