"""What a page loads: one version of everything, by addresses that say which."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.views.defaults import server_error

from console.site.statics import Statics, VersionedStatics
from console.templatetags.modules import modules

from .story import Story

FOLDER = Path(settings.BASE_DIR, "static")
MODULES = sorted(FOLDER.rglob("*.js"))
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)[ (]*(["'])(.+?)\1""")
HASHED = re.compile(r"\.[0-9a-f]{12}\.(js|css|svg)$")
# What a browser keeps for good under a name without a hash: another file needs another name.
FONTS = {
    "/static/console/fonts/inter-latin-wght-normal.woff2": "3100e775e861",
    "/static/console/fonts/source-serif-4-latin-wght-italic.woff2": "b4f56ddc9873",
    "/static/console/fonts/source-serif-4-latin-wght-normal.woff2": "382475f38242",
}


def map_of(html: str) -> tuple[str, dict[str, str]]:
    """The nonce of the page's import map, and its addresses."""
    found = re.findall(r'<script type="importmap" nonce="(.+?)">(.+?)</script>', html)
    assert len(found) == 1
    nonce, text = found[0]
    return nonce, json.loads(text)["imports"]


@pytest.mark.django_db
def test_a_page_names_one_version_of_each_module_and_allows_no_other_inline_script(
    client: Client, alice: User
) -> None:
    run = Story().whole().save(alice)
    client.force_login(alice)
    nonces = set()
    for url in ("/fusion", "/fusion/runs", f"/fusion/runs/{run.pk}", "/fusion/nowhere", "/v1/docs"):
        response = client.get(url)
        html = response.content.decode()
        nonce, addresses = map_of(html)
        assert f"script-src 'self' 'nonce-{nonce}';" in response["Content-Security-Policy"] + ";"
        nonces.add(nonce)
        loaded = re.findall(r'<script type="module" src="(.+?)"', html)
        assert loaded and set(loaded) <= set(addresses.values())
        linked = re.findall(r'(?:src|href)="(/static/.+?)"', html)
        assert {address for address in linked if not HASHED.search(address)} <= FONTS.keys()
        # A map counts for what is loaded after it only.
        assert html.index("importmap") < min(html.index(address) for address in loaded)
    assert len(nonces) == 5


@pytest.mark.django_db
def test_whoever_could_not_be_read_gets_a_page_without_modules_and_nonce(
    rf: RequestFactory,
) -> None:
    assert "importmap" not in server_error(rf.get("/")).content.decode()


@pytest.mark.django_db
def test_every_module_is_served_at_its_address_for_good(client: Client) -> None:
    assert len(modules()) == len(MODULES)
    for name, address in modules().items():
        response = client.get(address)
        body = b"".join(response)  # type: ignore[arg-type]
        assert body == (FOLDER / f"{name}.js").read_bytes()
        assert response["Content-Type"].startswith("text/javascript")
        assert "immutable" in response["Cache-Control"]
    assert client.get(f"/static/{name}.000000000000.js").status_code == 404


@pytest.mark.django_db
def test_fonts_are_served_for_good_and_asked_for_before_the_style_sheet_that_names_them(
    client: Client,
) -> None:
    html = client.get("/fusion", follow=True).content.decode()
    early = re.findall(r'<link rel="preload" href="([^"]+)" as="font"', html)
    assert len(early) == 2 and html.index(early[-1]) < html.index('rel="stylesheet"')
    sheet = (FOLDER / "console/tokens.css").read_text()
    named = {f"/static/console/{name}" for name in re.findall(r'url\("(fonts/[^"]+)"\)', sheet)}
    assert named == FONTS.keys() >= set(early)
    for address, digest in FONTS.items():
        response = client.get(address)
        body = b"".join(response)  # type: ignore[arg-type]
        assert hashlib.sha256(body).hexdigest().startswith(digest), f"{address}: give it a new name"
        assert "immutable" in response["Cache-Control"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_module_imports_by_the_names_of_the_map_only(path: Path) -> None:
    imported = {name for _, name in IMPORTED.findall(path.read_text())}
    folder = path.parent.name if path.parent.parent.name == "console" else ""
    # The list of models is beside whatever names one.
    assert imported <= set(modules([folder, "picker"])) < set(modules())


def test_a_file_changed_under_a_running_server_is_not_served_as_what_it_was(
    tmp_path: Path, rf: RequestFactory
) -> None:
    file = tmp_path / "console" / "new.js"
    file.parent.mkdir()
    file.write_text("export const one = 1;")

    async def nothing(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404)

    # With the root, too, Django forgets the storage that knows the files before.
    with override_settings(STATICFILES_DIRS=[tmp_path], STATIC_ROOT=tmp_path / "root"):
        server: Any = Statics(nothing)
        (address,) = (url for url in server.versions if "/console/new." in url)
        ask = async_to_sync(server)
        assert ask(rf.get(address)).status_code == 200
        file.write_text("export const two = 2;")
        os.utime(file, (1, 1))
        assert ask(rf.get(address)).status_code == 404


def test_with_debug_files_go_by_their_own_names() -> None:
    with override_settings(DEBUG=True):
        assert VersionedStatics().url("console/page.js") == "/static/console/page.js"
        assert modules()["console/page"] == "/static/console/page.js"


def test_collected_files_stand_under_both_their_names(tmp_path: Path) -> None:
    with override_settings(STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0)
    collected = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.js")}
    for name, address in modules().items():
        assert {f"{name}.js", address.removeprefix("/static/")} <= collected


def test_every_address_that_a_template_names_is_there() -> None:
    named = {
        name
        for file in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for name in re.findall(r"{% static '([^']+)' %}", file.read_text())
    }
    assert named and {name for name in named if not (FOLDER / name).exists()} == set()
