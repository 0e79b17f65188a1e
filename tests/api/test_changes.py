"""`GET /v1/runs/{id}/changes`: what changed against an earlier run, as programs are told."""

from __future__ import annotations

import uuid

import pytest

from tests.upstream import Script

from .conftest import Api
from .test_errors import error
from .test_runs import ended, start

pytestmark = pytest.mark.database

ONE = {"panel": ["good"], "judge": "writer"}


def test_programs_are_told_what_changed(api: Api) -> None:
    runs = []
    for text in ("It costs 40 euros. Test it first.", "It costs 50 euros. First test it."):
        api.script("writer", Script(text=text))
        runs.append(str(ended(api, start(api, fusion=ONE)["id"])["id"]))
    before, after = runs
    said = api.get(f"/runs/{after}/changes", params={"against": before}).json()
    assert said == {
        "object": "changes",
        "run": after,
        "against": before,
        "by": "answer",
        "changes": [
            {"kind": "figures", "before": "It costs 40 euros.", "now": "It costs 50 euros."}
        ],
    }
    refused = error(api.get(f"/runs/{after}/changes"), 400, "invalid_request")
    assert refused["param"] == "against" and "asks no question again" in refused["message"]
    unknown = api.get(f"/runs/{after}/changes", params={"against": str(uuid.uuid4())})
    assert error(unknown, 400, "invalid_request")["message"] == "There is no such run."
