"""Whom a run waits for: the same words on the page, over the API, in the shell, for MCP and in
presets, and one sentence for what is no such word."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from console.api.http.errors import ApiError
from console.catalog.seed_data import presets as came_with_the_site
from console.catalog.thinking import reasons
from console.engine.spec import Panelist
from console.engine.terms import NONE
from console.engine.wait_for import ALL_BUT_ONE, EVERYONE, WaitFor, at_least, first
from console.mcp import asking
from console.models import Call, Credential, Preset, Run
from console.services.build_spec import build
from console.services.errors import PolicyRefused, WaitForRefused
from console.services.fusion_wish import fusion_wish
from console.services.presets import preset_spec
from console.services.token_defaults import NOTHING_SAID
from console.services.wait_for import OFFERED, as_text, in_words, read_wait_for
from console.services.wish import Wish
from tests.upstream import Script, Upstream

from .test_build_spec import by_api, by_form, by_shell

pytestmark = pytest.mark.django_db

PANEL = ["alpha", "beta", "alpha"]
SAID: list[tuple[Any, WaitFor]] = [
    ("everyone", EVERYONE),
    ("all_but_one", ALL_BUT_ONE),
    ({"at_least": 2}, at_least(2)),
    ({"at_least": 1}, at_least(1)),
    ({"first": 3}, first(3)),
]
WRONG: list[Any] = [
    "nobody",
    "at_least",
    "at_least:0",
    "first:9",
    "first:-1",
    "2.5",
    {"at_least": 0},
    {"at_least": 9},
    {"first": True},
    {"first": "2"},
    {"at_least": 2, "first": 1},
    {},
    [],
    2,
]


@pytest.fixture(autouse=True)
def mine() -> Iterator[Upstream]:
    cache.clear()
    with Upstream() as up:
        up.script("/v1/models", Script(body='{"data": [{"id": "alpha"}, {"id": "beta"}]}'))
        Credential.objects.create(
            slug="mine", name="mine", kind="openai_compatible", base_url=up.url
        )
        yield up


class Caller:
    """For whom the tools act."""

    terms, name, person, defaults = NONE, "", None, NOTHING_SAID

    def must_have(self, scope: Any) -> None: ...

    def start(self, prompt: str, spec: Any, *rest: Any) -> Any:
        self.spec = spec
        return Run(messages=[])


def by_mcp(wait_for: Any) -> Any:
    caller: Any = Caller()
    asking.begin(caller, "Why?", None, PANEL, "alpha", wait_for=wait_for)
    return caller.spec


@pytest.mark.parametrize(("said", "meant"), SAID)
def test_every_way_to_ask_takes_the_same_words(client: Client, said: Any, meant: WaitFor) -> None:
    text = as_text(meant)
    specs = [
        build(Wish(panel=PANEL, judge="alpha", wait_for=meant)),
        by_api({"fusion": {"panel": PANEL, "judge": "alpha", "wait_for": said}}),
        by_shell(panel=",".join(PANEL), judge="alpha", wait_for=text),
        by_mcp(said),
    ]
    if meant != at_least(1):  # with one answer there is nothing to compare: it is not offered
        specs.append(by_form(client, preset="custom", panel=PANEL, judge="alpha", wait_for=text))
    assert [spec.policy.wait_for for spec in specs] == [meant] * len(specs)
    assert build(fusion_wish(specs[0])).policy.wait_for == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("all-but-one", ALL_BUT_ONE),
        ("All but one", ALL_BUT_ONE),
        ("2", at_least(2)),
        ("at least 2", at_least(2)),
        ("at-least=2", at_least(2)),
        ("first 2", first(2)),
        ("the first 2", first(2)),
        (" everyone ", EVERYONE),
    ],
)
def test_as_text_it_is_read_as_people_type_it(text: str, meant: WaitFor) -> None:
    assert read_wait_for(text) == meant


def test_what_is_offered_is_read_back() -> None:
    assert [in_words(read_wait_for(value) or EVERYONE) for value, _ in OFFERED] == [
        words for _, words in OFFERED
    ]


@pytest.mark.parametrize("said", WRONG)
def test_what_is_no_such_word_is_refused_in_one_sentence(client: Client, said: Any) -> None:
    with pytest.raises(ApiError, match="write everyone, all_but_one, at_least") as refused:
        by_api({"fusion": {"panel": PANEL, "judge": "alpha", "wait_for": said}})
    assert refused.value.param and refused.value.param.startswith("fusion.wait_for")
    with pytest.raises(ApiError, match="all_but_one"):
        by_mcp(said)
    if isinstance(said, str):
        with pytest.raises(WaitForRefused):
            by_shell(panel="alpha,beta", wait_for=said)


def test_the_page_says_at_its_field_what_is_wrong_and_keeps_what_was_typed(
    client: Client, django_user_model: Any
) -> None:
    client.force_login(django_user_model.objects.create(username="alice"))
    asked = {"prompt": "Why?", "preset": "custom", "panel": ["alpha", "beta"], "judge": "alpha"}
    for wrong, sentence in (("nobody", "write everyone"), ("first:3", "The panel has 2 seats")):
        refused = client.post("/fusion", asked | {"wait_for": wrong})
        page = refused.content.decode()
        assert refused.status_code == 422 and sentence in page and "Why?" in page
        assert 'id="wait-for-error"' in page and not Run.objects.exists()


def test_more_answers_than_seats_cannot_be_waited_for() -> None:
    with pytest.raises(ApiError, match="The panel has 2 seats: nobody can wait for 3") as refused:
        by_api({"fusion": {"panel": ["alpha", "beta"], "wait_for": {"at_least": 3}}})
    assert refused.value.param == "fusion.wait_for"


def test_a_quorum_is_at_least_so_many_and_does_not_contradict_the_words() -> None:
    def policy(**own: Any) -> Any:
        return by_api({"fusion": {"panel": PANEL, "judge": "alpha"} | own}).policy

    assert policy(policy={"quorum": 2}).wait_for == at_least(2)
    assert policy(policy={"quorum": 2}, wait_for={"at_least": 2}).wait_for == at_least(2)
    with pytest.raises(ApiError, match="said already"):
        policy(policy={"quorum": 2}, wait_for="everyone")
    with pytest.raises(PolicyRefused):
        by_shell(panel="alpha,beta,alpha", wait_for="everyone", policy="quorum=2")


def test_a_run_says_more_than_its_preset_and_a_preset_more_than_its_number(
    settings: Settings,
) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    preset = Preset.objects.get(slug="local")
    assert preset_spec(preset).policy.wait_for == EVERYONE
    preset.wait_for, preset.quorum = "", 2
    assert preset_spec(preset).policy.wait_for == at_least(2)
    preset.wait_for = "first:2"
    assert preset_spec(preset).policy.wait_for == first(2)
    preset.save()
    for own, meant in (
        ({}, first(2)),
        ({"wait_for": "all_but_one"}, ALL_BUT_ONE),
        ({"policy": {"quorum": 3}}, at_least(3)),
    ):
        spec = by_api({"model": "fusion/local", "fusion": own})
        assert spec.policy.wait_for == meant, own


def test_the_presets_of_a_new_site_say_whom_they_wait_for_and_for_how_long() -> None:
    waits = {
        p.slug: (policy.wait_for, policy.panel_timeout)
        for p in Preset.objects.all()
        if (policy := preset_spec(p).policy)
    }
    assert waits == {
        "quality": (EVERYONE, 300),
        "budget": (ALL_BUT_ONE, 180),
        "local": (EVERYONE, 900),
    }
    assert set(waits) == set(came_with_the_site())


def test_one_model_alone_has_the_limits_of_its_call() -> None:
    spec = by_api({"model": "alpha", "fusion": {"wait_for": {"first": 5}}})
    assert spec.policy.panel_timeout == spec.policy.total_timeout == 900
    assert build(Wish(panel=["alpha"], judge="alpha")).policy.panel_timeout == 300


# what is known of a seat's silence


def answered(model: str, *seconds: float, credential: str = "mine") -> None:
    run = Run.objects.create(prompt="Why?", messages=[], spec={}, preset="custom")
    now = timezone.now()
    for n, took in enumerate(seconds, Call.objects.count()):
        Call.objects.create(
            run=run,
            key=f"panel-0-{n}",
            step="panel",
            seat=0,
            number=n,
            panelist={"model": model, "credential": credential},
            status="completed",
            sent_at=now,
            first_token_at=now + timedelta(seconds=took),
        )


def test_a_seat_knows_how_long_its_model_usually_takes_here_to_its_first_word() -> None:
    answered("alpha", 2, 40, 3)
    answered("beta", 9, 9)  # not enough of them
    answered("beta", 1, 1, 1, credential="another")
    spec = build(Wish(panel=["alpha", "beta"], judge="alpha"))
    assert [p.usual_first_token for p in spec.panel] == [3, None]
    assert spec.judge.usual_first_token is None


def test_calls_are_read_once_however_many_prompts_are_submitted(mine: Upstream) -> None:
    answered("alpha", 2, 3, 4)
    wish = Wish(panel=["alpha", "beta"], judge="alpha")
    reads = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            assert build(wish).panel[0].usual_first_token == 3
        reads.append(sum('FROM "console_call"' in q["sql"] for q in asked.captured_queries))
    assert reads == [1, 0, 0]
    answered("alpha", 8, 8, 8, 8)
    cache.clear()  # as after a minute
    assert build(wish).panel[0].usual_first_token == 8


def test_of_many_calls_the_latest_count() -> None:
    answered("alpha", *[50] * 30, *[4] * 20)
    (seat,) = build(Wish(panel=["alpha"], judge="alpha")).panel
    assert seat.usual_first_token == 4


@pytest.mark.parametrize(
    ("model", "is_known"),
    [
        ("o3", True),
        ("o4-mini", True),
        ("openai/gpt-5.1", True),
        ("openai/gpt-oss-120b:free", True),
        ("deepseek/deepseek-r1-0528", True),
        ("deepseek-reasoner", True),
        ("qwen/qwq-32b", True),
        ("qwen/qwen3-235b-a22b-thinking-2507", True),
        ("moonshotai/kimi-k2-thinking", True),
        ("mistralai/magistral-medium", True),
        ("google/gemini-2.5-pro", True),
        ("gpt-5-chat-latest", None),
        ("gpt-4o", None),
        ("olmo-2", None),
        ("meta-llama/llama-3.3-70b-instruct", None),
        ("grok-4-fast-non-reasoning", None),
        ("my-o1ive", None),
        ("unthinking", None),
    ],
)
def test_a_model_thinks_by_its_name_where_no_list_says(model: str, is_known: bool | None) -> None:
    assert reasons(Credential.objects.get(slug="mine"), model) is is_known


def test_what_its_server_lists_goes_before_its_name(mine: Upstream) -> None:
    rows = (
        '{"id": "alpha", "supported_parameters": ["temperature", "reasoning"]}',
        '{"id": "beta-thinking", "supported_parameters": ["temperature"]}',
        '{"id": "gamma", "capabilities": ["completion", "thinking"]}',
        '{"id": "delta-thinking", "capabilities": {"vision": true, "reasoning": false}}',
        '{"id": "epsilon", "supported_parameters": null}',
    )
    mine.script("/v1/models", Script(body=f'{{"data": [{", ".join(rows)}]}}'))
    cache.clear()
    names = ["alpha", "beta-thinking", "gamma", "delta-thinking", "epsilon"]
    spec = build(Wish(panel=names, judge="alpha"))
    assert [p.reasons for p in spec.panel] == [True, False, True, True, None]


def test_effort_that_is_asked_for_says_whether_a_seat_thinks() -> None:
    def thinks(reasons: bool | None, effort: str | None) -> bool:
        return Panelist("m", "mine", reasons=reasons, reasoning_effort=effort).thinks

    assert [thinks(r, e) for r, e in ((None, None), (True, None), (False, None))] == [
        False,
        True,
        False,
    ]
    assert [thinks(r, e) for r, e in ((None, "low"), (True, "none"), (False, "high"))] == [
        True,
        False,
        True,
    ]
