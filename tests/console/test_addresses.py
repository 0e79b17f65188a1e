"""Whose address counts: what trusted proxies wrote, and nothing that anybody may write."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from console.site.addresses import FromProxies, client_of, counted, networks

OURS = networks(("10.0.0.0/8", "127.0.0.1", "2001:db8:ffff::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # of one proxy
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7:5050"], "192.0.2.7"),
        ("127.0.0.1", ["[2001:db8::1]:5050"], "2001:db8::1"),
        ("127.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("127.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("::ffff:127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("2001:db8:ffff::2", ["192.0.2.7"], "192.0.2.7"),
        # of two, in one line or two
        ("127.0.0.1", ["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7", "10.1.2.3"], "192.0.2.7"),
        # what the client wrote itself stands before what proxies wrote
        ("127.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["203.0.113.9", "192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["10.9.9.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        # what is no address is nobody's: the proxy that wrote it asks
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7, garbage, 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        # whoever is no proxy of ours may write what it likes
        ("192.0.2.7", ["203.0.113.9"], "192.0.2.7"),
        ("192.0.2.7", ["127.0.0.1"], "192.0.2.7"),
        ("192.0.2.7", ["203.0.113.9, 10.1.2.3"], "192.0.2.7"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_the_client_is_the_first_that_no_proxy_of_ours_is(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert client_of(peer, forwarded, OURS) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_of("127.0.0.1", ["192.0.2.7"], ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_what_is_counted_is_what_one_client_has(one: str, other: str, is_one: bool) -> None:
    assert (counted(one) == counted(other)) == is_one


async def seen(peer: str, *headers: tuple[bytes, bytes], kind: str = "http") -> dict[str, Any]:
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)

    scope = {"type": kind, "client": [peer, 5050], "headers": list(headers)}
    await FromProxies(application)(scope, None, None)
    return scopes[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_pages_and_sockets_alike_are_asked_by_the_client(
    settings: Settings, kind: str
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    scope = await seen("10.0.0.1", (b"x-forwarded-for", b"192.0.2.7"), kind=kind)
    assert scope["client"] == ["192.0.2.7", 0]
    scope = await seen("10.0.0.1", kind=kind)
    assert scope["client"] == ["10.0.0.1", 5050]


async def test_whoever_comes_past_the_proxies_cannot_say_that_the_line_is_safe(
    settings: Settings,
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    safe = (b"x-forwarded-proto", b"https")
    assert (await seen("192.0.2.7", safe))["headers"] == []
    assert (await seen("10.0.0.1", safe))["headers"] == [safe]


@pytest.mark.parametrize("name", ["proxy.example.org", "10.0.0.0/99", "*"])
def test_what_is_no_address_is_said_at_the_start(settings: Settings, name: str) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", name]
    assert "console.E010" in [message.id for message in run_checks()]


@pytest.mark.parametrize(
    ("base", "proxies", "warned"),
    [
        ("https://fusion.example.org", [], True),
        ("https://fusion.example.org", ["127.0.0.1"], False),
        ("", [], False),
    ],
)
def test_a_public_address_without_a_proxy_is_asked_about(
    settings: Settings, base: str, proxies: list[str], warned: bool
) -> None:
    settings.BASE_URL, settings.TRUSTED_PROXIES = base, proxies
    messages = run_checks(include_deployment_checks=True)
    assert ("console.W001" in [message.id for message in messages]) == warned
