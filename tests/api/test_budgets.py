"""What a request may cost, as it says itself: kept, and told in an error where it is too little."""

from __future__ import annotations

from typing import Any

import pytest

from tests.upstream import Script

from .conftest import Api
from .test_errors import error
from .test_runs import ended
from .test_wishes import ASKED, joined

pytestmark = pytest.mark.database

IN_OPENROUTERS_WORDS = {"type": "max_cost", "max_cost_in_dollars": 0.000001}
TOO_LITTLE: list[dict[str, Any]] = [
    {"max_cost": 0.000001},
    {"max_cost": "0.000001"},
    {"max_cost": 0},
    {"stop_server_tools_when": [IN_OPENROUTERS_WORDS]},
    {"max_cost": 5, "stop_server_tools_when": [{"type": "max_steps"}, IN_OPENROUTERS_WORDS]},
]
NO_AMOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"max_cost": -1}, "max_cost"),
    ({"max_cost": "much"}, "max_cost"),
    ({"max_cost": 10**9}, "max_cost"),
    ({"max_cost": True}, "max_cost"),
    ({"max_cost": [1]}, "max_cost"),
    (
        {"stop_server_tools_when": [{"type": "max_cost"}]},
        "stop_server_tools_when.0.max_cost_in_dollars",
    ),
    (
        {"stop_server_tools_when": [{"type": "max_cost", "max_cost_in_dollars": "-1"}]},
        "stop_server_tools_when.0.max_cost_in_dollars",
    ),
]


@pytest.mark.parametrize("limit", TOO_LITTLE, ids=str)
@pytest.mark.parametrize("asked", list(ASKED))
def test_a_request_that_no_call_may_be_paid_for_is_told_so(
    api: Api, asked: str, limit: dict[str, Any]
) -> None:
    path, body = ASKED[asked]
    reply = api.post(path, json=joined(body, limit))
    if asked == "run":
        run = ended(api, reply.json()["id"])
        assert run["status"] == "failed" and run["error"]["code"] == "budget_exceeded"
        message = run["error"]["message"]
    elif asked == "stream":
        assert "budget_exceeded" in reply.text
        message = reply.text
    else:
        message = error(reply, 402, "budget_exceeded")["message"]
    assert "This run's budget of $0" in message and "does not pay for this call" in message
    assert not api.upstream.calls


@pytest.mark.parametrize(("limit", "param"), NO_AMOUNTS, ids=str)
def test_what_is_no_amount_is_refused(api: Api, limit: dict[str, Any], param: str) -> None:
    for path, body in ASKED.values():
        refused = error(api.post(path, json=joined(body, limit)), 400, "invalid_request")
        assert refused["param"] == param
    assert not api.upstream.calls


@pytest.mark.parametrize("asked", list(ASKED))
def test_within_its_limit_a_request_is_answered_as_ever(api: Api, asked: str) -> None:
    path, body = ASKED[asked]
    reply = api.post(path, json=joined(body, {"max_cost": 2}))
    assert reply.status_code in (200, 202), reply.text
    if asked == "run":
        assert ended(api, reply.json()["id"])["status"] == "completed"


def test_a_later_fusion_has_the_limit_that_is_said_with_it(api: Api) -> None:
    path, body = ASKED["run"]
    run = ended(api, api.post(path, json=body | {"max_cost": 2}).json()["id"])
    fusions = f"/runs/{run['id']}/fusions"
    api.upstream.requests.clear()
    api.post(fusions, json={"max_cost": 0})
    run = ended(api, run["id"])
    assert run["fusions"][-1]["failure_reason"] == "budget_exceeded" and not api.upstream.calls
    api.post(fusions, json={"max_cost": 2})
    assert ended(api, run["id"])["fusions"][-1]["answer"]
    assert len(api.upstream.calls) == 2


BEYOND = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 3}


@pytest.mark.parametrize("limit", [{"max_cost": 2}, {}], ids=["said", "usual"])
@pytest.mark.parametrize("asked", ["chat", "streamed", "responses"])
def test_a_request_is_told_where_its_budget_pays_for_no_fused_answer(
    api: Api, asked: str, limit: dict[str, Any]
) -> None:
    api.script("good", Script(text="Dear.", usage=BEYOND))
    path, body = ASKED["chat" if asked == "streamed" else asked]
    reply = api.post(path, json=joined(body, limit | {"stream": asked == "streamed"}))
    if asked == "streamed":
        assert "budget_exceeded" in reply.text and "What was finished is kept" in reply.text
        assert "Dear." not in reply.text
    else:
        failed = error(reply, 402, "budget_exceeded")
        assert "budget of $" in failed["message"] and "What was finished is kept" in reply.text
        run = api.get(f"/runs/{failed['metadata']['run_id']}").json()
        assert run["status"] == "completed" and "Dear." in str(run["calls"])
        assert run["fusions"][-1]["failure_reason"] == "budget_exceeded"
    assert not api.upstream.calls_of("writer")


def test_who_wishes_so_is_given_the_best_answer_where_no_other_is_paid_for(api: Api) -> None:
    api.script("good", Script(text="Dear.", usage=BEYOND))
    path, body = ASKED["chat"]
    wish = {"max_cost": 2, "fusion": {"over_budget": "best"}}
    answer = api.post(path, json=joined(body, wish))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"]
    assert not api.upstream.calls_of("writer"), "what is finished stands in"


def test_a_receipt_says_what_the_upstream_counted_and_what_was_held(api: Api) -> None:
    usage = {
        "prompt_tokens": 1_000,
        "completion_tokens": 200,
        "total_tokens": 1_200,
        "prompt_tokens_details": {"cached_tokens": 600},
        "completion_tokens_details": {"reasoning_tokens": 150},
    }
    api.script("good", Script(usage=usage))
    api.script("echo", Script(usage=usage | {"cost": 0.0123}))
    path, body = ASKED["run"]
    run = ended(api, api.post(path, json=body | {"max_cost": 2}).json()["id"])
    receipt = api.get(f"/runs/{run['id']}/receipt").json()
    lines = {line["call"]: line for line in receipt["calls"]}
    assert set(lines) == {call["key"] for call in run["calls"]}
    assert receipt["cost"] == run["cost"] and receipt["cost_is_partial"] is False
    counted = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    for key in ("panel-0-1", "panel-1-1"):
        assert [lines[key][name] for name in counted] == [1_000, 600, 200, 150]
        assert lines[key]["generation_id"] and lines[key]["price_output"] == 2
    assert lines["panel-1-1"]["cost"] == lines["panel-1-1"]["booked"] == 0.0123
    assert lines["panel-1-1"]["cost_source"] == "reported"
    assert lines["panel-0-1"]["cost_source"] == "computed"
    assert all(line["held"] > 0 and line["is_estimated"] is False for line in lines.values())
