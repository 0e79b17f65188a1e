"""One address of this site, wherever people and programs are told it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from console.site.public_url import public_url

from .story import Story, a_spec

FORM = {"name": "mine", "scopes": ["run"], "expires_days": "90"}


@pytest.mark.parametrize(
    ("base", "host", "asked", "address"),
    [
        ("https://fusion.example", "0.0.0.0", True, "https://fusion.example/v1"),
        ("https://fusion.example", "0.0.0.0", False, "https://fusion.example/v1"),
        ("", "0.0.0.0", True, "http://testserver/v1"),
        ("", "0.0.0.0", False, "http://127.0.0.1:8123/v1"),
        ("", "::", False, "http://[::1]:8123/v1"),
        ("", "fusion.lan", False, "http://fusion.lan:8123/v1"),
    ],
)
def test_the_address_set_is_told_else_the_one_asked_else_the_one_listened_on(
    settings: Settings, base: str, host: str, asked: bool, address: str
) -> None:
    settings.BASE_URL, settings.HOST, settings.PORT = base, host, 8123
    request = RequestFactory().get("/fusion/tokens") if asked else None
    assert public_url("/v1", request) == address


def test_behind_a_proxy_every_page_tells_the_address_set(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.BASE_URL = "https://fusion.example"
    run = Story(a_spec("maker/alpha")).begin().save(alice)
    client.force_login(alice)
    told = {
        "https://fusion.example/v1": client.post("/fusion/tokens", FORM),
        "https://fusion.example/fusion/shared/": client.post(
            f"/fusion/runs/{run.pk}/share", {"visibility": "link"}
        ),
        "https://fusion.example/v1/runs": client.get("/v1/docs"),
    }
    for address, page in told.items():
        html = page.content.decode()
        assert address in html and "//testserver" not in html
