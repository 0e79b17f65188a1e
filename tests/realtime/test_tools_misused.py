"""Twenty-four ways in which models and their servers misuse tools, by a real worker over real
sockets: each ends in an answer or in a reason, and every turn is held and settled."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from console.engine.errors import Reason
from console.engine.spec import Research
from console.engine.state import Step
from console.models import Hold, Run
from console.money.purses import purse_set
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.test_own_research import piece, start, streamed, web  # noqa: F401
from tests.realtime.test_run_way import assert_log_equals_rows, rows
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Body = dict[str, Any]


@dataclass(frozen=True)
class Misuse:
    """`told`: words of what the model is told of it, and then it answers; `reason`: why its seat
    has no answer instead."""

    title: str
    does: Script | Callable[[Body], Script]
    told: str = ""
    reason: Reason | None = None
    for_ever: bool = False

    @property
    def model(self) -> str:
        return self.title.replace(" ", "-")


def cut(*deltas: Body) -> Script:
    whole = streamed(*deltas).raw
    assert whole
    return Script(raw=whole[:-2])


def search(arguments: str = '{"query": "elbe"}', index: int = 0, **more: Any) -> Body:
    return piece("web_search", arguments, index=index, id=f"c{index}", **more)


def refuses_tools(body: Body) -> Script:
    if "tools" not in body:
        return Script(text="Answer.")
    said = {"error": {"message": "this model does not support tools", "type": "api_error"}}
    return Script(status=400, body=json.dumps(said), content_type="application/json")


LONG = "x" * 3_000_000
MISUSES = [
    Misuse("an unknown tool", streamed(piece("rm", "{}", index=0)), "There is no tool “rm”"),
    Misuse("a name of signs", streamed(piece("<|tool|>", "{}", index=0)), "There is no tool"),
    Misuse("no name", streamed(piece("", '{"query": "elbe"}', index=0)), reason=Reason.EMPTY),
    Misuse("broken arguments", streamed(search('{"query": "el')), "cannot be read"),
    Misuse("two objects", streamed(search('{"query": "a"}{"query": "b"}')), "cannot be read"),
    Misuse("arguments of lists", streamed(search("[[[")), "cannot be read"),
    Misuse("no arguments", streamed(search("")), "cannot be read"),
    Misuse("null", streamed(search("null")), "cannot be read"),
    Misuse(
        "a loopback address",
        streamed(piece("web_fetch", '{"url": "http://127.0.0.1:1/"}', index=0)),
        "Only pages that",
    ),
    Misuse(
        "metadata of a cloud",
        streamed(piece("web_fetch", '{"url": "http://169.254.169.254/"}', index=0)),
        "Only pages that",
    ),
    Misuse(
        "a script address",
        streamed(piece("web_fetch", '{"url": "javascript:1"}', index=0)),
        "cannot be read",
    ),
    Misuse("endless calls", streamed(search()), reason=Reason.EMPTY, for_ever=True),
    Misuse(
        "two hundred parallel",
        streamed(*(search(index=n) for n in range(200))),
        reason=Reason.TOO_LARGE,
    ),
    Misuse(
        "a hundred parallel", streamed(*(search(index=n) for n in range(100))), "Too much at once"
    ),
    Misuse("a stream cut in arguments", cut(search('{"que')), reason=Reason.TRUNCATED),
    Misuse(
        "an error in arguments",
        Script(
            raw=[
                *(streamed(search('{"que')).raw or ())[:1],
                b'data: {"error": {"message": "Overloaded."}}\n\n',
            ]
        ),
        reason=Reason.UPSTREAM_ERROR,
    ),
    Misuse(
        "arguments without end",
        streamed(*(search(LONG[:900_000]) for _ in range(4))),
        reason=Reason.TOO_LARGE,
    ),
    Misuse(
        "a refusal",
        streamed({"refusal": "I cannot search."}, reason="stop"),
        reason=Reason.CONTENT_FILTER,
    ),
    Misuse("a filter", streamed(search(), reason="content_filter"), reason=Reason.CONTENT_FILTER),
    Misuse(
        "cut by its limit", streamed(search('{"query": "el'), reason="length"), "cannot be read"
    ),
    Misuse(
        "calls that are no calls",
        streamed({"tool_calls": [None, 3, {"function": 1}]}),
        reason=Reason.EMPTY,
    ),
    Misuse("a server without tools", refuses_tools),
    Misuse(
        "arguments as an object",
        streamed(
            {"tool_calls": [{"function": {"name": "web_search", "arguments": {"query": "elbe"}}}]}
        ),
        "Elbe river",
    ),
    Misuse(
        "ids that repeat",
        streamed(*(piece("web_search", '{"query": "elbe"}', index=n, id="same") for n in range(3))),
        "Elbe river",
    ),
]


@pytest.mark.parametrize("part", range(3))
def test_whatever_is_asked_of_tools_there_is_an_answer_or_a_reason(
    worker: Worker,
    upstream: Upstream,
    web: Web,  # noqa: F811
    start: Callable[..., Run],  # noqa: F811
    part: int,
) -> None:
    purse_set(kind="site", subject="", period="day", limit=Decimal(1000))
    seats = MISUSES[part * 8 : part * 8 + 8]
    upstream.script("judge", Script(text="Fused."))
    for misuse in seats:
        upstream.script(misuse.model, _by_turns(misuse))
    run = start(*(misuse.model for misuse in seats), research=Research(way="own", turns=3))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed", state.error
    for seat, misuse in enumerate(seats):
        last = state.latest(Step.PANEL, seat=seat)
        assert last and last.status.is_final
        why = f"{misuse.title}: {last.reason} {last.error}"
        bodies = str(upstream.calls_of(misuse.model)[-1].body)
        assert last.reason == (misuse.reason or ""), why
        assert last.is_usable is (misuse.reason is None), why
        assert misuse.told in bodies, f"{why}\n{bodies[-600:]}"
        if misuse.for_ever:
            assert len(upstream.calls_of(misuse.model)) == 4
    assert all("169.254" not in path and path in ("/elbe", "/boats") for path in web.read)
    assert_log_equals_rows(run)
    sent = {c.key for c in state.calls.values() if c.sent_at}
    holds = Hold.objects.filter(run=run)
    assert {hold.call for hold in holds} == sent
    assert not holds.filter(settled_at=None).exists()


def _by_turns(misuse: Misuse) -> Callable[[Body], Script]:
    def chosen(body: Body) -> Script:
        said = any(message["role"] == "assistant" for message in body["messages"])
        if said and not misuse.for_ever:
            return Script(text="Answer.")
        return misuse.does if isinstance(misuse.does, Script) else misuse.does(body)

    return chosen
