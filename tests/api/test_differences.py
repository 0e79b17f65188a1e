"""`GET /v1/runs/{id}/differences`: two texts of a run, as programs are told of them."""

from __future__ import annotations

import uuid

import pytest

from tests.upstream import Script

from .conftest import Api
from .test_errors import error
from .test_runs import ended, start

OWN = {"panel": ["good", "echo"], "judge": "writer"}


@pytest.fixture(scope="module")
def run_id(api: Api) -> str:
    api.script("good", Script(text="It costs **40** euro. Test it first."))
    api.script("echo", Script(text="It costs 50 euro.\n\n- Ask somebody.\n- Test it first."))
    return str(ended(api, start(api, fusion=OWN)["id"])["id"])


def test_programs_are_told_what_the_page_shows(api: Api, run_id: str) -> None:
    said = api.get(f"/runs/{run_id}/differences", params={"left": "A", "right": "B"}).json()
    assert (said["object"], said["run"], said["is_whole"]) == ("differences", run_id, True)
    assert [s["text"] for s in said["left"]["statements"]] == [
        "It costs 40 euro.",
        "Test it first.",
    ]
    assert [s["state"] for s in said["right"]["statements"]] == ["words", "only", "same"]
    assert (said["left"]["name"], said["left"]["only"], said["right"]["only"]) == ("A", 0, 1)
    words, same = said["pairs"]
    assert (same["kind"], same["left"], same["right"], same["figures"]) == ("same", 1, 2, False)
    assert (words["kind"], words["figures"], words["denial"], words["claim"]) == (
        *("words", True, False),
        None,
    )
    (span,) = words["right_words"]
    text = said["right"]["statements"][words["right"]]["text"]
    assert text[span["start"] : span["end"]] == "50"


def test_fused_answers_and_analyses_have_names_too(api: Api, run_id: str) -> None:
    for left, right in (("fused", "a"), ("fused-1", "analysis-1"), ("analysis", "B")):
        response = api.get(f"/runs/{run_id}/differences", params={"left": left, "right": right})
        assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "left"),
        ("left=A", "right"),
        ("left=A&right=", "right"),
        ("left=A&right=H", "right"),
        ("left=fused-2&right=A", "left"),
        ("left=A&right=" + "x" * 50, "right"),
    ],
)
def test_what_names_no_text_is_refused_by_its_name(
    api: Api, run_id: str, query: str, param: str
) -> None:
    said = error(api.get(f"/runs/{run_id}/differences?{query}"), 400, "invalid_request")
    assert said["param"] == param


def test_of_a_run_that_is_not_there_nothing_is_compared(api: Api) -> None:
    error(api.get(f"/runs/{uuid.uuid4()}/differences?left=A&right=B"), 404, "not_found")


def test_who_may_not_read_a_run_is_told_nothing_of_its_texts(api: Api, run_id: str) -> None:
    path = f"/runs/{run_id}/differences?left=A&right=B"
    error(api.get(path, key=api.token(user="bob")), 404, "not_found")
    error(api.get(path, key=api.token("--scopes", "run")), 403, "insufficient_scope")
