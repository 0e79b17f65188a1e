"""`GET /v1/runs/{id}/export`: a run as a file, as programs get it."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.upstream import Script

from .conftest import Api
from .test_errors import error
from .test_runs import ended, start

OWN = {"panel": ["good", "echo"], "judge": "writer"}


@pytest.fixture(scope="module")
def run_id(api: Api) -> str:
    api.script("good", Script(text="It costs **40** euro."))
    api.script("echo", Script(text="It costs 50 euro."))
    return str(ended(api, start(api, fusion=OWN)["id"])["id"])


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "application/json"),
        ("format=json", "application/json"),
        ("format=md", "text/markdown"),
        ("format=html&thread=1", "text/html"),
    ],
)
def test_a_run_comes_as_a_file_of_the_form_that_is_asked_for(
    api: Api, run_id: str, query: str, kind: str
) -> None:
    response = api.get(f"/runs/{run_id}/export?{query}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == f"{kind}; charset=utf-8"
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert "50 euro" in response.text
    if kind == "application/json":
        assert json.loads(response.text)["v"] == 1


def test_it_is_refused_in_words(api: Api, run_id: str) -> None:
    refused = api.get(f"/runs/{run_id}/export?format=pdf")
    assert error(refused, 400, "invalid_request")["param"] == "format"
    error(api.get(f"/runs/{uuid.uuid4()}/export"), 404, "not_found")
    error(api.get(f"/runs/{run_id}/export", api.token(user="bob")), 404, "not_found")
