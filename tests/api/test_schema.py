"""schemathesis against the live server: no 5xx, and nothing that /v1/openapi.json does not tell.

Random requests hardly ever name a model or a run that exists, so most are helped to.
FUSION_LONG_TESTS=1: thousands of them, other ones each time.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console.api.openapi import openapi

from .conftest import Api
from .test_runs import ended, start

LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DOCUMENT = openapi("http://127.0.0.1")
HELP = st.sampled_from(["", "good", "good", "fusion"])
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (method, path)
    for path, item in DOCUMENT["paths"].items()
    for method in item
    if method != "parameters"
]


@pytest.fixture(scope="module")
def run_id(api: Api) -> str:
    return str(ended(api, start(api)["id"])["id"])


def helped(case: schemathesis.Case, model: str, run_id: str) -> None:
    """Towards what is there: a model, something said, a run."""
    if isinstance(case.body, dict):
        body: dict[str, Any] = case.body
        if "model" in body:
            body["model"] = model
        for name in ("tools", "tool_choice", "plugins", "fusion", "response_format", "text"):
            body.pop(name, None)
        for name, said in (("messages", [{"role": "user", "content": "Hello"}]), ("input", "Hi")):
            if name in body:
                body[name] = said
        if "prompt" in body:
            body["prompt"], body["messages"] = "Hello", None
    for side, text in (("left", "A"), ("right", "B")):
        if side in case.query:
            case.query[side] = text
    if "against" in case.query:
        case.query["against"] = run_id
    if "run_id" in case.path_parameters:
        case.path_parameters["run_id"] = run_id
    if "name" in case.path_parameters:
        case.path_parameters["name"] = "fusion/quality"


# Here no search engine is configured, no model draws, and there is no project.
UNREACHED = {
    "/v1/runs/{run_id}/look-ups",
    "/v1/runs/{run_id}/pictures/{hash}",
    "/v1/projects/{name}/files",
    "/v1/projects/{name}/files/{file_id}",
}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
def test_every_answer_is_one_that_the_schema_tells(
    api: Api, run_id: str, method: str, path: str, mode: GenerationMode
) -> None:
    operation = SCHEMA[path][method.upper()]
    statuses: set[int] = set()
    if method == "delete":  # the others still ask for theirs
        run_id = str(start(api)["id"])

    @settings(
        max_examples=300 if LONG else 30,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), model=HELP)
    def send(case: schemathesis.Case, model: str) -> None:
        if model:
            helped(case, model, run_id)
        response = case.call_and_validate(
            base_url=api.stack.url,
            headers={"Authorization": f"Bearer {api.key}"},
            checks=CHECKS,
            timeout=60,
        )
        statuses.add(response.status_code)

    send()
    if mode is GenerationMode.POSITIVE:
        came = statuses & {200, 202, 204}
        assert came or path in UNREACHED, f"nothing came of any request: {statuses}"
