"""What an error page tells with DEBUG on."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.pages.views import keys
from console.providers.secret import Secret

KEY = "-".join(["planted", "0123456789", "canary"])  # whole in no line the page quotes


def broken(credential: Any) -> None:
    assert isinstance(credential.secret, Secret)
    api_key = credential.secret.reveal()
    headers = {"Authorization": f"Bearer {api_key}"}
    raise RuntimeError(f"nobody foresaw this with {len(headers)} headers")


@pytest.mark.parametrize("debug", [True, False])
def test_neither_the_key_that_was_posted_nor_a_password_of_the_settings_is_told(
    ada: User, settings: Any, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.REDIS_URL = "redis://:planted-password@127.0.0.1:6379/0"
    monkeypatch.setattr(keys, "credential_try", broken)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    address = "http://127.0.0.1:9/v1"
    form = {"kind": "openai_compatible", "name": "n", "base_url": address, "api_key": KEY}
    answer = client.post("/fusion/keys", form)
    page = answer.content.decode()
    assert answer.status_code == 500
    assert ("nobody foresaw this with 1 headers" in page and address in page) is debug
    assert KEY not in page and KEY[8:] not in page and "planted-password" not in page
