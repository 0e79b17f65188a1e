"""Wishes about data and money: kept by everybody who is asked, or refused before anybody is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from console.api.http.errors import ApiError
from console.api.http.wishes import refuse_wishes
from tests.upstream import Script

from .conftest import Api
from .test_errors import error

SAY = {"messages": [{"role": "user", "content": "What is the answer?"}]}
PANEL = {"fusion": {"panel": ["good", "echo"], "judge": "writer"}}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/chat/completions", {"model": "fusion"} | SAY | PANEL),
    "one model": ("/chat/completions", {"model": "good"} | SAY),
    "stream": ("/chat/completions", {"model": "good", "stream": True} | SAY),
    "responses": ("/responses", {"model": "fusion", "input": "What is the answer?"} | PANEL),
    "one model's response": ("/responses", {"model": "good", "input": "What is the answer?"}),
    "run": ("/runs", {"model": "fusion", "prompt": "What is the answer?"} | PANEL),
}
PRICES = {"prompt": 1, "completion": 2.5}
# (a wish in OpenRouter's words, `provider` of each call at OpenRouter)
KEPT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"zdr": True}, {"zdr": True}),
    ({"data_collection": "deny"}, {"data_collection": "deny"}),
    ({"only": ["Azure", "openai"]}, {"only": ["azure", "openai"]}),
    ({"ignore": ["deepinfra"]}, {"ignore": ["deepinfra"]}),
    ({"max_price": {"prompt": 1, "completion": "2.5"}}, {"max_price": PRICES}),
    ({"max_price": {"prompt": 0}}, {"max_price": {"prompt": 0}}),
    ({"enforce_distillable_text": True}, {"enforce_distillable_text": True}),
    ({"order": ["azure"], "sort": "price"}, {"order": ["azure"], "sort": "price"}),
    (
        {"order": ["azure", "groq"], "allow_fallbacks": False},
        {"order": ["azure", "groq"], "allow_fallbacks": False, "only": ["azure", "groq"]},
    ),
    ({"quantizations": ["fp8"], "require_parameters": True},) * 2,
    ({"preferred_max_latency": {"p90": 3}, "sort": {"by": "latency"}},) * 2,
    ({"zdr": False, "data_collection": "allow", "only": [], "ignore": None, "max_price": {}}, {}),
]
DATA, MONEY, CHOICE = "about how data is handled", "limits on what", "a choice of providers"
# (a wish, where the error says it stands, what it is about)
UNREAD: list[tuple[dict[str, Any], str, str]] = [
    ({"provider": {"max_cost": "0.5"}}, "provider.max_cost", MONEY),
    ({"max_price": {"prompt": None, "completion": 0}}, "max_price", MONEY),
    ({"max_cost_usd": 0}, "max_cost_usd", MONEY),
    ({"maxCost": 1}, "maxCost", MONEY),
    ({"zdr": True}, "zdr", DATA),
    ({"zero_retention": True}, "zero_retention", DATA),
    ({"provider": {"no_training": True}}, "provider.no_training", DATA),
    ({"fusion": {"max_cost": 1}}, "fusion.max_cost", MONEY),
    ({"fusion": {"policy": {"max_cost": 1}}}, "fusion.policy.max_cost", MONEY),
    ({"fusion": {"provider": {"zdr": True}}}, "fusion.provider.zdr", DATA),
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
UNREADABLE: list[tuple[dict[str, Any], str]] = [
    ({"provider": "azure"}, "provider"),
    ({"provider": {"zdr": "perhaps"}}, "provider.zdr"),
    ({"provider": {"zero_data": True}}, "provider.zero_data"),
    ({"provider": {"region": "eu"}}, "provider.region"),
    ({"provider": {"data_collection": "never"}}, "provider.data_collection"),
    ({"provider": {"only": "azure"}}, "provider.only"),
    ({"provider": {"max_price": 3}}, "provider.max_price"),
    ({"provider": {"max_price": {"prompt": -1}}}, "provider.max_price.prompt"),
    ({"provider": {"max_price": {"promt": 1}}}, "provider.max_price.promt"),
    ({"provider": {"only": ["a"], "ignore": ["a"]}}, "provider"),
]
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
    {"provider": {"max_price": {"prompt": None}}, "max_cost": None, "zdr": False},
    {"only": ["x"], "ignore": ["x"], "metadata": {"max_cost": "1"}},
    {"tools": [SEARCH], "tool_choice": "none"},
    {"fusion": {"policy": {"max_calls": 9}}, "plugins": [{"id": "web", "max_results": 1}]},
]
# Servers of the same models: one that passes requests on, one whose key's owner has a contract,
# one on this machine.
SERVERS = """
from console.models import Credential
made = dict(kind="openai_compatible", base_url={url!r})
for slug, more in (("far", dict(own_machine=False)),
                   ("bound", dict(own_machine=False, zero_retention=True)),
                   ("near", dict())):
    Credential.objects.create(slug=slug, name=slug.title(), **made, **more)
