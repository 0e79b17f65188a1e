"""Model servers on this machine: offered to an admin, and made a preset of after a yes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from console.models import Credential, Preset, Seed
from console.services import nearby
from console.services.errors import Refused
from console.services.nearby import server_decline, server_use, servers_near
from console.services.presets import default_preset_slug, preset_lacks, preset_spec
from console.site.sample import sample_give
from tests.upstream import Upstream
from tests.upstream.ollama import Ollama, listed

pytestmark = pytest.mark.django_db

SIZES = {"gemma3:12b": "12.2B", "qwen3:8b": "8.2B", "phi4:latest": "14.7B", "qwen3:4b": "4B"}
BY_HTMX = {"HX-Request": "true"}
Look = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(nearby, "PATIENCE", 30)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def look_at(settings: Any) -> Look:
    def look_at(*ports: int) -> None:
        settings.LOCAL_SERVER_PORTS = list(ports)

    return look_at


@pytest.fixture
def ollama(look_at: Look) -> Iterator[Ollama]:
    with Ollama(SIZES) as ollama:
        look_at(ollama.port)
        yield ollama


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def part(admin: Client, query: str = "?open") -> str:
    return admin.get(f"/fusion/servers{query}", headers=BY_HTMX).content.decode()


def post(admin: Client, **data: str) -> HttpResponse:
    response: HttpResponse = admin.post("/fusion/servers", data, follow=True)
    return response


def seats(preset: Preset) -> list[tuple[str, str]]:
    return [(p.credential.slug, p.model) for p in preset.panelists.all()]


def test_an_admin_is_offered_what_was_found_and_nothing_was_asked_of_it(
    admin: Client, ollama: Ollama
) -> None:
    html = part(admin)
    assert "Ollama was found: 4 models" in html
    assert "phi4:latest, gemma3:12b, qwen3:8b" in html and "Use these" in html
    assert "Nothing was sent to them yet." in html and "<html" not in html
    assert {r.method for r in ollama.requests} == {"GET"} and ollama.calls == []
    assert not Credential.objects.get(slug="ollama").is_ready


def test_whoever_looks_again_at_once_is_told_what_was_found_a_moment_ago(
    admin: Client, ollama: Ollama
) -> None:
    part(admin)
    asked = len(ollama.requests)
    assert "Ollama was found" in part(admin)
    assert len(ollama.requests) == asked


def test_a_yes_makes_the_local_preset_of_its_three_largest_families(
    admin: Client, ollama: Ollama
) -> None:
    html = post(admin, use=ollama.url).content.decode()
    assert "Three models of Ollama on this machine." in html
    local = Preset.objects.get(slug="local")
    assert seats(local) == [("ollama", n) for n in ("phi4:latest", "gemma3:12b", "qwen3:8b")]
    assert (local.judge_credential.slug, local.judge_model) == ("ollama", "phi4:latest")
    assert local.judge_credential.url == ollama.url and not local.judge_credential.secret
    assert preset_lacks(local) == "" and default_preset_slug() == "local"
    spec = preset_spec(local)
    assert [p.label for p in spec.panel] == ["", "", ""] and spec.panel[0].max_output_tokens == 4000
    assert "Ollama was found" not in part(admin)
    assert "A preset asks its models." in part(admin, "")


def test_not_now_is_remembered_and_the_keys_page_offers_it_all_the_same(
    admin: Client, ollama: Ollama
) -> None:
    html = post(admin, not_now=ollama.url).content.decode()
    assert "It stays at hand under Provider keys." in html
    assert "Ollama was found" not in part(admin)
    assert "Use these" in part(admin, "") and "Not now" not in part(admin, "")
    assert seats(Preset.objects.get(slug="local"))[0][0] == "local"
    server_use(url=ollama.url)
    assert seats(Preset.objects.get(slug="local"))[0][0] == "ollama"


@pytest.mark.parametrize(
    ("sizes", "models", "labels"),
    [
        ({"qwen3:8b": "8.2B"}, ["qwen3:8b"] * 3, ["careful", "plain", "bold"]),
        ({"qwen3:8b": "8B", "gemma3:4b": "4B"}, ["qwen3:8b", "gemma3:4b"], ["", ""]),
        (
            {"qwen3:8b": "8B", "qwen3:4b": "4B", "qwen3:1.7b": "1.7B"},
            ["qwen3:8b", "qwen3:4b", "qwen3:1.7b"],
            [""] * 3,
        ),
        ({"bge-m3": "1B", "llama3.2:3b": "3B"}, ["llama3.2:3b"] * 3, ["careful", "plain", "bold"]),
    ],
)
def test_fewer_models_make_a_panel_of_what_there_is(
    look_at: Look, sizes: dict[str, str], models: list[str], labels: list[str]
) -> None:
    with Ollama(sizes) as ollama:
        look_at(ollama.port)
        preset = server_use(url=ollama.url)
    assert [p.model for p in preset.panelists.all()] == models
    assert [p.label for p in preset.panelists.all()] == labels
    assert preset.judge_model == models[0]


def _edit_the_words(preset: Preset) -> None:
    Preset.objects.filter(pk=preset.pk).update(criteria="Weigh legal risk.")


def _edit_a_seat(preset: Preset) -> None:
    preset.panelists.filter(seat=1).update(temperature=1.5)


def _leave_a_seat_out(preset: Preset) -> None:
    preset.panelists.filter(seat=2).delete()


def _switch_off(preset: Preset) -> None:
    Preset.objects.filter(pk=preset.pk).update(enabled=False)


def _delete(preset: Preset) -> None:
    preset.delete()


@pytest.mark.parametrize(
    "edit", [_edit_the_words, _edit_a_seat, _leave_a_seat_out, _switch_off, _delete]
)
def test_a_local_preset_that_an_admin_has_made_their_own_stays(
    ollama: Ollama, edit: Callable[[Preset], None]
) -> None:
    edit(Preset.objects.get(slug="local"))
    before = list(Preset.objects.filter(slug="local").values())
    preset = server_use(url=ollama.url)
    assert (preset.slug, preset.name) == ("local-ollama", "Local (Ollama)")
    assert list(Preset.objects.filter(slug="local").values()) == before
    assert default_preset_slug() == "local-ollama"


def test_a_second_yes_takes_the_models_that_are_there_now(ollama: Ollama) -> None:
    server_use(url=ollama.url)
    ollama.script("/v1/models", listed("llama3.2:3b", owned_by="library"))
    preset = server_use(url=ollama.url)
    assert preset.slug == "local" and Preset.objects.filter(slug__startswith="local").count() == 1
    assert {p.model for p in preset.panelists.all()} == {"llama3.2:3b"}
    _edit_a_seat(preset)
    assert server_use(url=ollama.url).slug == "local-ollama"


def test_a_server_of_another_name_gets_a_credential_of_its_own(look_at: Look) -> None:
    with Upstream() as up:
        up.script("/v1/models", listed("qwen3-8b", owned_by="organization_owner"))
        look_at(up.port)
        preset = server_use(url=up.url)
        credential = preset.judge_credential
        assert (credential.slug, credential.name) == ("lm-studio", "LM Studio")
        assert credential.url == up.url and credential.is_ready and credential.test_ok
        assert credential.is_on_own_machine and credential.kind == "openai_compatible"
        assert server_use(url=up.url).judge_credential == credential


def test_a_credential_that_an_admin_has_for_that_server_is_used(ollama: Ollama) -> None:
    house = Credential.objects.create(
        slug="house",
        name="House",
        kind="openai_compatible",
        base_url=f"http://localhost:{ollama.port}/v1",
        enabled=False,
    )
    (offer,) = servers_near()
    assert offer.is_open
    assert server_use(url=offer.server.url).judge_credential == house
    house.refresh_from_db()
    assert house.is_ready and not Credential.objects.get(slug="ollama").is_ready


def test_the_row_of_ollama_that_leads_elsewhere_is_left_alone(ollama: Ollama) -> None:
    Credential.objects.filter(slug="ollama").update(base_url="http://gpu.lan:11434/v1")
    credential = server_use(url=ollama.url).judge_credential
    assert (credential.slug, credential.name) == ("ollama-2", "Ollama 2")


def test_what_ollama_host_names_is_offered_and_keeps_its_variable(
    look_at: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ollama(SIZES) as ollama:
        look_at(ollama.port)
        monkeypatch.setenv("OLLAMA_HOST", f"0.0.0.0:{ollama.port}")
        (offer,) = servers_near()
        assert offer.is_open and offer.server.url == ollama.url
        preset = server_use(url=ollama.url)
    assert preset.judge_credential.slug == "ollama"
    assert preset.judge_credential.from_environment and not preset.judge_credential.base_url


def test_what_ollama_host_names_is_offered_on_the_first_page_until_it_is_answered(
    admin: Client, look_at: Look, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SAMPLE = True
    sample_give()

    def is_offered() -> bool:
        return "/fusion/servers?open" in admin.get("/fusion").content.decode()

    with Ollama(SIZES) as ollama:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{ollama.port}")
        look_at(9)
        assert is_offered()
        look_at()
        assert not is_offered()
        look_at(9)
        server_decline(url=ollama.url)
        assert not is_offered()
        Seed.objects.filter(name__startswith="server:").delete()
        assert is_offered()
        server_use(url=ollama.url)
        assert not is_offered()
        Seed.objects.filter(name__startswith="server:").delete()
        assert not is_offered()
        assert default_preset_slug() == "local"


def test_what_is_switched_off_asks_nobody(
    admin: Client, ollama: Ollama, look_at: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{ollama.port}")
    look_at()
    assert "that is switched off" in part(admin)
    assert ollama.requests == []


@pytest.mark.parametrize("ours", ["PORT", "LOCAL_MODEL_URL", "BASE_URL", "REDIS_URL"])
def test_a_port_of_ours_is_not_asked(ollama: Ollama, settings: Any, ours: str) -> None:
    here = {"PORT": ollama.port, "REDIS_URL": f"redis://localhost:{ollama.port}"}
    setattr(settings, ours, here.get(ours, f"http://127.0.0.1:{ollama.port}/v1"))
    assert servers_near() == [] and ollama.requests == []


@pytest.mark.parametrize("url", ["", "http://169.254.169.254/v1", "http://127.0.0.1:1/v1", "junk"])
def test_only_what_was_found_can_be_used(admin: Client, ollama: Ollama, url: str) -> None:
    html = post(admin, use=url).content.decode()
    assert "does not answer any more" in html
    assert "No such server was found." in post(admin, not_now=url or "x").content.decode()
    assert not Seed.objects.filter(name__startswith="server:").exists()
    assert seats(Preset.objects.get(slug="local"))[0][0] == "local"


def test_a_server_that_went_away_meanwhile_changes_nothing(admin: Client, look_at: Look) -> None:
    with Ollama(SIZES) as ollama:
        look_at(ollama.port)
        assert "Use these" in part(admin)
    with pytest.raises(Refused, match="does not answer any more"):
        server_use(url=ollama.url)
    assert not Seed.objects.filter(name__startswith="server:").exists()


def test_a_member_is_neither_shown_nor_obeyed(client: Client, alice: User, ollama: Ollama) -> None:
    client.force_login(alice)
    assert client.get("/fusion/servers").headers["Location"] == "/fusion/keys"
    for act in ("use", "not_now"):
        client.post("/fusion/servers", {act: ollama.url})
    assert ollama.requests == [] and not Seed.objects.filter(name__startswith="server:").exists()


def test_a_name_that_a_server_made_up_is_text(admin: Client, look_at: Look) -> None:
    with Upstream() as up:
        up.script("/v1/models", listed("<img src=x onerror=alert(1)>"))
        look_at(up.port)
        html = part(admin)
    assert "&lt;img src=x" in html and "<img" not in html


def test_what_was_being_written_comes_back_without_javascript(
    admin: Client, ollama: Ollama
) -> None:
    page = post(admin, use=ollama.url, prompt="Does it hold?")
    assert "Does it hold?</textarea>" in page.content.decode()


def test_a_part_of_the_first_page_stands_in_a_form_and_brings_none(
    admin: Client, ollama: Ollama
) -> None:
    html = part(admin)
    assert "<form" not in html and html.count('formaction="/fusion/servers"') == 2
    assert "<form" in part(admin, "")


def test_without_javascript_it_is_a_page(admin: Client, ollama: Ollama) -> None:
    html = admin.get("/fusion/servers").content.decode()
    assert "<html" in html and re.search(r'<button[^>]+value="' + ollama.url, html)
    assert 'href="/fusion/servers"' in admin.get("/fusion/keys").content.decode()


def test_two_servers_are_answered_each_for_itself(admin: Client, look_at: Look) -> None:
    with Ollama(SIZES) as ollama, Upstream() as up:
        up.script("/v1/models", listed("gemma-3-12b", owned_by="llamacpp"))
        look_at(ollama.port, up.port)
        assert part(admin).count("was found") == 2
        server_decline(url=up.url)
        assert "Ollama was found" in part(admin) and "llama.cpp" not in part(admin)
