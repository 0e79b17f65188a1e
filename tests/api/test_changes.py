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


def test_answers_of_the_same_question_are_taken_over_where_that_is_asked(api: Api) -> None:
    own = {"panel": ["good", "echo"], "judge": "writer"}
    first = ended(api, start(api, fusion=own)["id"])
    own = {"panel": ["good", "writer"], "judge": "writer", "reuse_answers": first["id"]}
    again = ended(api, start(api, fusion=own)["id"])
    taken, asked = (call for call in again["calls"] if call["step"] == "panel")
    assert (taken["cause"], taken["cost"], taken["sent_at"]) == ("taken", 0, None)
    assert taken["taken_from"] == f"{first['id']}/panel-0-1"
    assert asked["cause"] == "first" and "taken_from" not in asked
    lines = api.get(f"/runs/{again['id']}/receipt").json()["calls"]
    assert lines[0]["taken_from"] == taken["taken_from"] and lines[1]["taken_from"] is None
    other = api.post("/runs", json={"prompt": "Something else?", "fusion": own})
    refused = error(other, 400, "invalid_request")
    assert refused["param"] == "fusion.reuse_answers" and "something else" in refused["message"]