said = 1
"""
GONE = """
from console.models import Credential
said = Credential.objects.filter(slug__in=("far", "bound", "near")).delete()[0]
"""


@pytest.fixture(scope="module")
def servers(api: Api) -> Iterator[None]:
    api.shell(SERVERS.format(url=api.upstream.url))
    yield
    api.shell(GONE)


def newest(api: Api) -> list[str]:
    return [run["id"] for run in api.get("/runs?own=true&limit=1").json()["data"]]


def finished(api: Api, asked: str, more: dict[str, Any]) -> None:
    path, body = ASKED[asked]
    reply = api.post(path, json=joined(body, more))
    assert reply.status_code in (200, 202), reply.text
    if asked == "run":
        ended(api, reply.json()["id"])


def ended(api: Api, run: str) -> None:
    while api.get(f"/runs/{run}").json()["status"] in ("queued", "running"):
        pass


def joined(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    fusion = body.get("fusion", {}) | more.get("fusion", {})
    return body | more | ({"fusion": fusion} if fusion else {})


@pytest.mark.parametrize(("wish", "provider"), KEPT, ids=[json.dumps(wish) for wish, _ in KEPT])
@pytest.mark.parametrize("asked", ["chat", "one model", "responses"])
def test_a_wish_goes_to_openrouter_with_every_call(
    api: Api, asked: str, wish: dict[str, Any], provider: dict[str, Any]
) -> None:
    finished(api, asked, {"provider": wish})
    assert len(api.upstream.calls) >= (1 if asked == "one model" else 4)
    for call in api.upstream.calls:
        assert call.body.get("provider", {}) == provider


@pytest.mark.parametrize("asked", list(ASKED))
def test_our_words_for_a_wish_mean_the_same(api: Api, asked: str) -> None:
    own = {"zero_retention": True, "no_training": True, "only_providers": ["azure"]}
    finished(api, asked, {"fusion": own})
    assert api.upstream.calls
    for call in api.upstream.calls:
        assert call.body["provider"] == {
            "zdr": True,
            "data_collection": "deny",
            "only": ["azure"],
        }


def test_a_seat_s_wish_holds_for_that_seat_and_the_strictest_wins(api: Api) -> None:
    panel = [
        {"model": "good", "provider": {"zdr": True, "only": ["azure", "openai"]}},
        {"model": "echo", "no_training": True},
    ]
    body = ASKED["chat"][1] | {"provider": {"only": ["openai", "groq"]}}
    body["fusion"] = {"panel": panel, "judge": "writer"}
    assert api.post(json=body).status_code == 200
    asked = {call.model: call.body["provider"] for call in api.upstream.calls}
    assert asked == {
        "good": {"zdr": True, "only": ["openai"]},
        "echo": {"data_collection": "deny", "only": ["openai", "groq"]},
        "writer": {"only": ["openai", "groq"]},
    }


def test_what_stands_beside_goes_to_whoever_is_asked_the_prompt(api: Api) -> None:
    beside = {
        "plugins": [{"id": "web", "max_results": 3}],
        "transforms": ["middle-out"],
        "stop_server_tools_when": [{"type": "max_cost", "max_cost_in_dollars": 0.5}],
    }
    finished(api, "chat", beside)
    for call in api.upstream.calls:
        is_seat = call.model in ("good", "echo")
        assert {k: v for k, v in call.body.items() if k in beside} == (beside if is_seat else {})
    api.upstream.requests.clear()
    more = beside | {"models": ["echo", "writer"]}
    finished(api, "one model", more)
    (call,) = api.upstream.calls
    assert {name: call.body[name] for name in more} == more


@pytest.mark.parametrize("variant", ["free", "online", "nitro", "floor"])
def test_a_variant_of_a_listed_model_is_asked_for_under_its_full_name(
    api: Api, variant: str
) -> None:
    """Never the model itself instead, which may cost something, or know nothing of today."""
    assert api.post(json={"model": f"good:{variant}"} | SAY).status_code == 200
    own = {"fusion": {"panel": [f"good:{variant}", "echo"], "judge": f"writer:{variant}"}}
    assert api.post(json={"model": "fusion"} | SAY | own).status_code == 200
    models = {call.model for call in api.upstream.calls}
    assert models == {f"good:{variant}", "echo", f"writer:{variant}"}


@pytest.mark.parametrize("name", ["nobody:free", "good:8b"])
def test_what_is_no_variant_of_a_listed_model_is_not_taken_for_one(api: Api, name: str) -> None:
    error(api.post(json={"model": name} | SAY), 404, "model_not_found")
    assert not api.upstream.calls


def test_openrouter_is_not_this_machine(api: Api) -> None:
    wish = {"fusion": {"only_local": True}}
    refused = error(api.post(json={"model": "good"} | SAY | wish), 400, "invalid_request")
    assert refused["param"] == "fusion.only_local"


@pytest.mark.parametrize(("wish", "where", "about"), UNREAD, ids=[where for _, where, _ in UNREAD])
@pytest.mark.parametrize("asked", list(ASKED))
def test_a_wish_that_nobody_reads_there_is_refused_by_name(
    api: Api, asked: str, wish: dict[str, Any], where: str, about: str
) -> None:
    path, body = ASKED[asked]
    before = newest(api)
    refused = error(api.post(path, json=body | wish), 400, "invalid_request")
    assert refused["param"] == where
    assert about in refused["message"] and f"({where})" in refused["message"]
    assert "othing was sent" in refused["message"]
    assert newest(api) == before
    assert not api.upstream.calls


@pytest.mark.parametrize(("wish", "where"), UNREADABLE, ids=[json.dumps(w) for w, _ in UNREADABLE])
@pytest.mark.parametrize("asked", ["chat", "responses", "run"])
def test_a_wish_that_cannot_be_understood_is_refused(
    api: Api, asked: str, wish: dict[str, Any], where: str
) -> None:
    path, body = ASKED[asked]
    refused = error(api.post(path, json=body | wish), 400, "invalid_request")
    assert refused["param"] == where
    assert not api.upstream.calls


def test_no_row_is_left_of_what_was_refused(api: Api) -> None:
    count = (
        "from console.models import Run, Fusion, Call\n"
        "said = [m.objects.count() for m in (Run, Fusion, Call)]"
    )
    before = api.shell(count)
    for path, body in ASKED.values():
        for wish, *_ in [*UNREAD, *UNREADABLE]:
            headers = {"Idempotency-Key": "refused"}
            assert api.post(path, json=body | wish, headers=headers).status_code == 400
    assert api.shell(count) == before


@pytest.mark.parametrize("more", NO_WISHES)
def test_what_wishes_for_nothing_is_answered(api: Api, more: dict[str, Any]) -> None:
    _, body = ASKED["one model"]
    assert api.post(json=body | more).status_code == 200


def test_openrouter_s_own_refusal_of_a_wish_reaches_the_caller(api: Api) -> None:
    """Nobody there keeps it: no other call goes out without it."""
    sentence = "No endpoints found matching your data policy."
    api.script("good", Script(status=404, error_message=sentence))
    reply = api.post(json={"model": "good"} | SAY | {"provider": {"zdr": True}})
    assert reply.status_code == 404 and sentence in reply.json()["error"]["message"]
    assert [call.body["provider"] for call in api.upstream.calls] == [{"zdr": True}]


def test_a_wish_is_found_however_deep_and_whatever_surrounds_it() -> None:
    data: dict[str, Any] = {"provider": {"zdr": True}}
    for _ in range(5_000):
        data = {"extra_body": data}
    with pytest.raises(ApiError):
        refuse_wishes(data)
    for odd in ({"tools": 5}, {"provider": [[], "x", None]}, {"plugins": {"a": 1}}, {"panel": [1]}):
        refuse_wishes(odd)


# where not everybody keeps everything


SEAT_B = {"fusion": {"panel": ["near:good", "far:good"], "judge": "near:good"}}
ZDR = {"provider": {"zdr": True}}
# (whoever cannot keep it, whom the request asks, what of them, where that stands, in words)
REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    *(
        ("Seat B", SEAT_B, wish, where, words)
        for wish, where, words in [
            (ZDR, "provider.zdr", "zero retention"),
            ({"provider": {"data_collection": "deny"}}, "provider.data_collection", "no training"),
            ({"provider": {"only": ["azure"]}}, "provider.only", "only azure"),
            ({"provider": {"order": ["x"], "allow_fallbacks": False}}, "provider.order", "only x"),
            ({"provider": {"ignore": ["x"]}}, "provider.ignore", "not x"),
            ({"provider": {"max_price": {"prompt": 1}}}, "provider.max_price", "at most $1 prompt"),
            ({"fusion": {"zero_retention": True}}, "fusion.zero_retention", "zero retention"),
            ({"fusion": {"no_training": True}}, "fusion.no_training", "no training"),
            ({"fusion": {"only_local": True}}, "fusion.only_local", "only on this machine"),
            ({"fusion": {"only_providers": ["x"]}}, "fusion.only_providers", "only x"),
        ]
    ),
    *(
        (place, {"fusion": {"panel": ["near:good"], "judge": "near:good"} | named}, ZDR, *told)
        for place, named, *told in [
            ("The judge", {"judge": "far:good"}, "provider.zdr", "zero"),
            ("The writer", {"synthesizer": "far:good"}, "provider.zdr", "zero"),
            ("The judge: the fallback", {"judge_fallback": "far:good"}, "provider.zdr", "zero"),
            (
                "The judge: the fallback",
                {"synthesizer_fallback": "far:good"},
                "provider.zdr",
                "zero",
            ),
            (
                "Seat A: the fallback",
                {"panel": [{"model": "near:good", "fallback": "far:good"}]},
                "provider.zdr",
                "zero",
            ),
        ]
    ),
    (
        "Seat A",
        {
            "fusion": {
                "panel": [{"model": "far:good", "no_training": True}],
                "judge": "near:good",
            }
        },
        {},
        "fusion.panel.0.no_training",
        "no training",
    ),
    ("The model", {"model": "far:good"}, ZDR, "provider.zdr", "zero retention"),
]


@pytest.mark.parametrize(("place", "body", "wish", "where", "words"), REFUSED)
def test_whoever_does_not_promise_it_is_named_and_nothing_is_sent(
    api: Api,
    servers: None,
    place: str,
    body: dict[str, Any],
    wish: dict[str, Any],
    where: str,
    words: str,
) -> None:
    before = newest(api)
    asked = joined({"model": "fusion"} | SAY | body, wish)
    refused = error(api.post(json=asked), 400, "invalid_request")
    assert refused["param"] == where
    assert refused["message"].startswith(f"{place} (good) is asked at Far, which does not promise")
    assert words in refused["message"]
    assert "Nothing was sent" in refused["message"]
    assert newest(api) == before
    assert not api.upstream.calls


def test_a_contract_or_a_machine_of_one_s_own_is_enough(api: Api, servers: None) -> None:
    own: dict[str, Any] = {"panel": ["near:good", "bound:good"], "judge": "bound:good"}
    own |= {"zero_retention": True, "no_training": True}
    assert api.post(json={"model": "fusion", "fusion": own} | SAY).status_code == 200
    assert all("provider" not in call.body for call in api.upstream.calls)
    body = {"model": "fusion", "fusion": own | {"only_local": True}} | SAY
    refused = error(api.post(json=body), 400, "invalid_request")
    assert refused["message"].startswith("Seat B (good) is asked at Bound")


def test_a_mere_preference_is_left_out_where_nobody_knows_it(api: Api, servers: None) -> None:
    more = {"provider": {"order": ["x"], "sort": "price"}, "transforms": [], "models": ["a"]}
    assert api.post(json={"model": "far:good"} | SAY | more).status_code == 200
    assert not {"provider", "transforms", "models"} & set(api.upstream.calls[0].body)


def test_a_variant_is_openrouter_s_word_and_means_nothing_to_others(
    api: Api, servers: None
) -> None:
    assert api.post(json={"model": "near:good:online"} | SAY).status_code == 200
    assert api.upstream.calls[0].model == "good:online"
    assert api.post(json={"model": "good:free"} | SAY).status_code == 200
    assert api.upstream.calls[1].headers["authorization"].endswith("sk-or-scripted-upstream")


def test_what_a_token_asks_is_asked_of_each_of_its_requests(api: Api, servers: None) -> None:
    key = api.token("--zero-retention", "--only-providers", "azure,openai")
    headers = {"Authorization": f"Bearer {key}"}
    own = {"fusion": {"panel": ["openrouter:good", "openrouter:echo"], "judge": "openrouter:good"}}
    body = {"model": "fusion", "provider": {"only": ["openai"]}} | SAY | own
    assert api.post(json=body, headers=headers).status_code == 200
    for call in api.upstream.calls:
        assert call.body["provider"] == {"zdr": True, "only": ["openai"]}
    api.upstream.requests.clear()
    single = {"model": "far:good"} | SAY
    refused = error(api.post(json=single, headers=headers), 400, "invalid_request")
    assert "does not promise: zero retention" in refused["message"]
    body["provider"] = {"only": ["groq"]}
    refused = error(api.post(json=body, headers=headers), 400, "invalid_request")
    assert "No provider is left" in refused["message"]
    assert not api.upstream.calls


def test_a_fusion_of_answers_that_are_there_is_made_on_the_run_s_terms_and_its_own(
    api: Api, servers: None
) -> None:
    own = {"fusion": {"panel": ["openrouter:good", "openrouter:echo"], "judge": "openrouter:good"}}
    body = {"model": "fusion", "provider": {"zdr": True}} | SAY | own
    run = api.post(json=body).json()["fusion"]["run_id"]
    api.upstream.requests.clear()
    again = {"criteria": "Brevity.", "provider": {"data_collection": "deny"}}
    assert api.post(f"/runs/{run}/fusions", json=again).status_code == 202
    ended(api, run)
    assert len(api.upstream.calls) >= 2
    for call in api.upstream.calls:
        assert call.body["provider"] == {"zdr": True, "data_collection": "deny"}
    other = {"judge": "far:good"}
    refused = error(api.post(f"/runs/{run}/fusions", json=other), 400, "invalid_request")
    assert refused["message"].startswith("The judge (good) is asked at Far")
    other = {"only_local": True}
    refused = error(api.post(f"/runs/{run}/fusions", json=other), 400, "invalid_request")
    assert refused["param"] == "only_local"
    assert len(api.get(f"/runs/{run}").json()["fusions"]) == 2
