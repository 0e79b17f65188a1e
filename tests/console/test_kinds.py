"""Kinds of providers made within a test appear everywhere and take no migration."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from console.catalog.listings import all_models, models_of
from console.catalog.prices import context_length_of, price_of
from console.engine.terms import Terms
from console.engine.usage import Price
from console.models import Credential, Preset
from console.providers import kinds
from console.providers.fake import FakeProvider
from console.providers.kinds import Kind, Server
from console.providers.listing import CredentialTest, ModelInfo
from console.providers.registry import make_provider
from console.services.build_spec import find_panelist
from console.services.presets import default_preset_slug
from console.site.checks import provider_addresses_are_addresses
from fusion_site.bootstrap import up_options
from fusion_site.supervisor import Supervisor
from fusion_site.var_dir import VarDir
from tests.startup.running import BARE_PYTHON

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-parrot-0123456789-4f2a"
HOME = "https://parrot.example/v1"
PARROT = Kind(
    slug="parrot",
    label="Parrot AI",
    module="parrot_for_tests",
    servers=(
        Server(
            slug="parrot",
            name="Parrot",
            address=HOME,
            key_variable="PARROT_API_KEY",
            address_variable="PARROT_BASE_URL",
            needs_key=True,
        ),
    ),
    has_home=True,
    output_tokens=1234,
    published_as="anthropic",
    starter_preset="parrots",
)
FLOCK = Kind(
    slug="flock",
    label="Flock server",
    module=PARROT.module,
    servers=(Server(slug="parrots", name="Parrots at home", address_variable="PARROT_HOST"),),
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """(address, key) of every question to the parrot."""
    return []


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, str]]) -> Iterator[Kind]:
    """Known for as long as the test, with a module that is defined here."""
    module = ModuleType(PARROT.module)

    async def list_models(*, base_url: str, api_key: Any, **_: Any) -> list[ModelInfo]:
        asked.append((base_url, api_key.reveal()))
        price = Price(Decimal(3), Decimal(7))
        return [ModelInfo("ara", "Ara", 4321, price), ModelInfo("kea", "Kea")]

    async def test_credential(*, base_url: str, api_key: Any, **_: Any) -> CredentialTest:
        asked.append((base_url, api_key.reveal()))
        return CredentialTest(api_key.reveal() == KEY, "The parrot has heard it.", 0)

    module.__dict__.update(
        make=lambda **_: FakeProvider(), list_models=list_models, test_credential=test_credential
    )
    monkeypatch.setitem(sys.modules, PARROT.module, module)
    for kind in (PARROT, FLOCK):
        monkeypatch.setitem(kinds.KINDS, kind.slug, kind)
    cache.clear()
    call_command("migrate", verbosity=0)  # as the start of a version that brings it
    yield PARROT
    cache.clear()


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def built_in(slug: str) -> Credential:
    return Credential.objects.get(slug=slug)


def test_it_takes_no_migration() -> None:
    """In a process of its own, where the kind is known before the models are made."""
    program = (
        "from console.providers import kinds; "
        "kinds.KINDS['parrot'] = kinds.Kind('parrot', 'Parrot', 'parrot', "
        "(kinds.Server('parrot', 'Parrot', key_variable='PARROT_API_KEY'),)); "
        "from django.core.management import execute_from_command_line as go; "
        "go(['manage.py', 'makemigrations', '--check', '--dry-run'])"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "fusion_site.settings"},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, "No changes detected\n"), ended.stderr


def test_its_servers_are_among_what_a_site_starts_with(parrot: Kind) -> None:
    home, elsewhere = built_in("parrot"), built_in("parrots")
    assert (home.name, home.kind, home.base_url) == ("Parrot", "parrot", HOME)
    assert (home.environment, home.lacks) == ("parrot", "Parrot needs an API key.")
    assert elsewhere.lacks == (
        "Parrots at home is not set up: set PARROT_HOST or give its base URL."
    )


def test_the_admin_offers_it_and_takes_it(admin: Client, parrot: Kind) -> None:
    add = "/admin/console/credential/add/"
    assert '<option value="parrot">Parrot AI</option>' in admin.get(add).content.decode()
    data = {"name": "Mine", "slug": "mine", "kind": "parrot", "base_url": HOME, "enabled": "on"}
    assert admin.post(add, data | {"api_key": KEY}).status_code == 302
    assert built_in("mine").kind == "parrot" and built_in("mine").is_ready


def test_the_key_page_asks_for_its_key_alone_and_tries_it(
    admin: Client, parrot: Kind, asked: list[tuple[str, str]]
) -> None:
    html = admin.get("/fusion/keys").content.decode()
    assert "Parrot AI" in html and "Address (OpenAI-compatible server, Flock server)" in html
    empty = admin.post("/fusion/keys", {"kind": "parrot", "api_key": ""})
    assert "Paste the key." in empty.content.decode() and not asked
    html = admin.post("/fusion/keys", {"kind": "parrot", "api_key": KEY}, follow=True)
    assert "Parrot is saved. The parrot has heard it." in html.content.decode()
    assert asked == [(HOME, KEY)] * 2, "it was tried, and then asked for its models"
    assert Credential.objects.filter(kind="parrot").count() == 1
    assert built_in("parrot").is_ready and built_in("parrot").key.reveal() == KEY


def test_an_older_credential_of_its_home_s_name_is_not_taken_for_it(
    parrot: Kind, admin: Client
) -> None:
    Credential.objects.filter(slug="parrot").update(environment="", kind="openai_compatible")
    admin.post("/fusion/keys", {"kind": "parrot", "api_key": KEY})
    assert built_in("parrot").kind == "openai_compatible" and not built_in("parrot").secret
    assert built_in("parrot-2").kind == "parrot" and built_in("parrot-2").is_ready


def test_the_environment_fills_it(
    admin: Client, parrot: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARROT_BASE_URL", "http://127.0.0.1:9/v1/")
    assert not built_in("parrot").from_environment, "every call there needs a key"
    monkeypatch.setenv("PARROT_API_KEY", KEY)
    monkeypatch.setenv("PARROT_HOST", "http://127.0.0.1:7/v1")
    home, elsewhere = built_in("parrot"), built_in("parrots")
    assert (home.url, home.key.reveal(), home.lacks) == ("http://127.0.0.1:9/v1", KEY, "")
    assert elsewhere.url == "http://127.0.0.1:7/v1" and not elsewhere.key
    html = admin.post("/fusion/keys", {"kind": "parrot", "api_key": KEY}).content.decode()
    assert "comes from the environment (PARROT_API_KEY), which wins" in html


def test_its_variables_are_checked(parrot: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not provider_addresses_are_addresses()
    monkeypatch.setenv("PARROT_HOST", "parrot.example")
    (error,) = provider_addresses_are_addresses()
    assert error.msg.startswith("PARROT_HOST: ")


def test_its_models_prices_and_limits_are_known(
    parrot: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARROT_API_KEY", KEY)
    credential = built_in("parrot")
    published = price_of(credential, "claude-3-5-haiku-latest")
    assert published and published.input > 0, "as published, before anybody has asked it"
    models, error = models_of(credential)
    assert ([m.model for m in models], error) == (["ara", "kea"], "")
    assert price_of(credential, "ara") == Price(Decimal(3), Decimal(7))
    assert context_length_of(credential, "ara") == 4321
    panelist = find_panelist("ara", Terms())
    assert (panelist.credential, panelist.max_output_tokens) == ("parrot", 1234)
    assert not panelist.has_own_limit


def test_a_preset_for_it_is_offered_first(parrot: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARROT_API_KEY", KEY)
    credential = built_in("parrot")
    preset = Preset.objects.create(
        slug="parrots", name="Parrots", judge_credential=credential, judge_model="ara", position=99
    )
    preset.panelists.create(seat=0, credential=credential, model="ara")
    assert default_preset_slug() == "parrots"


def test_runs_are_answered_by_its_module(parrot: Kind) -> None:
    provider = make_provider("parrot", base_url=HOME, api_key=KEY, client=httpx.AsyncClient())
    assert isinstance(provider, FakeProvider)


def test_up_passes_on_its_variables_and_never_its_key(
    parrot: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FUSION_VAR_DIR", str(tmp_path))
    monkeypatch.delenv("FUSION_LOCAL_MODEL_URL", raising=False)
    options = up_options(["--port", "0"])
    assert Supervisor(options, VarDir()).wants_model
    monkeypatch.setenv("PARROT_API_KEY", KEY)
    monkeypatch.setenv("PARROT_HOST", "http://127.0.0.1:7/v1")
    supervisor = Supervisor(options, VarDir())
    assert not supervisor.wants_model, "its starter preset runs with that key"
    supervisor._tell_runtime()
    told = (tmp_path / "runtime.json").read_text()
    assert json.loads(told)["FUSION_STACK_KEYS"].split() == ["parrot"]
    assert json.loads(told)["PARROT_HOST"] == "http://127.0.0.1:7/v1"
    assert KEY not in told
    monkeypatch.delenv("PARROT_API_KEY")
    monkeypatch.setenv("FUSION_STACK_KEYS", "parrot")
    assert built_in("parrot").is_ready, "to a shell beside it"
    hint = built_in("local").lacks
    assert "unless OPENROUTER_API_KEY or ANTHROPIC_API_KEY or PARROT_API_KEY is set" in hint


def test_up_reads_kinds_on_a_bare_python() -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import fusion_site.supervisor"
    ended = subprocess.run([BARE_PYTHON, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


# ---- a kind that only a newer version knows


@pytest.fixture
def pigeon() -> Credential:
    return Credential.objects.create(
        slug="pigeon", name="Pigeon", kind="carrier_pigeon", base_url="http://127.0.0.1:9/v1"
    )


def test_an_unknown_kind_is_shown_as_it_is_and_refused_when_asked(
    admin: Client, pigeon: Credential
) -> None:
    said = "This version knows no kind of provider named “carrier_pigeon”"
    for page in ("/fusion/keys", "/admin/console/credential/"):
        assert said in admin.get(page).content.decode()
    change = f"/admin/console/credential/{pigeon.pk}/"
    shown = admin.get(f"{change}change/").content.decode()
    assert '<option value="carrier_pigeon" selected>carrier_pigeon</option>' in shown
    assert said in admin.post(f"{change}test/", follow=True).content.decode()
    assert admin.get("/fusion").status_code == 200
    assert models_of(pigeon)[1].startswith(f"Pigeon: {said}") and all_models() == ([], [])
    assert price_of(pigeon, "a-model-nobody-has") is None


def test_an_unknown_kind_may_stay_and_is_not_chosen(admin: Client, pigeon: Credential) -> None:
    data = {"name": "Ours", "slug": "pigeon", "kind": "carrier_pigeon", "base_url": "http://a/v1"}
    assert admin.post(f"/admin/console/credential/{pigeon.pk}/change/", data).status_code == 302
    pigeon.refresh_from_db()
    assert (pigeon.name, pigeon.enabled, pigeon.kind) == ("Ours", False, "carrier_pigeon")
    said = (
        "knows no kind of provider named “owl”: it knows openrouter, anthropic, openai_compatible."
    )
    for page, slug in (("/admin/console/credential/add/", "new"), ("/fusion/keys", "")):
        html = admin.post(page, data | {"kind": "owl", "slug": slug}).content.decode()
        assert html.count(said) == 1
    pigeon.full_clean()
    with pytest.raises(ValidationError, match="owl"):
        Credential(slug="owl", name="Owl", kind="owl").full_clean()
    assert not Credential.objects.filter(kind="owl").exists()


# ---- nobody else tells one kind from another


def test_only_providers_compare_with_the_name_of_a_kind() -> None:
    names = {*kinds.KINDS, *(server.slug for _, server in kinds.servers())}
    elsewhere = [
        path
        for path in [*ROOT.glob("console/**/*.py"), *ROOT.glob("fusion_site/*.py")]
        if not {"providers", "migrations"} & set(path.parts)
    ]
    assert len(elsewhere) > 100
    found = [f"{p.relative_to(ROOT)}:{line}" for p in elsewhere for line in _compared(p, names)]
    assert not found, "ask the Kind or the Server what is to be known of it"


def _compared(path: Path, names: set[str]) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Compare(left=left, comparators=right):
                parts = [left, *right]
            case ast.MatchValue(value=value):
                parts = [value]
            case _:
                continue
        for part in (p for whole in parts for p in ast.walk(whole)):
            if isinstance(part, ast.Constant) and part.value in names:
                yield part.lineno
