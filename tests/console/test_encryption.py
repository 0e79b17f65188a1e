"""Secrets at rest: unreadable in the database, rotated by a command, never handed out raw."""

import copy
import json
import logging
import pickle
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from console.encryption import CannotDecrypt
from console.models import Credential, Preset
from console.providers.secret import Secret
from console.services.credentials import credential_try
from console.services.presets import preset_lacks

PLANTED = "sk-planted-0123456789-canary"


@pytest.fixture
def planted(db: None) -> Credential:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret(PLANTED)
    credential.save()
    return Credential.objects.get(pk=credential.pk)


@pytest.fixture
def another_key(planted: Credential, settings: Settings) -> Credential:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return planted


def test_the_database_holds_no_readable_key(planted: Credential) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM console_credential WHERE id = %s", [planted.pk])
        assert PLANTED not in repr(cursor.fetchall())
    assert planted.key.reveal() == PLANTED


def test_a_secret_does_not_show_itself(planted: Credential) -> None:
    for shown in (repr(planted.secret), str(planted.secret), repr(planted.key), f"{planted.key}"):
        assert shown == "***"
    for write_down in (pickle.dumps, json.dumps, copy.copy):
        with pytest.raises(TypeError):
            write_down(planted.key)
    assert PLANTED not in repr(vars(planted))


def test_no_log_line_holds_the_key(
    planted: Credential, caplog: pytest.LogCaptureFixture, client: Client, ada: User
) -> None:
    client.force_login(ada)
    with caplog.at_level(logging.DEBUG):
        planted.base_url = "http://127.0.0.1:9/v1"
        planted.secret = Secret(PLANTED)
        planted.save()
        credential_try(planted)
        client.post("/fusion/keys", {"kind": "openrouter", "api_key": f"{PLANTED} with space"})
    assert PLANTED not in caplog.text


def test_the_wrong_encryption_key_is_an_error_not_a_ciphertext(another_key: Credential) -> None:
    with pytest.raises(CannotDecrypt):
        _ = another_key.key
    assert not another_key.is_ready


def test_the_wrong_encryption_key_is_said_and_breaks_no_page(
    another_key: Credential, client: Client, ada: User
) -> None:
    client.force_login(ada)
    assert "Enter it again" in another_key.lacks
    assert "Enter it again" in preset_lacks(Preset.objects.get(slug="quality"))
    for path in (
        "/fusion/keys",
        "/admin/console/credential/",
        f"/admin/console/credential/{another_key.pk}/change/",
        "/admin/console/preset/",
    ):
        response = client.get(path)
        assert response.status_code == 200
        assert "Enter it again" in response.content.decode()
    response = client.post(f"/admin/console/credential/{another_key.pk}/test/", follow=True)
    assert "Enter it again" in response.content.decode()


@pytest.mark.parametrize("keys", [[], ["no key at all"]])
def test_missing_or_malformed_keys_break_no_page(
    planted: Credential, client: Client, ada: User, settings: Settings, keys: list[str]
) -> None:
    settings.ENCRYPTION_KEYS = keys
    client.force_login(ada)
    with pytest.raises(ImproperlyConfigured, match="FUSION_ENCRYPTION_KEYS"):
        _ = planted.key
    assert "FUSION_ENCRYPTION_KEYS" in client.get("/fusion/keys").content.decode()
    data = {"kind": "openrouter", "api_key": PLANTED, "save_anyway": "1"}
    response = client.post("/fusion/keys", data)
    assert response.status_code == 200
    assert "FUSION_ENCRYPTION_KEYS" in response.content.decode()


def test_rotating_encrypts_with_the_first_key(planted: Credential, settings: Settings) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    assert planted.key.reveal() == PLANTED
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert out.getvalue() == "1 stored key encrypted with the first encryption key.\n"
    settings.ENCRYPTION_KEYS = [new]
    assert Credential.objects.get(pk=planted.pk).key.reveal() == PLANTED


@pytest.mark.database
def test_rotating_changes_all_or_nothing(planted: Credential, settings: Settings) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new]
    Credential.objects.create(
        slug="a", name="A", kind="openai_compatible", base_url="http://a/v1", secret=Secret("new")
    )
    before = Credential.objects.get(slug="a").secret.token
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), new]
    with pytest.raises(CommandError, match="OpenRouter"):
        call_command("rotate_keys")
    assert Credential.objects.get(slug="a").secret.token == before
    settings.ENCRYPTION_KEYS = [old]
    assert Credential.objects.get(pk=planted.pk).key.reveal() == PLANTED


def problems(**how: bool) -> set[str]:
    return {c.id or "" for c in run_checks(**how) if (c.id or "").startswith("console.")}


def test_the_settings_of_the_tests_have_no_problem() -> None:
    assert problems(include_deployment_checks=True) == set()


def test_missing_secrets_are_errors_when_serving(settings: Settings) -> None:
    settings.SECRET_KEY = ""
    settings.ENCRYPTION_KEYS = []
    assert problems() == set()
    assert problems(include_deployment_checks=True) == {"console.E003", "console.E004"}


def test_one_secret_for_two_purposes_is_an_error(settings: Settings) -> None:
    settings.SECRET_KEY = settings.ENCRYPTION_KEYS[0]
    assert problems(include_deployment_checks=True) == {"console.E005"}


def test_a_malformed_encryption_key_is_an_error(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, "no key"]
    assert problems() == {"console.E002"}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("option", "value"), [("transaction_mode", "DEFERRED"), ("init_command", "")]
)
def test_sqlite_without_wal_or_immediate_transactions_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], option, value)
    assert problems() == {"console.E001"}


def test_an_address_in_the_environment_that_is_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "api.example.com")
    assert problems() == {"console.E006"}


@pytest.mark.parametrize("url", ["localhost", "localhost:6379", "http://localhost:6379"])
def test_a_redis_that_is_none_is_an_error(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    assert problems() == {"console.E007"}


@pytest.mark.parametrize("url", ["fusion.example.org", "https://", "https://a.org/fusion", "//["])
def test_a_public_address_that_is_none_is_an_error(settings: Settings, url: str) -> None:
    settings.BASE_URL = url
    assert problems() == {"console.E008"}
