"""A client that gave up waiting and sends the same again finds the run that it has paid for.

OpenRouter's SDK for Python waits for 5 s and repeats for an hour without saying so; Node's
`fetch` waits for 300 s."""

from __future__ import annotations

import http.client
import json
import sqlite3
import uuid
from contextlib import closing
from typing import Any

import httpx
import psycopg
import pytest

from tests.stack import until
from tests.upstream import Script

from .conftest import Api, tool_call
from .test_same_failure import PATHS, body_of, runs
from .test_turns import LOOK, with_results

SEATS = ("comes-back-one", "comes-back-two")
PANEL = {
    "panel": [f"openrouter:{seat}" for seat in SEATS],
    "judge": "openrouter:comes-back-judge",
}
ANSWER = "The fused answer."


@pytest.fixture
def question(api: Api) -> str:
    """One that nobody asked before; its answer is held back until it is released."""
    for seat in SEATS:
        api.script(seat, Script())
    api.script("comes-back-judge", Script(text=ANSWER, hold_after=0, judge=Script()))
    api.upstream.hold(everything=False)
    return f"Question {uuid.uuid4()}?"


def give_up(
    api: Api, path: str, body: dict[str, Any], model: str = "comes-back-judge", calls: int = 1
) -> None:
    """Ask, and go away while the answer is being written; it is noted that somebody went."""
    went = went_at(api, question_of(body))
    at = httpx.URL(api.url)
    connection = http.client.HTTPConnection(at.host, at.port or 80)
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    connection.request("POST", at.path + path, json.dumps(body), headers)
    if body.get("stream"):
        connection.getresponse().fp.readline()
    # The second time its run is there already: that it has been joined is seen of its going.
    until(lambda: len(api.upstream.calls_of(model)) >= calls)
    until(lambda: went_at(api, question_of(body)) is None or not went)
    connection.close()
    until(lambda: went_at(api, question_of(body)) not in (None, went))


def question_of(body: dict[str, Any]) -> str:
    return str(body.get("input") or body["messages"][0]["content"])


def went_at(api: Api, question: str) -> str | None:
    """When the last of its clients went; None while one waits, or where it has no run.

    Read from the database itself, since it is asked again and again.
    """
    query = "SELECT max(left_at) FROM console_run WHERE prompt = "
    if api.stack.database:
        with psycopg.connect(api.stack.database.url) as database:
            row = database.execute(f"{query} %s".encode(), [question]).fetchone()
    else:
        with closing(sqlite3.connect(api.stack.dir / "fusion.sqlite3", timeout=60)) as file:
            row = file.execute(f"{query} ?", [question]).fetchone()
    return str(row[0]) if row and row[0] else None


def text_of(path: str, reply: httpx.Response) -> str:
    assert reply.status_code == 200, reply.text
    if reply.headers["content-type"].startswith("text/event-stream"):
        events = [
            json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")
        ]
        if path == "/responses":
            return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
        return "".join(e["choices"][0]["delta"].get("content") or "" for e in events)
    body = reply.json()
    if path == "/responses":
        return str(body["output"][-1]["content"][0]["text"])
    return str(body["choices"][0]["message"]["content"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("has_ended", [False, True])
def test_it_has_the_answer_of_the_run_that_it_left(
    api: Api, question: str, path: str, streamed: bool, has_ended: bool
) -> None:
    body = body_of(path, question, fusion=PANEL, stream=streamed)
    give_up(api, path, body)
    if not has_ended:
        give_up(api, path, body)  # and once more
    (run_id,) = runs(api, question)
    api.upstream.release()
    if has_ended:
        until(lambda: api.get(f"/runs/{run_id}").json()["status"] == "completed")
    assert text_of(path, api.post(path, json=body)) == ANSWER
    assert runs(api, question) == [run_id]
    # It has had its reply: who asks the same by now asks anew.
    assert text_of(path, api.post(path, json=body)) == ANSWER
    assert len(runs(api, question)) == 2


def another_body(api: Api, body: dict[str, Any]) -> httpx.Response:
    return api.post(json=body | {"seed": 1})


def another_token(api: Api, body: dict[str, Any]) -> httpx.Response:
    return api.post(json=body, headers={"Authorization": f"Bearer {api.token()}"})


def a_key(api: Api, body: dict[str, Any]) -> httpx.Response:
    return api.post(json=body, headers={"Idempotency-Key": str(uuid.uuid4())})


def three_minutes_later(api: Api, body: dict[str, Any]) -> httpx.Response:
    api.shell(
        "from datetime import timedelta\nfrom console.models import Run\n"
        "from django.db.models import F\n"
        f"said = Run.objects.filter(prompt={question_of(body)!r})"
        ".update(left_at=F('left_at') - timedelta(minutes=3))"
    )
    return api.post(json=body)


@pytest.mark.parametrize("means", [another_body, another_token, a_key, three_minutes_later])
def test_another_request_has_a_run_of_its_own(api: Api, question: str, means: Any) -> None:
    body = body_of("/chat/completions", question, fusion=PANEL, stream=True)
    give_up(api, "/chat/completions", body)
    api.upstream.release()
    assert text_of("/chat/completions", means(api, body)) == ANSWER
    assert len(runs(api, question)) == 2


def test_of_several_that_come_back_one_takes_the_run(api: Api, question: str) -> None:
    """Samples are taken by asking the same several times at once."""
    body = body_of("/chat/completions", question, fusion=PANEL, stream=True)
    give_up(api, "/chat/completions", body)
    headers = {"Authorization": f"Bearer {api.key}"}
    with (
        httpx.stream("POST", f"{api.url}/chat/completions", json=body, headers=headers) as one,
        httpx.stream("POST", f"{api.url}/chat/completions", json=body, headers=headers) as two,
    ):
        ids = {json.loads(next(reply.iter_lines())[6:])["id"] for reply in (one, two)}
        api.upstream.release()
    assert len(ids) == len(runs(api, question)) == 2


def test_an_agent_s_turn_that_was_left_is_taken_up_too(api: Api, question: str) -> None:
    writer = "comes-back-writer"
    call = tool_call("look", "{}", "comes-back-1")
    api.script(writer, call, Script(text=ANSWER, hold_after=0))
    api.script("comes-back-judge", Script(judge=Script()))
    own = PANEL | {"synthesizer": f"openrouter:{writer}"}
    asking = body_of("/chat/completions", question, tools=[LOOK], fusion=own)
    said = api.post(json=asking).json()["choices"][0]["message"]
    body = asking | {"messages": with_results(asking["messages"], said)}
    give_up(api, "/chat/completions", body, writer, 2)
    api.upstream.release()
    assert text_of("/chat/completions", api.post(json=body)) == ANSWER
    assert len(api.upstream.calls_of(writer)) == 2 and len(runs(api, question)) == 1


def test_a_run_that_goes_with_its_client_is_not_come_back_to(api: Api, question: str) -> None:
    own = PANEL | {"cancel_on_disconnect": True}
    body = body_of("/chat/completions", question, fusion=own, stream=True)
    with httpx.stream(
        "POST",
        f"{api.url}/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {api.key}"},
        timeout=60,
    ) as response:
        next(response.iter_lines())
    (run_id,) = runs(api, question)
    until(lambda: api.get(f"/runs/{run_id}").json()["status"] == "cancelled")
    api.upstream.release()
    assert text_of("/chat/completions", api.post(json=body)) == ANSWER
    assert len(runs(api, question)) == 2
