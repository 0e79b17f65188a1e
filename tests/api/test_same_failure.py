"""A request that failed for good, sent again: the same failure, and nobody is asked."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.stack import until
from tests.upstream import Script

from .conftest import Api, tool_call
from .test_chat_stream import streaming
from .test_turns import LOOK, with_results

REFUSED = Script(status=401)
ONE, TWO = "openrouter:lost-one", "openrouter:lost-two"
PANEL = {"fusion": {"panel": [ONE, TWO], "judge": ONE}}
PATHS = ("/chat/completions", "/responses")
ASK_CREDENTIAL = "from console.models import Credential\nfrom django.utils import timezone\n"


def body_of(path: str, question: str, **more: Any) -> dict[str, Any]:
    if path == "/responses":
        return {"model": "fusion", "input": question} | more
    return {"model": "fusion", "messages": [{"role": "user", "content": question}]} | more


@pytest.fixture
def minute(another: Api) -> Api:
    """A web server where a failure stands for a minute."""
    return another


@pytest.fixture
def question(minute: Api) -> str:
    """One that nobody asked before. Its models refuse."""
    for model in ("lost-one", "lost-two"):
        minute.script(model, REFUSED)
    return f"Question {uuid.uuid4()}?"


def runs(api: Api, question: str) -> list[str]:
    rows = api.get("/runs", params={"limit": 100}).json()["data"]
    return [row["id"] for row in rows if row["prompt"] == question]


def failure_of(reply: httpx.Response) -> dict[str, Any]:
    """As a status, or as the end of a stream."""
    if reply.status_code != 200:
        error: dict[str, Any] = reply.json()["error"]
        return error
    last = json.loads(reply.text.strip().split("\n\n")[-1].split("data: ", 1)[1])
    return dict(last["response"]["error"] if "response" in last else last["error"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_request_that_no_seat_could_answer_fails_again_and_nobody_is_asked(
    minute: Api, path: str, streamed: bool, question: str
) -> None:
    body = body_of(path, question, stream=streamed, **PANEL)
    first = minute.post(path, json=body)
    again = [minute.post(path, json=body) for _ in range(3)]
    for reply in again:
        assert reply.status_code == 424
        assert failure_of(reply) == failure_of(first) | {
            key: reply.json()["error"][key] for key in ("type", "param")
        }
        # Codex CLI and opencode take `Retry-After` for an order, and would pay again.
        assert "retry-after" not in reply.headers
        assert 0 < int(reply.headers["x-fusion-asked-anew-in"]) <= 60
        assert reply.headers["x-should-retry"] == "false"
    assert failure_of(first)["code"] == "all_panels_failed"
    assert len(runs(minute, question)) == 1
    assert [len(minute.upstream.calls_of(model)) for model in ("lost-one", "lost-two")] == [1, 1]


def test_a_single_model_that_refused_is_not_asked_again_either(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, model=ONE)
    replies = [minute.post(json=body) for _ in range(3)]
    assert {reply.status_code for reply in replies} == {424}
    assert len({reply.json()["error"]["metadata"]["run_id"] for reply in replies}) == 1


def test_what_a_person_stopped_is_not_begun_again(minute: Api, question: str) -> None:
    for model in ("lost-one", "lost-two"):
        minute.script(model, Script(hold_after=0))
    minute.upstream.hold(everything=False)
    body = body_of("/chat/completions", question, stream=True, **PANEL)
    with streaming(minute, **body) as response:
        lines = response.iter_lines()
        run_id = json.loads(next(lines).removeprefix("data: "))["id"].removeprefix("chatcmpl-")
        assert minute.post(f"/runs/{run_id}/cancel").status_code == 200
        assert "cancelled" in "".join(lines)
    minute.upstream.release()
    again = minute.post(json=body)
    assert again.status_code == 424 and again.json()["error"]["code"] == "cancelled"
    assert again.json()["error"]["metadata"]["run_id"] == run_id
    assert runs(minute, question) == [run_id]


def test_an_agent_s_turn_that_a_person_stopped_is_not_begun_again(
    minute: Api, question: str
) -> None:
    mend(minute)
    own = PANEL["fusion"] | {"synthesizer": "openrouter:lost-writer"}
    asking = body_of("/chat/completions", question, tools=[LOOK], fusion=own)
    minute.script("lost-writer", tool_call("look", "{}", "lost-1"), Script(hold_after=0))
    said = minute.post(json=asking).json()["choices"][0]["message"]
    body = asking | {"messages": with_results(asking["messages"], said), "stream": True}
    minute.upstream.hold(everything=False)
    with streaming(minute, **body) as response:
        lines = response.iter_lines()
        run_id = json.loads(next(lines).removeprefix("data: "))["id"].split("-", 1)[1][:36]
        minute.upstream.wait_until(lambda: len(minute.upstream.calls_of("lost-writer")) == 2)
        assert minute.post(f"/runs/{run_id}/cancel").status_code == 200
        assert "cancelled" in "".join(lines)
    minute.upstream.release()
    again = minute.post(json=body)
    assert again.status_code == 424 and again.json()["error"]["code"] == "cancelled"
    assert again.headers["x-fusion-asked-anew-in"]
    assert len(minute.upstream.calls_of("lost-writer")) == 2
    # The request before it had its answer.
    assert minute.post(json=asking).status_code == 200


def test_a_run_that_went_with_its_client_was_stopped_by_nobody(minute: Api, question: str) -> None:
    for model in ("lost-one", "lost-two"):
        minute.script(model, Script(first_token_after=30))
    own = PANEL["fusion"] | {"cancel_on_disconnect": True}
    body = body_of("/chat/completions", question, stream=True, fusion=own)
    with streaming(minute, **body) as response:
        next(response.iter_lines())
    (run_id,) = runs(minute, question)
    until(lambda: minute.get(f"/runs/{run_id}").json()["status"] == "cancelled")
    for model in ("lost-one", "lost-two"):
        minute.script(model, Script())
    again = minute.post(json=body)
    assert again.status_code == 200 and "[DONE]" in again.text
    assert len(runs(minute, question)) == 2


def test_what_was_refused_before_a_run_began_can_be_mended_at_once(
    minute: Api, question: str
) -> None:
    """No key, no purse, no preset: nobody was asked, and nothing failed."""
    body = body_of("/chat/completions", question, model="fusion/off")
    assert minute.post(json=body).status_code == 404
    presets = "from console.models import Preset\nsaid = 1\noff = Preset.objects.get(slug='off')\n"
    minute.shell(
        presets + "off.panelists.create(seat=0, model='good', credential=off.judge_credential)\n"
        "off.enabled, off.judge_model = True, 'good'\noff.save()"
    )
    try:
        assert minute.post(json=body).status_code == 200
    finally:
        minute.shell(presets + "off.panelists.all().delete()\noff.enabled = False\noff.save()")


def mend(api: Api) -> None:
    for model in ("lost-one", "lost-two"):
        api.script(model, Script(judge=Script()))


def test_another_key_starts_a_run_at_once(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    assert minute.post(json=body, headers={"Idempotency-Key": question}).status_code == 424
    assert minute.post(json=body).status_code == 424
    assert len(runs(minute, question)) == 1
    mend(minute)
    again = minute.post(json=body, headers={"Idempotency-Key": f"{question} again"})
    assert again.status_code == 200
    # What has gone well since is no failure any more.
    assert minute.post(json=body).status_code == 200
    assert len(runs(minute, question)) == 3


def test_each_repetition_prolongs_a_failure(minute: Api, question: str) -> None:
    """How long: tests/console/test_failure_window.py."""
    minute.script("lost-for-long", REFUSED)
    # Models of its own: with the others runs have gone well a minute ago.
    own = {"panel": ["openrouter:lost-for-long"] * 2, "judge": ONE}
    body = body_of("/chat/completions", question, fusion=own)
    assert minute.post(json=body).status_code == 424
    assert minute.post(json=body).status_code == 424
    minute.shell(
        "from datetime import timedelta\nfrom console.models import Run\n"
        "from django.db.models import F\n"
        f"said = Run.objects.filter(prompt={question!r})"
        ".update(finished_at=F('finished_at') - timedelta(seconds=60))"
    )
    assert minute.post(json=body).status_code == 424
    assert len(runs(minute, question)) == 1


def test_a_failure_stands_no_longer_than_its_models_fail(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    assert minute.post(json=body).status_code == 424
    mend(minute)
    assert minute.post(json=body).status_code == 424
    other = body_of("/chat/completions", f"{question} Or else?", **PANEL)
    assert minute.post(json=other).status_code == 200
    assert minute.post(json=body).status_code == 200


def test_another_body_another_token_and_a_later_minute_start_a_run(
    minute: Api, question: str
) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    other = {"Authorization": f"Bearer {minute.token()}"}
    assert minute.post(json=body).status_code == 424
    assert minute.post(json=body | {"seed": 1}).status_code == 424
    assert minute.post(json=body, headers=other).status_code == 424
    assert len(runs(minute, question)) == 3
    mend(minute)
    assert minute.post(json=body).status_code == 424
    minute.shell(
        "from datetime import timedelta\nfrom console.models import Run\n"
        "from django.db.models import F\n"
        "minute = timedelta(seconds=60)\n"
        f"said = Run.objects.filter(prompt={question!r}, status='failed').update("
        "finished_at=F('finished_at') - minute,"
        "failure_repeated_at=F('failure_repeated_at') - minute)"
    )
    assert minute.post(json=body).status_code == 200


def test_of_two_at_once_each_has_a_run_of_its_own(minute: Api, question: str) -> None:
    """Samples are taken so."""
    for model in ("lost-one", "lost-two"):
        minute.script(model, Script(hold_after=0))
    minute.upstream.hold(everything=False)
    body = body_of("/chat/completions", question, stream=True, **PANEL)
    with streaming(minute, **body) as first, streaming(minute, **body) as second:
        ids = {json.loads(next(r.iter_lines())[6:])["id"] for r in (first, second)}
        minute.upstream.release()
    assert len(ids) == 2


def test_a_key_that_was_tested_since_is_tried_at_once(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    assert minute.post(json=body).status_code == 424
    mend(minute)
    minute.shell(
        ASK_CREDENTIAL
        + "said = Credential.objects.filter(slug='openrouter').update(tested_at=timezone.now())"
    )
    assert minute.post(json=body).status_code == 200


def test_an_account_without_money_is_asked_again_once_it_has_some(
    minute: Api, question: str
) -> None:
    for model in ("lost-one", "lost-two"):
        minute.script(model, Script(status=402))
    body = body_of("/chat/completions", question, **PANEL)
    assert minute.post(json=body).json()["error"]["code"] == "insufficient_credits"
    mend(minute)
    assert minute.post(json=body).status_code == 200


def test_the_tool_form_is_not_decided_anew_when_its_panel_failed(
    minute: Api, question: str
) -> None:
    minute.script(
        "outer", lambda body: tool_call("ask_fusion_panel") if body.get("tools") else REFUSED
    )
    tool = {"type": "openrouter:fusion", "parameters": {"analysis_models": [ONE]}}
    body = body_of("/chat/completions", question, model="outer", tools=[tool])
    first = minute.post(json=body)
    assert first.status_code == 424
    asked = len(minute.upstream.calls)
    again = minute.post(json=body)
    assert again.status_code == 424 and failure_of(again) == failure_of(first)
    assert len(minute.upstream.calls) == asked


def test_a_client_s_own_repetition_of_a_failure_is_told_it_too(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    first = minute.post(json=body)
    again = minute.post(json=body, headers={"x-stainless-retry-count": "1"})
    assert failure_of(again) == failure_of(first) and "x-fusion-asked-anew-in" in again.headers
    assert len(runs(minute, question)) == 1


def test_a_run_asked_for_as_such_is_started_each_time(minute: Api, question: str) -> None:
    body = {"prompt": question, "model": "fusion", **PANEL}
    first = minute.post("/runs", json=body)
    until(lambda: minute.get(f"/runs/{first.json()['id']}").json()["status"] == "failed")
    assert minute.post("/runs", json=body).json()["id"] != first.json()["id"]


def test_what_failed_at_one_web_server_fails_at_another(minute: Api, question: str) -> None:
    body = body_of("/chat/completions", question, **PANEL)
    assert replace(minute, at="").post(json=body).status_code == 424
    assert minute.post(json=body).status_code == 424
    assert len(runs(minute, question)) == 1
