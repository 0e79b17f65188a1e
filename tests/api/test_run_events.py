"""`GET /v1/runs/{id}/events`: a run as it happens, from wherever a reader left off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from console.api.runs.events import LAST
from tests.stack import until
from tests.upstream import Script
from tests.upstream.script import LONG

from .conftest import GEMINI, GPT, OPUS, Api
from .test_runs import ended, read, start

ENDS = ("run.completed", "run.failed", "run.cancelled")


@dataclass(frozen=True)
class Said:
    id: str
    name: str
    data: dict[str, Any]


def follow(
    api: Api, run_id: str, *, last: str = "", key: str = "", timeout: float = 30
) -> Iterator[Said]:
    """Every event until the server ends the stream."""
    headers = {"Authorization": f"Bearer {key or api.key}"}
    if last:
        headers["Last-Event-ID"] = last
    url = f"{api.url}/runs/{run_id}/events"
    with httpx.stream("GET", url, headers=headers, timeout=timeout) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            if not line and "data" in fields:
                yield Said(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            if not line:
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value


def texts(events: list[Said]) -> dict[str, str]:
    """Each call's text, folded as docs/api.md tells programs to."""
    told: dict[str, str] = {}
    for event in events:
        match event.name:
            case "run.snapshot":
                told = {c["key"]: c["text"] for c in event.data["run"]["calls"]}
            case "panel.added" | "synthesis.in_progress":
                told[event.data["call"]] = ""
            case "panel.delta" | "synthesis.delta":
                told[event.data["call"]] += event.data["text"]
    return told


def texts_of(run: dict[str, Any]) -> dict[str, str]:
    return {c["key"]: c["text"] for c in run["calls"] if c["step"] != "analysis"}


MARKED = "Both say so [^A,B]. It is `[^A]` that is code."


def test_everything_is_told_as_it_happens(api: Api) -> None:
    api.script(OPUS, Script(text=MARKED, tokens_per_second=20))
    for model in (GPT, GEMINI):
        api.script(model, Script(text="One two three", tokens_per_second=10))
    run_id = start(api)["id"]
    events = list(follow(api, run_id))
    assert events[-1].name == "run.completed"
    assert [e.name for e in events].count("run.completed") == 1
    names = {e.name for e in events}
    assert {"run.snapshot", "panel.delta", "panel.completed", "analysis.completed"} <= names
    assert {"fusion.started", "synthesis.in_progress", "synthesis.delta"} <= names
    ids = [e.id for e in events]
    assert len(set(ids)) == len(ids) and all(ids)
    run = read(api, run_id)
    said = texts(events)
    assert {key: said[key] for key in texts_of(run)} == texts_of(run)
    assert said["synthesis-f1-1"] == run["answer"] == "Both say so. It is `[^A]` that is code."
    (analysis,) = [e for e in events if e.name == "analysis.completed"]
    assert analysis.data["analysis"] == run["fusions"][0]["analysis"]
    assert {e.data["seat"] for e in events if e.name == "panel.completed"} == {"A", "B", "C"}
    assert all("panelist" not in e.data for e in events)


def test_a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice(api: Api) -> None:
    run_id = start(api)["id"]
    whole = list(follow(api, run_id))
    for n, event in enumerate(whole):
        assert list(follow(api, run_id, last=event.id)) == whole[n + 1 :]


def test_a_reader_that_is_cut_off_again_and_again_hears_the_whole(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(text="word " * 10, tokens_per_second=20))
    run_id = start(api)["id"]
    heard: list[Said] = []
    while not heard or heard[-1].name not in ENDS:
        for n, event in enumerate(follow(api, run_id, last=heard[-1].id if heard else "")):
            heard.append(event)
            if n == 4:
                break
    assert heard == list(follow(api, run_id))


@pytest.mark.parametrize(
    "last", ["", "nonsense", "1-1.0", "9-9.9", "0-0.0", "1-" + "9" * 25 + ".0"]
)
def test_when_the_log_is_gone_the_rows_tell_the_run(api: Api, last: str) -> None:
    run_id = ended(api, start(api, model="good")["id"])["id"]
    assert api.lose_log(run_id)
    events = list(follow(api, run_id, last=last))
    if last == "9-9.9":
        # Beyond all that there is: nothing is left to be told.
        assert events == []
        return
    assert [e.name for e in events] == ["run.snapshot", "run.completed"]
    # What goes on from it is no event.
    assert events[0].data["run"] == read(api, run_id) | {"followed": None, "follow_ups": None}
    assert list(follow(api, run_id, last=events[1].id)) == []
    assert list(follow(api, run_id, last=events[0].id)) == events[1:]


