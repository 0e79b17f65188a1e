"""`/v1/openapi.json` and `/v1/docs`."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from console.api.openapi import openapi
from console.api.routes import ROUTES
from console.api.urls import urlpatterns

from .conftest import Api


def test_every_address_under_v1_is_told(client: Client) -> None:
    response = client.get("/v1/openapi.json")
    assert response.status_code == 200 and response["content-type"] == "application/json"
    document = response.json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "http://testserver"}]
    told = {(path, method) for path, item in document["paths"].items() for method in item} - {
        (path, "parameters") for path in document["paths"]
    }
    assert len(told) == sum(len(route.views) for route in ROUTES) == 25
    others = {p.name for p in urlpatterns} - {route.name for route in ROUTES}
    assert others == {"api-openapi", "api-docs", "api-nothing"}


def test_every_reference_leads_somewhere() -> None:
    document = openapi("")
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    references = {r.split('"')[0] for r in text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)


def test_what_a_stream_says_is_told_by_the_models_it_is_made_from() -> None:
    paths = openapi("")["paths"]
    events = {
        path: [ref["$ref"].rpartition("/")[2] for ref in data["anyOf"][0]["contentSchema"]["anyOf"]]
        for path in ("/v1/chat/completions", "/v1/responses")
        for said in [paths[path]["post"]["responses"]["200"]["content"]["text/event-stream"]]
        for data in [said["schema"]["properties"]["data"]]
    }
    assert events == {
        "/v1/chat/completions": ["ChatChunk", "ErrorReply"],
        "/v1/responses": ["ResponseEvent", "OtherEvent"],
    }


def test_it_names_the_address_that_is_set(client: Client, settings: Settings) -> None:
    settings.BASE_URL = "https://fusion.example"
    document = client.get("/v1/openapi.json").json()
    assert document["servers"] == [{"url": "https://fusion.example"}]
    assert b"https://fusion.example/v1/runs" in client.get("/v1/docs").content


@pytest.mark.django_db
def test_people_read_it_on_a_page_that_loads_nothing_from_elsewhere(client: Client) -> None:
    response = client.get(reverse("api-docs"))
    assert response.headers["x-request-id"].startswith("req_")
    page = response.content.decode()
    assert response.status_code == 200 and response["content-type"].startswith("text/html")
    for path in openapi("")["paths"]:
        assert f'<span class="mono">{path}</span>' in page
    assert "curl &quot;http://testserver/v1/chat/completions&quot;" in page
    assert 'src="http' not in page and 'href="http' not in page
    assert " style=" not in page and "<style" not in page
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_head_leaves_nothing_behind_on_the_connection(api: Api) -> None:
    # Longer than the pieces that Django hands its server.
    assert len(httpx.get(f"{api.url}/docs").content) > 2**16
    with closing(HTTPConnection(api.stack.url.removeprefix("http://"))) as connection:
        for method in ("HEAD", "GET"):
            connection.request(method, "/v1/docs")
            answer = connection.getresponse()
            assert answer.status == 200
            length = int(answer.headers["Content-Length"])
            assert length > 2**16
            assert len(answer.read()) == (0 if method == "HEAD" else length)


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/v1/docs"])
def test_nobody_writes_there(client: Client, path: str) -> None:
    refused = client.post(path)
    assert refused.status_code == 405 and refused.json()["error"]["code"] == "method_not_allowed"
