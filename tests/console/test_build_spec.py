"""Whoever wants a run, and in whatever words: one way leads to its spec."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from console.api.http.base import parse
from console.api.http.errors import ApiError
from console.api.planning.plan import plan_for
from console.api.planning.schemas import Asking
from console.catalog.names import ModelAt
from console.catalog.seed_data import FRONTIER_OUTPUT_TOKENS, LOCAL_OUTPUT_TOKENS
from console.engine.spec import Spec
from console.fragments.options import options
from console.management.commands.fuse import Command
from console.models import CatalogModel, Credential, Preset, Run
from console.models.terms import TERMS
from console.services.build_spec import build
from console.services.errors import NameRefused, PolicyRefused, Refused
from console.services.fusion_wish import fusion_wish
from console.services.presets import preset_duplicate, preset_spec, preset_wish
from console.services.wish import SeatWish, Wish
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mine() -> Iterator[Upstream]:
    cache.clear()
    with Upstream() as up:
        up.script("/v1/models", Script(body='{"data": [{"id": "alpha"}, {"id": "beta"}]}'))
        Credential.objects.create(
            slug="mine", name="mine", kind="openai_compatible", base_url=up.url
        )
        yield up


@pytest.fixture
def local(settings: Settings) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"


def by_form(client: Client, **fields: Any) -> Spec:
    alice = User.objects.get_or_create(username="alice")[0]
    client.force_login(alice)
    answer = client.post("/fusion", {"prompt": "Why?", "visibility": "private"} | fields)
    assert answer.status_code == 302, answer.content.decode()
    return Run.objects.get(pk=answer["Location"].rsplit("/", 1)[-1]).frozen_spec


def by_api(body: dict[str, Any]) -> Spec:
    return plan_for(parse(Asking, body), {}).spec


def by_shell(**given: Any) -> Spec:
    usual = dict.fromkeys(("preset", "panel", "judge", "policy", "wait_for"))
    usual |= {"compare_first": False, "cheap_writer": False, "web": ""}
    usual |= {"answer": [], "answers_only": False}
    usual |= dict.fromkeys(TERMS, "")
    return build(Command()._wish(usual | given))


def same(*specs: Spec) -> None:
    first, *others = (replace(spec, shuffle_seed=0).to_dict() for spec in specs)
    for other in others:
        assert other == first


def test_the_same_wish_by_form_api_shell_and_of_a_run_that_is_there_is_one_spec(
    client: Client,
) -> None:
    wished = build(
        Wish(panel=["alpha", "mine:beta"], judge="beta", policy={"quorum": 1, "grace": "2,5"})
    )
    policy = {"policy-quorum": "1", "policy-grace": "2.5"}
    own = {"panel": ["alpha", "mine:beta"], "judge": "beta", "policy": {"quorum": 1, "grace": 2.5}}
    same(
        wished,
        by_form(client, preset="custom", panel=["alpha", "mine:beta"], judge="beta", **policy),
        by_api({"fusion": own}),
        by_shell(panel="alpha,mine:beta", judge="beta", policy="quorum=1,grace=2.5"),
        build(fusion_wish(wished)),
    )


def test_a_preset_by_form_api_and_shell_is_one_spec(client: Client, local: None) -> None:
    preset = Preset.objects.get(slug="local")
    same(
        preset_spec(preset),
        build(preset_wish(preset)),
        by_form(client, preset="local"),
        by_api({"model": "fusion/local"}),
        by_shell(preset="local"),
    )
    same(
        by_form(client, preset="local", stop_after_panel="on"),
        by_shell(preset="local", compare_first=True),
    )


def test_that_the_judge_writes_too_is_one_spec_by_form_api_and_shell(
    client: Client, local: None
) -> None:
    credential = Credential.objects.get(slug="local")
    Preset.objects.filter(slug="local").update(
        synthesizer_model="writer", synthesizer_credential=credential, judge_model="big"
    )
    assert by_form(client, preset="local").writer.model == "writer"
    same(
        by_form(client, preset="local", judge_writes="on"),
        by_api({"model": "fusion/local", "fusion": {"judge_writes": True}}),
        by_shell(preset="local", cheap_writer=True),
    )
    assert by_shell(preset="local", cheap_writer=True).writer.model == "big"
    both = {"judge_writes": True, "synthesizer": "local:writer"}
    with pytest.raises(ApiError, match="choose one of them"):
        by_api({"model": "fusion/local", "fusion": both})


def test_a_preset_asks_nobody_anything(mine: Upstream) -> None:
    preset_spec(Preset.objects.get(slug="quality"))
    assert not mine.requests


def test_who_replaces_a_part_of_a_presets_wish_keeps_the_rest(local: None) -> None:
    preset = Preset.objects.get(slug="local")
    preset.analysis_max_output_tokens = preset.synthesis_max_output_tokens = None
    wish = preset_wish(preset)
    spec = build(replace(wish, judge="mine:alpha"))
    assert spec.panel == build(wish).panel and spec.preset == "local"
    assert (spec.judge.model, spec.writer.model) == ("alpha", "alpha")
    # What the built-in model may write is no measure for another.
    assert build(wish).policy.analysis_max_output_tokens == 600
    assert spec.policy.analysis_max_output_tokens == 8000


def test_one_model_alone_is_asked_and_not_fused(local: None) -> None:
    spec = build(Wish(judge="local:tiny", is_direct=True, preset="direct"))
    assert spec.panel == (spec.judge,) and spec.stop_after == "panel"
    assert spec.judge.max_output_tokens == 600
    spec = by_api({"model": "alpha"})
    assert (spec.preset, spec.panel[0].model, spec.panel[0].max_output_tokens) == (
        "direct",
        "alpha",
        None,
    )


def test_the_panels_measure_of_thinking_is_the_judges_too_but_not_the_writers() -> None:
    spec = build(Wish(panel=["alpha"], judge="beta", judge_fallback="alpha", judge_effort="high"))
    assert spec.judge.reasoning_effort == "high" and spec.judge.fallback
    assert spec.writer == replace(spec.judge, reasoning_effort=None)


def test_what_is_wrong_says_where_it_lies() -> None:
    whole = Wish(panel=["alpha", SeatWish("beta", fallback="alpha")], judge="alpha")
    for part, place in (
        ({"panel": ["alpha", "ollama:x"]}, ("panel", 1)),
        ({"panel": [SeatWish("alpha", fallback="ollama:x")]}, ("fallback", 0)),
        ({"panel": [SeatWish("ollama:y", fallback="ollama:x")]}, ("panel", 0)),
        ({"judge": "ollama:x"}, ("judge", None)),
        ({"synthesizer": "ollama:x"}, ("synthesizer", None)),
        ({"judge_fallback": "ollama:x"}, ("judge_fallback", None)),
        ({"synthesizer_fallback": "ollama:x"}, ("synthesizer_fallback", None)),
    ):
        with pytest.raises(NameRefused) as refused:
            build(replace(whole, **part))  # type: ignore[arg-type]
        assert (refused.value.field, refused.value.seat) == place
    with pytest.raises(PolicyRefused, match="Quorum"):
        build(replace(whole, policy={"quorum": "99"}))
    with pytest.raises(ApiError) as said:
        by_api({"fusion": {"panel": ["alpha"], "judge": "alpha", "policy": {"quorum": 99}}})
    assert (said.value.param, said.value.code) == ("fusion.policy", "invalid_request")


def test_a_program_is_told_what_no_server_lists_where_a_person_may_know_better() -> None:
    wish = Wish(panel=["unheard-of"], judge="alpha")
    assert build(wish).panel[0].credential == "mine"
    with pytest.raises(Refused, match="There is no model “unheard-of”"):
        build(replace(wish, listed_only=True))


# ---- a limit that somebody chose


def test_a_limit_that_a_person_chose_is_one_also_where_it_is_the_usual_one(
    client: Client, local: None
) -> None:
    chosen, usual = by_form(
        client,
        preset="custom",
        panel=["local:tiny", "local:tiny"],
        judge="local:tiny",
        **{"seat-0-max_output_tokens": str(LOCAL_OUTPUT_TOKENS)},
    ).panel
    assert chosen.max_output_tokens == usual.max_output_tokens == LOCAL_OUTPUT_TOKENS
    assert options(chosen) == ["at most 200 tokens"] and options(usual) == []
    assert json.loads(json.dumps(chosen.to_dict()))["limit_is_chosen"] is True


def test_so_it_is_where_a_program_chose_it() -> None:
    seat = {"model": "mine:alpha", "max_completion_tokens": FRONTIER_OUTPUT_TOKENS}
    own = by_api({"fusion": {"panel": [seat], "judge": "alpha"}}).panel[0]
    assert options(own) == ["at most 16,000 tokens"]


def test_of_a_preset_it_is_chosen_unless_it_came_with_the_site() -> None:
    given = Preset.objects.get(slug="quality")
    assert [options(p) for p in preset_spec(given).panel] == [[], [], []]
    assert {p.max_output_tokens for p in preset_spec(given).panel} == {FRONTIER_OUTPUT_TOKENS}
    made = preset_duplicate(preset=given)
    assert options(preset_spec(made).panel[0]) == ["at most 16,000 tokens"]
    given.panelists.filter(seat=0).update(max_output_tokens=500)
    given.panelists.filter(seat=1).update(max_output_tokens=None)
    first, second, _ = preset_spec(given).panel
    assert options(first) == ["at most 500 tokens"]
    assert second.max_output_tokens is None and options(second) == []


@pytest.mark.parametrize("form", ["mine:model-{}", "model-{}", "mine:model-{}:free", "mine:new-{}"])
def test_a_larger_panel_is_looked_up_in_no_more_queries(form: str, mine: Upstream) -> None:
    rows = [{"id": f"model-{n}", "context_length": 200_000} for n in range(9)]
    mine.script("/v1/models", Script(body=json.dumps({"data": rows})))

    def queries(seats: int) -> int:
        cache.clear()
        panel = [form.format(n) for n in range(seats)]
        with CaptureQueriesContext(connection) as made:
            spec = build(Wish(panel=panel, judge=form.format(8)))
        assert len(spec.panel) == seats
        return len(made)

    queries(2)  # reads the list
    assert queries(8) == queries(2)


def test_a_preset_of_a_larger_panel_is_looked_up_in_no_more_queries(mine: Upstream) -> None:
    at = Credential.objects.get(slug="mine")

    def queries(seats: int) -> int:
        panel = [SeatWish(ModelAt(at, f"model-{n}")) for n in range(seats)]
        with CaptureQueriesContext(connection) as made:
            build(Wish(panel=panel, judge=ModelAt(at, "judge")))
        return len(made)

    queries(2)
    assert queries(8) == queries(2) == 1


@pytest.mark.parametrize(
    "name", ["model-7", "mine:model-7", "mine:model-7:free", "org/model-7", "mine:org/model-7"]
)
@pytest.mark.parametrize("listed_only", [True, False])
def test_of_a_long_list_only_what_a_name_may_mean_is_read(
    name: str, listed_only: bool, mine: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": f"{of}model-{n}", "context_length": 9000} for n in range(99) for of in ("", "org/")
    ]
    mine.script("/v1/models", Script(body=json.dumps({"data": rows})))
    wish = Wish(judge=name, is_direct=True, listed_only=listed_only)
    build(wish)  # reads the list
    read: list[Any] = []
    from_db = CatalogModel.from_db
    monkeypatch.setattr(CatalogModel, "from_db", lambda *a: read.append(a) or from_db(*a))
    (answers,) = build(wish).panel
    assert answers.context_length == (None if name.endswith(":free") else 9000)
    assert len(read) <= 1


@pytest.mark.parametrize("name", ["alpha", "mine:alpha"])
def test_what_a_list_tells_is_known_to_the_first_who_has_it_read(name: str, mine: Upstream) -> None:
    row = '{"id": "alpha", "context_length": 9000, "supported_parameters": ["reasoning"]}'
    mine.script("/v1/models", Script(body=f'{{"data": [{row}]}}'))
    spec = build(Wish(panel=[name], judge=name))
    assert [(w.context_length, w.reasons) for w in (*spec.panel, spec.judge)] == [(9000, True)] * 2
