"""Apps that live in a browser: which pages' scripts may ask, and what they may read."""

from __future__ import annotations

import httpx
import pytest

from console.site.checks import origins_are_some

from .conftest import APP, Api
from .test_chat import ASK

PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang",
}
PATHS = ("/chat/completions", "/responses", "/models", "/runs", "/nowhere")


def preflight(api: Api, path: str, origin: str) -> httpx.Response:
    return httpx.options(api.url + path, headers=PREFLIGHT | {"Origin": origin}, timeout=60)


def allowed(response: httpx.Response) -> str | None:
    assert "access-control-allow-credentials" not in response.headers
    return response.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_is_listed_may_ask(another: Api, path: str) -> None:
    for origin in (APP, "http://localhost:3000"):
        response = preflight(another, path, origin)
        assert response.status_code == 200 and allowed(response) == origin
        assert "POST" in response.headers["access-control-allow-methods"]
        headers = response.headers["access-control-allow-headers"].split(", ")
        assert {"*", "Authorization"} <= set(headers)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.org",
        f"{APP}:8443",
        f"{APP}.evil.example",
        "null",
    ],
)
def test_any_other_page_may_not(another: Api, origin: str) -> None:
    assert allowed(preflight(another, "/chat/completions", origin)) is None
    response = another.post(json=ASK | {"model": "good"}, headers={"Origin": origin})
    assert allowed(response) is None


def test_what_is_answered_can_be_read_errors_and_streams_too(another: Api) -> None:
    headers = {"Origin": APP}
    for reply, status in (
        (another.post(json=ASK | {"model": "good"}, headers=headers), 200),
        (another.post(json=ASK | {"model": "good", "stream": True}, headers=headers), 200),
        (another.post(json=ASK | {"model": "nobody"}, headers=headers), 404),
        (another.post(content=b"{", headers=headers), 400),
        (another.post(json=ASK, headers=headers | {"Authorization": "Bearer no"}), 401),
        (another.post("/nowhere", json=ASK, headers=headers), 404),
        (another.post("/models", json={}, headers=headers), 405),
    ):
        assert reply.status_code == status and allowed(reply) == APP, reply.text
        assert "x-request-id" in reply.headers["access-control-expose-headers"]
        assert "retry-after" in reply.headers["access-control-expose-headers"]
        assert "x-fusion-asked-anew-in" in reply.headers["access-control-expose-headers"]
        assert "origin" in reply.headers["vary"].casefold()
    huge = another.post(content=b"x" * 11_000_000, headers=headers)
    assert huge.status_code == 413 and allowed(huge) == APP


def test_pages_of_the_site_itself_are_opened_to_nobody(another: Api) -> None:
    for path in ("/sign-in", "/fusion", "/healthz", "/v10"):
        response = httpx.get(another.at + path, headers={"Origin": APP}, timeout=60)
        assert allowed(response) is None


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_open_unless_somebody_lists_it(api: Api, path: str) -> None:
    response = preflight(api, path, APP)
    assert response.status_code in (404, 405) and allowed(response) is None
    assert allowed(api.post(json=ASK | {"model": "good"}, headers={"Origin": APP})) is None


@pytest.mark.parametrize(
    ("origins", "is_wrong"),
    [
        ([], False),
        (["https://a.example", "http://localhost:3000", "tauri://localhost"], False),
        (["*"], False),
        (["a.example"], True),
        (["https://a.example/app"], True),
        (["https://a.example", "*"], True),
        (["https://[::1"], True),
    ],
)
def test_what_is_no_origin_is_named(settings: object, origins: list[str], is_wrong: bool) -> None:
    settings.CORS_ALLOWED_ORIGINS = origins  # type: ignore[attr-defined]
    settings.CORS_ALLOW_ALL_ORIGINS = origins == ["*"]  # type: ignore[attr-defined]
    messages = origins_are_some()
    assert bool(messages) is is_wrong
    assert all("FUSION_CORS_ORIGINS" in str(message) for message in messages)
