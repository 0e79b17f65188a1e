"""`/v1/runs`: start, read, list, stop and fuse again."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import pytest

from tests.stack import until
from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api, tool_call
from .test_chat import TOOL
from .test_errors import error

pytestmark = pytest.mark.database

ASK = {"model": "fusion", "prompt": "What is the answer?"}
ENDED = ("completed", "failed", "cancelled")


def start(api: Api, status: int = 202, **body: Any) -> dict[str, Any]:
    headers = body.pop("headers", {})
    response = api.post("/runs", json=ASK | body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["Location"] == response.json()["urls"]["run"]
    said: dict[str, Any] = response.json()
    return said


def read(api: Api, run_id: str, **kw: Any) -> dict[str, Any]:
    response = api.get(f"/runs/{run_id}", **kw)
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    return said


def ended(api: Api, run_id: str) -> dict[str, Any]:
    def done() -> dict[str, Any] | None:
        said = read(api, run_id)
        return said if said["status"] in ENDED else None

    said: dict[str, Any] = until(done, 90, 0.2)
    return said


def test_a_run_is_started_at_once_and_read_when_it_has_ended(api: Api) -> None:
    for model in (GPT, GEMINI):
        api.script(model, Script(first_token_after=6))
    api.script(OPUS, Script(text="Forty-two."))
    started = start(api)
    assert started["status"] in ("queued", "running") and started["answer"] is None
    run = ended(api, started["id"])
    assert run["status"] == "completed" and run["answer"] == "Forty-two." and run["error"] is None
    assert [c["step"] for c in run["calls"]].count("panel") == 3
    assert {c["seat"] for c in run["calls"] if c["step"] == "panel"} == {"A", "B", "C"}
    assert run["fusions"][0]["analysis"]["consensus"]
    assert run["usage"]["total_tokens"] > 0
    assert run["cost"] == pytest.approx(sum(c["cost"] for c in run["calls"]))
    assert run["urls"]["page"] == f"{api.stack.url}/fusion/runs/{run['id']}"
    assert httpx.get(run["urls"]["run"]).status_code == 401


def test_messages_and_a_panel_of_ones_own(api: Api) -> None:
    run = start(
        api,
        prompt=None,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        fusion={"panel": ["good", "echo"], "judge": "writer", "visibility": "team"},
    )
    run = ended(api, run["id"])
    assert (run["panel"], run["judge"], run["visibility"]) == (["good", "echo"], "writer", "team")
    assert run["prompt"] == "Why?"
    (asked,) = api.upstream.calls_of("good")
    assert asked.body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_a_seat_of_ones_own_panel_has_options_of_its_own(api: Api) -> None:
    seat = {
        "model": "fault-401",
        "temperature": 0.2,
        "max_completion_tokens": 300,
        "reasoning_effort": "low",
        "system_prompt": "Doubt everything.",
        "fallback": "echo",
    }
    of_the_panel = {"id": "fusion", "temperature": 0.9, "max_completion_tokens": 50}
    own = {"panel": ["good", seat], "judge": "writer"}
    run = ended(api, start(api, fusion=own, plugins=[of_the_panel])["id"])
    assert run["status"] == "completed" and run["panel"] == ["good", "fault-401"]
    causes = [(c["model"], c["cause"]) for c in run["calls"] if c["seat"] == "B"]
    assert causes == [("fault-401", "first"), ("echo", "fallback")]
    (asked,) = api.upstream.calls_of("fault-401")
    assert (asked.body["temperature"], asked.body["max_tokens"]) == (0.2, 300)
    assert asked.body["reasoning"] == {"effort": "low"}
    (instead,) = api.upstream.calls_of("echo")
    for call in (asked, instead):
        assert call.body["messages"][0] == {"role": "system", "content": "Doubt everything."}
    # What is asked of the panel is asked of a seat that says nothing of its own.
    (plain,) = api.upstream.calls_of("good")
    assert (plain.body["temperature"], plain.body["max_tokens"]) == (0.9, 50)
    assert [m["role"] for m in plain.body["messages"]] == ["user"]


def test_judge_and_synthesizer_have_fallbacks_of_their_own(api: Api) -> None:
    api.script("outer", Script(status=401))
    api.script("writer", Script(text="Written instead."))
    own = {"panel": ["good", "echo"], "judge": "fault-401", "synthesizer": "outer"}
    fallbacks = {"judge_fallback": "good", "synthesizer_fallback": "writer"}
    run = ended(api, start(api, fusion=own | fallbacks)["id"])
    assert run["answer"] == "Written instead."
    asked = [(c["step"], c["model"]) for c in run["calls"] if c["cause"] == "fallback"]
    assert asked == [("analysis", "good"), ("synthesis", "writer")]
    assert [len(api.upstream.calls_of(m)) for m in ("fault-401", "outer")] == [1, 1]


def test_the_tool_form_asks_its_panel_since_whoever_starts_a_run_has_decided(api: Api) -> None:
    run = ended(api, start(api, model="outer", tools=[TOOL])["id"])
    assert run["synthesizer"] == "outer" and run["panel"] == ["good", "echo"]


def test_one_model_alone_and_its_tool_calls(api: Api) -> None:
    api.script("good", tool_call("weather", '{"a":1}'))
    weather = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    run = ended(api, start(api, model="good", tools=[weather])["id"])
    assert run["answer"] == "" and run["finish_reason"] == "tool_calls"
    assert run["tool_calls"][0]["function"]["arguments"] == '{"a":1}'
    assert run["fusions"] == []


def test_a_panel_that_failed_says_so(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(status=401))
    run = ended(api, start(api)["id"])
    assert run["status"] == "failed" and run["answer"] is None
    assert run["error"]["code"] == "all_panels_failed"
    assert {c["status_code"] for c in run["calls"]} == {401}


def test_the_same_key_is_the_same_run(api: Api) -> None:
    headers = {"Idempotency-Key": f"run-{uuid.uuid4()}"}
    first = start(api, headers=headers)
    ended(api, first["id"])
    asked = len(api.upstream.calls)
    again = start(api, headers=headers)
    assert again["id"] == first["id"] and again["status"] == "completed"
    assert len(api.upstream.calls) == asked
    other = api.post("/runs", json=ASK | {"prompt": "Another?"}, headers=headers)
    error(other, 422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "messages": [{"role": "user", "content": "b"}]}, "prompt"),
        ({"prompt": ""}, "messages"),
        ({"prompt": 5}, "prompt"),
        ({"messages": []}, "messages"),
        ({"prompt": "a", "temperature": 9}, "temperature"),
    ],
)
def test_what_cannot_be_asked(api: Api, body: dict[str, Any], param: str) -> None:
    said = error(api.post("/runs", json=body), 400, "invalid_request")
    assert said["param"] == param


def test_a_run_is_stopped(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(first_token_after=30))
    run_id = start(api)["id"]
    until(lambda: len(api.upstream.calls) == 3, 90)
    assert api.post(f"/runs/{run_id}/cancel").status_code == 200
    run = ended(api, run_id)
    assert run["status"] == "cancelled" and run["error"]["code"] == "cancelled"
    again = api.post(f"/runs/{run_id}/cancel")
    assert again.status_code == 200 and again.json()["status"] == "cancelled"


def test_a_finished_run_is_fused_again_without_asking_its_panel(api: Api) -> None:
    run = ended(api, start(api)["id"])
    asked = len(api.upstream.calls)
    api.script("writer", Script(text="Written anew.", first_token_after=1))
    body = {"judge": "good", "synthesizer": "writer", "criteria": "Be kind.", "seats": ["C", "A"]}
    fused = api.post(f"/runs/{run['id']}/fusions", json=body)
    assert fused.status_code == 202 and fused.json()["fusions"][-1]["status"] in (
        "queued",
        "running",
    )
    again = ended(api, run["id"])
    assert again["answer"] == "Written anew."
    second = again["fusions"][1]
    assert (second["judge"], second["synthesizer"]) == ("good", "writer")
    assert (second["criteria"], second["seats"]) == ("Be kind.", ["A", "C"])
    assert again["fusions"][0]["answer"] == run["answer"]
    new = [r.model for r in api.upstream.calls[asked:]]
    assert new == ["good", "writer"]


def test_another_fusion_that_is_stopped_leaves_the_run_its_answer(api: Api) -> None:
    run = ended(api, start(api)["id"])
    api.script("writer", Script(first_token_after=30))
    made = len(api.upstream.calls_of("writer"))
    asked = api.post(f"/runs/{run['id']}/fusions", json={"synthesizer": "writer"})
    assert asked.status_code == 202
    until(lambda: len(api.upstream.calls_of("writer")) > made, 90)
    api.post(f"/runs/{run['id']}/cancel")
    stopped = ended(api, run["id"])
    assert stopped["status"] == "cancelled" and stopped["answer"] == run["answer"]
    assert [f["status"] for f in stopped["fusions"]] == ["completed", "cancelled"]


def test_what_cannot_be_fused_again(api: Api) -> None:
    for model in (GPT, GEMINI):
        api.script(model, Script(first_token_after=3))
    run_id = start(api)["id"]
    under_way = api.post(f"/runs/{run_id}/fusions", json={})
    error(under_way, 409, "run_under_way")
    assert under_way.headers["x-should-retry"] == "false"
    ended(api, run_id)
    fusions = f"/runs/{run_id}/fusions"
    assert error(api.post(fusions, json={"judge": "gpt-17"}), 404, "model_not_found")["param"] == (
        "judge"
    )
    error(api.post(fusions, json={"seats": ["H"]}), 400, "invalid_request")
    error(api.post(fusions, json={"seats": [0]}), 400, "invalid_request")
    error(api.post(fusions, json={"criteria": "x" * 3000}), 400, "invalid_request")
    error(api.post(fusions, json={}, headers={"x-fusion-depth": "1"}), 400, "recursion_refused")


def test_the_same_key_is_the_same_fusion(api: Api) -> None:
    fusions = f"/runs/{ended(api, start(api)['id'])['id']}/fusions"
    for model in (OPUS, "good"):
        api.script(model, Script(first_token_after=1))
    key = {"Idempotency-Key": f"fuse-{uuid.uuid4()}"}
    first = api.post(fusions, json={"judge": "good"}, headers=key)
    at_once = api.post(fusions, json={"judge": "good"}, headers=key)
    assert (first.status_code, at_once.status_code) == (202, 202)
    run = ended(api, first.json()["id"])
    asked = len(api.upstream.calls)
    lost = "from console.models import Fusion\nFusion.objects.update(replied_at=None)\nsaid = 0"
    for headers in (key, {"x-stainless-retry-count": "1"}):
        api.shell(lost)
        again = api.post(fusions, json={"judge": "good"}, headers=headers)
        assert again.status_code == 202 and again.json()["fusions"] == run["fusions"]
    assert len(run["fusions"]) == 2 and len(api.upstream.calls) == asked
    other = api.post(fusions, json={"judge": "echo"}, headers=key)
    error(other, 422, "idempotency_mismatch")
    new = api.post(fusions, json={"judge": "good"}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert len(ended(api, new.json()["id"])["fusions"]) == 3


def test_a_fusion_counts_towards_the_budget_of_the_token_that_asked_for_it(api: Api) -> None:
    run = ended(api, start(api)["id"])
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.3}
    api.script(run["judge"], Script(usage=usage, judge=Script(usage=usage)))
    thrifty = api.token("--spending-per-day", "0.50", "--name", "thrifty")
    headers = {"Authorization": f"Bearer {thrifty}"}
    fusions = f"/runs/{run['id']}/fusions"
    assert api.post(fusions, json={}, headers=headers).status_code == 202
    ended(api, run["id"])
    error(api.post(fusions, json={}, headers=headers), 402, "spending_limit")
    refused = api.post("/runs", json=ASK, headers=headers)
    error(refused, 402, "spending_limit")


def test_others_see_what_their_owner_lets_them_see(api: Api) -> None:
    private, team = (
        start(api, model="good"),
        start(api, model="good", fusion={"visibility": "team"}),
    )
    for run in (private, team):
        ended(api, run["id"])
    bob = api.token(user="bob")
    headers = {"Authorization": f"Bearer {bob}"}
    error(api.get(f"/runs/{private['id']}", key=bob), 404, "not_found")
    error(api.get(f"/runs/{private['id']}/events", key=bob), 404, "not_found")
    assert read(api, team["id"], key=bob)["is_own"] is False
    for action in ("cancel", "fusions"):
        refused = api.post(f"/runs/{team['id']}/{action}", json={}, headers=headers)
        error(refused, 404, "not_found")
    listed = {r["id"]: r["is_own"] for r in api.get("/runs?limit=100", key=bob).json()["data"]}
    assert listed[team["id"]] is False and private["id"] not in listed
    own = api.get("/runs?own=true", key=bob).json()["data"]
    assert all(r["is_own"] and r["id"] != team["id"] for r in own)


def test_scopes(api: Api) -> None:
    run = start(api, model="good")
    ended(api, run["id"])
    reader, runner = api.token("--scopes", "read"), api.token("--scopes", "run")
    of_reader = {"Authorization": f"Bearer {reader}"}
    assert read(api, run["id"], key=reader)["id"] == run["id"]
    for path in ("/runs", f"/runs/{run['id']}/cancel", f"/runs/{run['id']}/fusions"):
        error(api.post(path, json=ASK, headers=of_reader), 403, "insufficient_scope")
    for path in ("/runs", f"/runs/{run['id']}", f"/runs/{run['id']}/events"):
        error(api.get(path, key=runner), 403, "insufficient_scope")


def test_a_token_that_may_not_read_reads_nothing_by_stopping_or_fusing_again(api: Api) -> None:
    others = ended(api, start(api)["id"])
    of_runner = {"Authorization": f"Bearer {api.token('--scopes', 'run')}"}
    for path in (f"/runs/{others['id']}/cancel", f"/runs/{others['id']}/fusions"):
        error(api.post(path, json={}, headers=of_runner), 404, "not_found")
    assert len(read(api, others["id"])["fusions"]) == 1
    body = {"model": "good", "prompt": "Hello"}
    own = api.post("/runs", json=body, headers=of_runner).json()
    ended(api, own["id"])
    stopped = api.post(f"/runs/{own['id']}/cancel", json={}, headers=of_runner)
    assert stopped.status_code == 200 and stopped.json()["id"] == own["id"]


def test_what_is_not_there(api: Api) -> None:
    for path in (f"/runs/{uuid.uuid4()}", f"/runs/{uuid.uuid4()}/events", "/runs/5", "/runs/5/"):
        error(api.get(path), 404, "not_found")
    error(api.post(f"/runs/{uuid.uuid4()}/cancel"), 404, "not_found")
    assert api.get(f"/runs/{uuid.uuid4()}/cancel").status_code == 405


# the list


def listed(api: Api, **params: Any) -> list[str]:
    response = api.get("/runs", params=params)
    assert response.status_code == 200, response.text
    return [run["id"] for run in response.json()["data"]]


def test_the_list_is_filtered(api: Api) -> None:
    before = time.time()
    good = start(api, model="good", prompt="x" * 500)
    api.script("echo", Script(status=401))
    bad = start(api, model="echo")
    assert ended(api, good["id"])["status"] == "completed"
    assert ended(api, bad["id"])["status"] == "failed"
    panel = ended(api, start(api)["id"])
    assert listed(api, since=before) == [panel["id"], bad["id"], good["id"]]
    assert listed(api, since=before, status="failed") == [bad["id"]]
    assert listed(api, since=before, preset="quality") == [panel["id"]]
    assert listed(api, since=before, origin="page") == []
    assert listed(api, since=before, until=before) == []
    (row,) = api.get("/runs", params={"since": before, "preset": "quality"}).json()["data"]
    assert row["cost"] == panel["cost"] and row["status"] == "completed" and "calls" not in row
    oldest = api.get("/runs", params={"since": before}).json()["data"][-1]
    assert oldest["prompt"] == "x" * 200


def test_the_list_is_read_page_by_page_while_it_grows(api: Api) -> None:
    before = time.time()
    started = [start(api, model="good")["id"] for _ in range(5)]
    seen: list[str] = []
    later: list[str] = []
    cursor = None
    while True:
        params = {"since": before, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get("/runs", params=params).json()
        seen += [run["id"] for run in page["data"]]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            break
        later.append(start(api, model="good")["id"])
    assert seen == started[::-1]
    for run in [*started, *later]:
        ended(api, run)  # whose model is asked while the next test counts calls


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "limit=0",
        "limit=1000",
        "limit=x",
        "cursor=x",
        "cursor=",
        "since=tomorrow",
        "since=9999-12-31T23:59:59-05:00",
        "since=-1",
        "own=perhaps",
        "preset=" + "x" * 50,
    ],
)
def test_a_filter_that_says_nothing_is_refused(api: Api, query: str) -> None:
    said = error(api.get(f"/runs?{query}"), 400, "invalid_request")
    assert said["param"] == query.partition("=")[0]


def test_a_filter_of_odd_characters_finds_nothing(api: Api) -> None:
    assert api.get("/runs?preset=%00%ff").json()["data"] == []