def test_whom_the_rows_told_the_run_hears_its_end_from_a_log_that_is_back(api: Api) -> None:
    run_id = ended(api, start(api, model="good")["id"])["id"]
    valkey, log = api.stack.valkey, api.log_of(run_id)
    until(lambda: f"-{LAST}." not in list(follow(api, run_id))[-1].id, 30)  # the log has it, too
    assert valkey.do("RENAME", log, "aside")
    told = list(follow(api, run_id))
    assert [e.name for e in told] == ["run.snapshot", "run.completed"]
    assert valkey.do("RENAME", "aside", log)
    (end,) = follow(api, run_id, last=told[0].id)
    assert (end.id, end.name, end.data["at"]) == (told[1].id, told[1].name, told[1].data["at"])
    assert list(follow(api, run_id, last=told[1].id)) == []


def test_a_run_that_nobody_began_tells_its_end(api: Api) -> None:
    run_id = api.shell(
        "from django.contrib.auth.models import User\n"
        "from console.models import Run\n"
        "from console.services.build_spec import build\n"
        "from console.services.wish import Wish\n"
        "from console.services.runs import run_cancel\n"
        "spec = build(Wish(panel=['good'], judge='good')).to_dict()\n"
        "run = Run.objects.create(owner=User.objects.get(username='alice'), prompt='x',"
        " messages=[], spec=spec, preset='custom', preset_name='Custom')\n"
        "run_cancel(run=run)\n"
        "said = str(run.pk)"
    )
    events = list(follow(api, run_id))
    assert [e.name for e in events] == ["run.snapshot", "run.cancelled"]


def test_a_log_that_is_lost_in_the_middle_begins_anew_with_the_whole(api: Api) -> None:
    api.script("good", Script(text="word " * 30, tokens_per_second=10))
    run_id = start(api, model="good")["id"]
    heard: list[Said] = []
    lost = False
    for event in follow(api, run_id):
        heard.append(event)
        if not lost and event.name == "panel.delta":
            lost = api.lose_log(run_id)
    assert heard[-1].name == "run.completed"
    assert texts(heard) == texts_of(read(api, run_id))


def test_a_second_fusion_is_told_from_its_beginning(api: Api) -> None:
    run_id = ended(api, start(api)["id"])["id"]
    first = list(follow(api, run_id))
    api.script(OPUS, Script(text="word " * 10, tokens_per_second=10))
    assert api.post(f"/runs/{run_id}/fusions", json={}).status_code == 202
    for last in ("", first[-1].id):
        events = list(follow(api, run_id, last=last))
        assert events[-1].name == "run.completed"
        assert not {e.id for e in events} & {e.id for e in first}
        assert texts(events)["synthesis-f2-1"] == read(api, run_id)["fusions"][1]["answer"]
        assert not [e for e in events if e.name == "panel.delta"]


def test_while_nothing_happens_comments_keep_the_connection_open(api: Api) -> None:
    api.script("good", Script(first_token_after=5))
    run_id = start(api, model="good")["id"]
    headers = {"Authorization": f"Bearer {api.key}"}
    with httpx.stream("GET", f"{api.url}/runs/{run_id}/events", headers=headers) as response:
        assert any(line == ": keep-alive" for line in response.iter_lines())


def test_a_revoked_token_hears_no_more(api: Api) -> None:
    api.script("good", Script(text=LONG, tokens_per_second=1))  # longer than anybody waits here
    key = api.token("--name", "soon-gone")
    run_id = start(api, model="good")["id"]
    heard: list[Said] = []

    def listen() -> None:
        for said in follow(api, run_id, key=key):
            heard.append(said)

    listener = threading.Thread(target=listen)
    listener.start()
    until(lambda: heard, 90, 0.05)
    api.shell(
        "from console.models import ApiToken\n"
        "from console.services.tokens import token_revoke\n"
        "token_revoke(token=ApiToken.objects.get(name='soon-gone'))\n"
        "said = 1"
    )
    listener.join(60)
    assert not listener.is_alive()
    assert heard[-1].name == "error" and heard[-1].data["error"]["code"] == "invalid_api_key"
    api.post(f"/runs/{run_id}/cancel")
    until(lambda: read(api, run_id)["status"] == "cancelled", 90, 0.2)


def test_head_says_that_there_is_a_stream_and_ends(api: Api) -> None:
    run_id = start(api, model="good")["id"]
    headers = {"Authorization": f"Bearer {api.key}"}
    said = httpx.head(f"{api.url}/runs/{run_id}/events", headers=headers)
    assert said.status_code == 200 and said.headers["content-type"].startswith("text/event-stream")
