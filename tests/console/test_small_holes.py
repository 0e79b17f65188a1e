"""What a stranger could have learned or left behind by a small thing."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.views.debug import get_exception_reporter_class

from console.api.http.errors import ApiError
from console.mcp.mount import _refuse

PLANTED = "-".join(("sk", "planted", "0123456789abcdef"))  # not as it is: reports show the code


@pytest.mark.parametrize("form", ["text", "html"])
def test_what_an_error_says_of_itself_is_reported_without_its_secret(form: str) -> None:
    request = RequestFactory().get("/fusion")
    try:
        raise ValueError(f"the server did not take Bearer {PLANTED}")
    except ValueError as error:
        error.add_note(f"it was given {PLANTED}")
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
    report = getattr(reporter, f"get_traceback_{form}")()
    assert "the server did not take" in report and PLANTED not in report


@pytest.mark.parametrize("code", ["missing_api_key", "forbidden_origin", "request_too_large"])
async def test_the_replies_with_which_mcp_refuses_guard_themselves(code: str) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await _refuse(ApiError(code), "req_1", send)
    headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert json.loads(sent[1]["body"])["error"]["code"] == code


@pytest.mark.parametrize("path", ["/admin/", "/admin/password_change/", "/admin/jsi18n/"])
def test_no_cache_keeps_a_page_of_the_admin(client: Client, ada: User, path: str) -> None:
    client.force_login(ada)
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_signing_out_clears_what_the_browser_kept(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post("/sign-out").headers["Clear-Site-Data"] == '"storage"'
