from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from console.catalog import listings
from console.models import Credential
from console.providers.secret import Secret
from tests.console.listed import KEYS, LISTS, Have, Lists


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lists]:
    """Host -> the list its server answers with; any other host cannot be reached."""
    answers: Lists = {}

    def answer(request: httpx.Request) -> httpx.Response:
        text = answers.get(request.url.netloc.decode())
        if text is None:
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(200, stream=httpx.ByteStream(text.encode()))

    def make_client(**_: object) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(listings, "make_client", make_client)
    yield answers


@pytest.fixture
def have(lists: Lists) -> Have:
    def have(*keys: str) -> None:
        for key in keys:
            kind, url = KEYS[key]
            made, _ = Credential.objects.get_or_create(
                slug=key, defaults={"name": key, "kind": kind}
            )
            made.base_url = url
            made.save()
            made.secret = Secret("sk-0123456789-abcdef")
            made.save()
            host = httpx.URL(url).netloc.decode()
            lists[host] = (LISTS / f"{key}.json").read_text()
        listings.all_models()

    return have
