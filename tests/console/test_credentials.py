"""Built-in and entered credentials: environment, binding to an address, testing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from console.catalog.seed_data import give
from console.models import Credential, Preset
from console.models.credentials import origin
from console.providers.openai_compatible import OpenAICompatible
from console.providers.registry import make_provider
from console.providers.secret import Secret
from tests.upstream import Script, Upstream

KEY = "sk-canary-0123456789-4f2a"

pytestmark = pytest.mark.django_db


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(api_key=KEY) as up:
        yield up


@pytest.fixture
def mine(upstream: Upstream) -> Credential:
    return Credential.objects.create(
        slug="mine",
        name="Mine",
        kind="openai_compatible",
        base_url=upstream.url,
        secret=Secret(KEY),
    )


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def built_in(slug: str) -> Credential:
    return Credential.objects.get(slug=slug)


def edit(admin: Client, credential: Credential, **more: Any) -> Any:
    data = {
        "name": credential.name,
        "slug": credential.slug,
        "kind": credential.kind,
        "base_url": credential.base_url,
        "enabled": "on",
    }
    return admin.post(f"/admin/console/credential/{credential.pk}/change/", data | more)


def calls_at_a_time(slug: str) -> int | None:
    return built_in(slug).max_concurrent


# ---- the environment


def test_without_environment_no_built_in_is_ready() -> None:
    known = {"openrouter", "anthropic", "openai", "ollama", "local"}
    assert {c.slug for c in Credential.objects.all()} == known
    assert not any(c.is_ready for c in Credential.objects.all())
    assert built_in("openrouter").lacks == "OpenRouter needs an API key."


def test_openrouter_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", f" {KEY}\n")
    credential = built_in("openrouter")
    assert credential.is_ready and credential.from_environment
    assert credential.key.reveal() == KEY
    assert credential.url == "https://openrouter.ai/api/v1"
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://127.0.0.1:9/api/v1/")
    assert credential.url == "http://127.0.0.1:9/api/v1"


def test_an_openai_address_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    credential = built_in("openai")
    assert credential.is_ready and not credential.key


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.com/v1")
    assert "needs an API key" in built_in("openai").lacks
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert built_in("openai").is_ready


def test_a_bare_ollama_host_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "192.0.2.7")
    assert built_in("ollama").url == "http://192.0.2.7:11434/v1"
    assert built_in("ollama").is_ready


def test_anthropic_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert built_in("anthropic").lacks == "Anthropic needs an API key."
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api03-0123456789")
    credential = built_in("anthropic")
    assert (credential.kind, credential.url) == ("anthropic", "https://api.anthropic.com/v1")
    assert credential.is_ready and credential.key.reveal() == "sk-ant-api03-0123456789"
    # As its own programs have it, and the page writes it.
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://gateway.example/anthropic/")
    assert built_in("anthropic").url == "https://gateway.example/anthropic"


def test_what_an_admin_had_named_anthropic_before_goes_on_as_it_was() -> None:
    address = "https://api.anthropic.com/v1"
    Credential.objects.filter(slug="anthropic").delete()
    old = Credential(slug="anthropic", name="Claude", kind="openai_compatible", base_url=address)
    old.secret = Secret(KEY)
    old.save()
    give(apps, "default")
    kept = built_in("anthropic")
    assert (kept.pk, kept.name, kept.kind, kept.environment) == (
        old.pk,
        "Claude",
        "openai_compatible",
        "",
    )
    assert kept.is_ready and kept.key.reveal() == KEY and not kept.from_environment
    made = make_provider(kept.kind, base_url=kept.url, api_key=kept.key, client=httpx.AsyncClient())
    assert type(made) is OpenAICompatible and made._limit_name == "max_tokens"


def test_the_local_model_is_ready_when_it_runs(settings: Settings) -> None:
    assert "manage.py up" in built_in("local").lacks
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    assert built_in("local").is_ready


def test_an_address_that_is_none_is_said_and_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch, admin: Client
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "api.example.com")
    assert "must start with https://" in built_in("openai").lacks
    assert admin.get("/fusion/keys").status_code == 200


def test_the_environment_is_never_written_to_the_database(
    monkeypatch: pytest.MonkeyPatch, admin: Client
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    edit(admin, built_in("openrouter"), api_key="sk-another-0123456789")
    credential = built_in("openrouter")
    assert not credential.secret and credential.key.reveal() == KEY


# ---- binding to an address


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://api.example.com/v2", True),
        ("https://api.example.com:443/v1", True),
        ("https://API.example.com/v1", True),
        ("http://api.example.com/v1", False),
        ("https://api.example.com:8443/v1", False),
        ("https://api.example.com.evil.example/v1", False),
        ("https://evil.example/v1", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, same: bool) -> None:
    assert (origin(url) == origin("https://api.example.com/v1")) is same


def test_another_address_drops_the_key(mine: Credential) -> None:
    mine = Credential.objects.get(pk=mine.pk)
    mine.base_url = "http://evil.example/v1"
    assert not mine.key
    mine.save()
    mine = Credential.objects.get(pk=mine.pk)
    assert not mine.secret and not mine.last_four and not mine.key


def test_a_row_changed_behind_our_back_gives_no_key(mine: Credential) -> None:
    Credential.objects.filter(pk=mine.pk).update(base_url="http://evil.example/v1")
    assert not Credential.objects.get(pk=mine.pk).key


def test_the_admin_asks_for_the_key_again(admin: Client, mine: Credential) -> None:
    with Upstream() as evil:
        response = edit(admin, mine, base_url=evil.url)
        assert "is not sent anywhere else" in response.content.decode()
        edit(admin, mine, base_url=evil.url, forget_key="on")
        admin.post(f"/admin/console/credential/{mine.pk}/test/")
        assert evil.requests
        assert all("authorization" not in r.headers for r in evil.requests)
    assert not Credential.objects.get(pk=mine.pk).secret


def test_another_path_keeps_the_key(admin: Client, mine: Credential) -> None:
    edit(admin, mine, base_url=f"{mine.base_url}/deeper")
    assert Credential.objects.get(pk=mine.pk).key.reveal() == KEY


# ---- the admin's form


def test_an_admin_enters_a_key(admin: Client, upstream: Upstream) -> None:
    data = {
        "name": "New one",
        "slug": "new-one",
        "kind": "openai_compatible",
        "base_url": upstream.url,
        "api_key": f"{KEY}\n",
        "enabled": "on",
    }
    admin.post("/admin/console/credential/add/", data)
    credential = built_in("new-one")
    assert credential.key.reveal() == KEY
    page = admin.get(f"/admin/console/credential/{credential.pk}/change/").content.decode()
    assert 'placeholder="ends in 4f2a"' in page
    assert KEY not in page


def test_calls_at_a_time_are_set_when_a_credential_is_added_and_changed(
    admin: Client, upstream: Upstream
) -> None:
    assert 'name="max_concurrent"' in admin.get("/admin/console/credential/add/").content.decode()
    data = {
        "name": "New one",
        "slug": "new-one",
        "kind": "openai_compatible",
        "base_url": upstream.url,
        "enabled": "on",
        "max_concurrent": "2",
    }
    admin.post("/admin/console/credential/add/", data)
    assert calls_at_a_time("new-one") == 2
    page = f"/admin/console/credential/{built_in('new-one').pk}/change/"
    assert 'name="max_concurrent" value="2"' in admin.get(page).content.decode()
    edit(admin, built_in("new-one"), max_concurrent="3")
    assert calls_at_a_time("new-one") == 3
    edit(admin, built_in("new-one"), max_concurrent="")
    assert calls_at_a_time("new-one") is None


def test_calls_at_a_time_are_set_for_what_the_environment_gives_too(
    monkeypatch: pytest.MonkeyPatch, admin: Client
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    for slug in ("openrouter", "local"):
        edit(admin, built_in(slug), max_concurrent="2")
        assert calls_at_a_time(slug) == 2


def test_no_call_at_a_time_is_refused_and_a_new_number_leaves_the_last_test(
    admin: Client, mine: Credential
) -> None:
    admin.post(f"/admin/console/credential/{mine.pk}/test/")
    html = edit(admin, mine, max_concurrent="0").content.decode()
    assert "greater than or equal to 1" in html and calls_at_a_time("mine") is None
    edit(admin, mine, max_concurrent="1")
    assert calls_at_a_time("mine") == 1 and built_in("mine").test_ok


def test_an_empty_field_keeps_the_key(admin: Client, mine: Credential) -> None:
    edit(admin, mine, name="Renamed")
    mine.refresh_from_db()
    assert mine.name == "Renamed" and mine.key.reveal() == KEY


def test_the_key_can_be_replaced_and_forgotten(admin: Client, mine: Credential) -> None:
    edit(admin, mine, api_key="sk-another-0123456789-9z9z")
    mine = Credential.objects.get(pk=mine.pk)
    assert mine.key.reveal() == "sk-another-0123456789-9z9z" and mine.last_four == "9z9z"
    edit(admin, mine, forget_key="on")
    assert not Credential.objects.get(pk=mine.pk).secret


def test_a_refused_key_changes_nothing(admin: Client, mine: Credential) -> None:
    response = edit(admin, mine, api_key="sk-one\nsk-two")
    html = response.content.decode()
    assert "control character" in html and "sk-one" not in html
    assert Credential.objects.get(pk=mine.pk).key.reveal() == KEY


def test_the_admins_log_names_the_field_and_not_the_key(admin: Client, mine: Credential) -> None:
    edit(admin, mine, api_key="sk-another-0123456789-9z9z")
    entry = LogEntry.objects.get()
    assert "API key" in entry.change_message
    assert "sk-another" not in entry.change_message + entry.object_repr


def test_a_built_in_one_cannot_be_deleted_or_renamed_for_programs(admin: Client) -> None:
    openrouter = built_in("openrouter")
    url = f"/admin/console/credential/{openrouter.pk}/delete/"
    assert admin.post(url, {"post": "yes"}).status_code == 403
    edit(admin, openrouter, slug="other", kind="openai_compatible")
    assert built_in("openrouter").kind == "openrouter"


# ---- testing a key


def test_a_test_from_the_page_says_what_came_of_it(admin: Client, mine: Credential) -> None:
    response = admin.post(f"/admin/console/credential/{mine.pk}/test/", follow=True)
    mine = Credential.objects.get(pk=mine.pk)
    assert mine.test_ok and mine.tested_at
    assert mine.test_result in response.content.decode()


def test_a_test_from_the_list_tries_each(
    admin: Client, mine: Credential, upstream: Upstream
) -> None:
    wrong = Credential.objects.create(
        slug="wrong",
        name="Wrong",
        kind="openai_compatible",
        base_url=upstream.url,
        secret=Secret("sk-wrong-0123456789"),
    )
    action = {"action": "test_keys", "_selected_action": [mine.pk, wrong.pk]}
    html = admin.post("/admin/console/credential/", action, follow=True).content.decode()
    assert "Wrong: The provider refused the key." in html
    assert Credential.objects.get(pk=mine.pk).test_ok is True
    assert Credential.objects.get(pk=wrong.pk).test_ok is False


def test_a_test_of_an_address_without_its_version_says_what_is_wrong(
    admin: Client, mine: Credential, upstream: Upstream
) -> None:
    upstream.script("/models", Script(status=404))
    mine.base_url = upstream.url.removesuffix("/v1")
    mine.save()
    test = f"/admin/console/credential/{mine.pk}/test/"
    html = admin.post(test, follow=True).content.decode()
    assert f"at {upstream.url}: change it to that." in html
    mine.refresh_from_db()
    assert mine.test_ok is False


def test_a_changed_key_counts_as_untested(admin: Client, mine: Credential) -> None:
    admin.post(f"/admin/console/credential/{mine.pk}/test/")
    edit(admin, mine, api_key="sk-another-0123456789-9z9z")
    mine = Credential.objects.get(pk=mine.pk)
    assert mine.tested_at is None and mine.test_ok is None


def test_a_test_takes_a_post(admin: Client, mine: Credential) -> None:
    assert admin.get(f"/admin/console/credential/{mine.pk}/test/").status_code == 405


# ---- what a site starts with


def test_a_second_migration_keeps_edits_and_brings_nothing_back() -> None:
    Preset.objects.filter(slug="quality").update(name="Ours")
    Preset.objects.get(slug="budget").delete()
    Credential.objects.filter(slug="ollama").update(base_url="http://192.0.2.7:11434/v1")
    call_command("migrate", verbosity=0)
    assert {p.slug: p.name for p in Preset.objects.all()} == {"quality": "Ours", "local": "Local"}
    assert built_in("ollama").base_url == "http://192.0.2.7:11434/v1"


def test_a_shell_beside_a_running_stack_counts_the_stack_s_keys(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential = Credential.objects.get(slug="openrouter")
    assert not credential.is_ready
    monkeypatch.setenv("FUSION_STACK_KEYS", "openrouter")
    assert credential.is_ready and not credential.key
