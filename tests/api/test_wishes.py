"""Wishes about data and money that cannot be passed on: refused before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from console.api.http.errors import ApiError
from console.api.http.wishes import refuse_wishes

from .conftest import Api
from .test_errors import error

DATA, CHOICE, MONEY = (
    "wishes about how data is handled",
    "a choice of providers",
    "limits on what a request may cost",
)
SAY = {"messages": [{"role": "user", "content": "What is the answer?"}]}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/chat/completions", {"model": "fusion"} | SAY),
    "one model": ("/chat/completions", {"model": "good"} | SAY),
    "stream": ("/chat/completions", {"model": "good", "stream": True} | SAY),
    "responses": ("/responses", {"model": "fusion", "input": "What is the answer?"}),
    "one model's response": ("/responses", {"model": "good", "input": "What is the answer?"}),
    "run": ("/runs", {"model": "fusion", "prompt": "What is the answer?"}),
}
# (a wish, where the error says it stands, what it is about)
WISHES: list[tuple[dict[str, Any], str, str]] = [
    ({"provider": {"zdr": True}}, "provider.zdr", DATA),
    ({"provider": {"data_collection": "deny"}}, "provider.data_collection", DATA),
    ({"provider": {"only": ["azure"]}}, "provider.only", CHOICE),
    ({"provider": {"ignore": ["deepinfra"]}}, "provider.ignore", CHOICE),
    ({"provider": {"max_price": {"prompt": 1}}}, "provider.max_price", MONEY),
    ({"provider": {"max_cost": "0.5"}}, "provider.max_cost", MONEY),
    ({"max_cost": 0.25}, "max_cost", MONEY),
    ({"max_price": {"prompt": None, "completion": 0}}, "max_price", MONEY),
    ({"max_cost_usd": 0}, "max_cost_usd", MONEY),
    ({"maxCost": 1}, "maxCost", MONEY),
    ({"zdr": True}, "zdr", DATA),
    ({"fusion": {"max_cost": 1}}, "fusion.max_cost", MONEY),
    ({"fusion": {"policy": {"max_cost": 1}}}, "fusion.policy.max_cost", MONEY),
    ({"fusion": {"provider": {"zdr": True}}}, "fusion.provider.zdr", DATA),
    (
        {"fusion": {"panel": ["good", {"model": "good", "provider": {"only": ["x"]}}]}},
        "fusion.panel.1.provider.only",
        CHOICE,
    ),
    ({"fusion": {"panel": [{"model": "good", "max_price": 1}]}}, "fusion.panel.0.max_price", MONEY),
    (
        {"plugins": [{"id": "web"}, {"id": "fusion", "provider": {"zdr": True}}]},
        "plugins.1.provider.zdr",
        DATA,
    ),
    ({"plugins": [{"id": "fusion", "max_cost": 1}]}, "plugins.0.max_cost", MONEY),
    (
        {"tools": [{"type": "openrouter:fusion", "parameters": {"provider": {"ignore": ["x"]}}}]},
        "tools.0.parameters.provider.ignore",
        CHOICE,
    ),
    ({"extra_body": {"provider": {"zdr": True}}}, "extra_body.provider.zdr", DATA),
]
NAMES = [where for _, where, _ in WISHES]
# A function of the caller's own, whose parameters have names like wishes.
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {
            "type": "object",
            "properties": {"max_price": {"type": "number"}, "provider": {"type": "string"}},
        },
    },
}
NO_WISHES: list[dict[str, Any]] = [
    {"provider": None},
    {"provider": {"zdr": False, "data_collection": "allow", "only": [], "ignore": None}},
    {"provider": {"order": ["azure"], "sort": "price", "max_price": {}}},
    {"provider": {"max_price": {"prompt": None}}, "max_cost": None},
    {"provider": "azure", "only": ["x"], "ignore": ["x"], "metadata": {"max_cost": "1"}},
    {"tools": [SEARCH], "tool_choice": "none"},
    {"fusion": {"policy": {"max_calls": 9}}, "plugins": [{"id": "web", "max_results": 1}]},
]


def newest(api: Api) -> list[str]:
    return [run["id"] for run in api.get("/runs?own=true&limit=1").json()["data"]]


@pytest.mark.parametrize(("wish", "where", "about"), WISHES, ids=NAMES)
@pytest.mark.parametrize("asked", list(ASKED))
def test_a_wish_is_refused_by_name_and_nothing_is_sent_or_saved(
    api: Api, asked: str, wish: dict[str, Any], where: str, about: str
) -> None:
    path, body = ASKED[asked]
    before = newest(api)
    said = error(api.post(path, json=body | wish), 400, "invalid_request")
    assert said["param"] == where
    assert said["message"] == f"This server cannot pass on {about} yet ({where}); nothing was sent."
    assert newest(api) == before
    assert not api.upstream.calls


def test_a_fusion_of_answers_that_are_there_is_refused_the_same(api: Api) -> None:
    run = api.post("/chat/completions", json=ASKED["chat"][1]).json()["fusion"]["run_id"]
    asked = len(api.upstream.calls)
    body = {"criteria": "Brevity.", "provider": {"zdr": True}}
    said = error(api.post(f"/runs/{run}/fusions", json=body), 400, "invalid_request")
    assert said["param"] == "provider.zdr"
    assert len(api.get(f"/runs/{run}").json()["fusions"]) == 1
    assert len(api.upstream.calls) == asked


def test_no_row_is_left_of_what_was_refused(api: Api) -> None:
    count = (
        "from console.models import Run, Fusion, Call\n"
        "said = [m.objects.count() for m in (Run, Fusion, Call)]"
    )
    before = api.shell(count)
    for path, body in ASKED.values():
        for wish, _, _ in WISHES:
            headers = {"Idempotency-Key": "refused"}
            assert api.post(path, json=body | wish, headers=headers).status_code == 400
    assert api.shell(count) == before


@pytest.mark.parametrize("more", NO_WISHES)
def test_what_wishes_for_nothing_is_answered(api: Api, more: dict[str, Any]) -> None:
    _, body = ASKED["one model"]
    assert api.post(json=body | more).status_code == 200


def test_a_wish_is_found_however_deep_and_whatever_surrounds_it() -> None:
    data: dict[str, Any] = {"provider": {"zdr": True}}
    for _ in range(5_000):
        data = {"extra_body": data}
    with pytest.raises(ApiError):
        refuse_wishes(data)
    for odd in ({"tools": 5}, {"provider": [[], "x", None]}, {"plugins": {"a": 1}}, {"panel": [1]}):
        refuse_wishes(odd)
