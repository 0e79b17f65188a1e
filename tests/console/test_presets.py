"""From presets and from names to the frozen spec of a run."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from pytest_django import Settings

from console.catalog import listings as catalog
from console.catalog import seed_data
from console.engine.spec import Spec
from console.engine.usage import Price
from console.models import Credential, Preset, Seed
from console.providers.kinds import KEY_GIVERS
from console.providers.secret import Secret
from console.services.build_spec import build
from console.services.errors import NameRefused, Refused
from console.services.places import key_for_places
from console.services.presets import (
    default_preset_slug,
    preset_lacks,
    preset_spec,
)
from console.services.wish import SeatWish, Wish
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db
OPUS = "~anthropic/claude-opus-latest"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        up.script("/v1/models", Script(body='{"data": [{"id": "alpha"}, {"id": "llama3:8b"}]}'))
        yield up


def custom_spec(**wished: Any) -> Spec:
    return build(Wish(**wished))


def server(slug: str, url: str) -> Credential:
    return Credential.objects.create(slug=slug, name=slug, kind="openai_compatible", base_url=url)


@pytest.fixture
def mine(upstream: Upstream) -> Credential:
    return server("mine", upstream.url)


def preset(slug: str) -> Preset:
    return Preset.objects.get(slug=slug)


# ---- the starters


def test_quality_and_budget_are_as_promised() -> None:
    quality, budget = preset_spec(preset("quality")), preset_spec(preset("budget"))
    assert [p.model for p in quality.panel] == [
        OPUS,
        "~openai/gpt-latest",
        "~google/gemini-pro-latest",
    ]
    assert [p.model for p in budget.panel] == [
        "~google/gemini-flash-latest",
        "~deepseek/deepseek-flash-latest",
        "~moonshotai/kimi-latest",
    ]
    assert quality.judge.model == budget.judge.model == OPUS
    for panelist in (*quality.panel, *budget.panel):
        assert panelist.max_output_tokens == 16_000
        assert panelist.credential == "openrouter"


def test_local_is_one_model_asked_in_three_ways_at_no_cost(settings: Settings) -> None:
    spec = preset_spec(preset("local"))
    assert [p.label for p in spec.panel] == ["free", "brief", "plain"]
    assert [p.max_output_tokens for p in spec.panel] == [200, 150, 150]
    assert {p.model for p in spec.panel} == {settings.LOCAL_MODEL_NAME}
    assert len({(p.temperature, p.seed, p.system_prompt) for p in spec.panel}) == 3
    assert all(p.price == Price(Decimal(0), Decimal(0)) for p in (*spec.panel, spec.judge))
    assert spec.judge.temperature == 0
    assert spec.policy.analysis_max_output_tokens == 600
    assert spec.policy.synthesis_max_output_tokens == 250


OLD_LOCAL = (
    ("careful", 0.2, 11, "Answer carefully. Say only what you are sure of."),
    ("plain", 0.6, 22, "Answer plainly, in short sentences."),
    ("bold", 0.9, 33, "Answer boldly. Take a clear position and give a reason."),
)


def local_of_an_old_site() -> Preset:
    local = preset("local")
    local.description = "One tiny model on this machine, in three moods. No key, no cost."
    local.save()
    for seat, (label, temperature, seed, prompt) in enumerate(OLD_LOCAL):
        local.panelists.filter(seat=seat).update(
            label=label,
            temperature=temperature,
            seed=seed,
            system_prompt=prompt,
            max_output_tokens=200,
        )
    Seed.objects.filter(name="preset:local:seats").delete()
    return local


def test_an_old_local_that_nobody_has_touched_gets_the_new_seats() -> None:
    local = local_of_an_old_site()
    seed_data.give(apps, "default")
    assert [p.label for p in local.panelists.all()] == ["free", "brief", "plain"]
    assert [p.max_output_tokens for p in local.panelists.all()] == [200, 150, 150]
    local.refresh_from_db()
    assert "three ways" in local.description


@pytest.mark.parametrize(
    "edited",
    [
        {"label": "bolder"},
        {"temperature": 0.3},
        {"system_prompt": ""},
        {"model": "another"},
        {"max_output_tokens": None},
    ],
)
def test_an_old_local_that_somebody_has_edited_stays_as_it_is(edited: dict[str, Any]) -> None:
    local = local_of_an_old_site()
    local.panelists.filter(seat=2).update(**edited)
    before = list(local.panelists.values())
    seed_data.give(apps, "default")
    assert list(local.panelists.values()) == before


def test_an_old_local_with_one_seat_more_or_none_stays_as_it_is() -> None:
    local = local_of_an_old_site()
    local.panelists.filter(seat=2).delete()
    seed_data.give(apps, "default")
    assert [p.label for p in local.panelists.all()] == ["careful", "plain"]
    Seed.objects.filter(name="preset:local:seats").delete()
    local.delete()
    seed_data.give(apps, "default")
    assert not Preset.objects.filter(slug="local").exists()


def test_the_new_seats_are_brought_once() -> None:
    local = local_of_an_old_site()
    seed_data.give(apps, "default")
    local.panelists.filter(seat=0).update(label="mine")
    seed_data.give(apps, "default")
    assert local.panelists.get(seat=0).label == "mine"


def test_a_spec_survives_being_stored() -> None:
    for made in Preset.objects.all():
        spec = preset_spec(made)
        assert Spec.from_dict(spec.to_dict()) == spec


def test_prices_are_frozen_from_the_published_ones() -> None:
    price = preset_spec(preset("quality")).judge.price
    assert price and price.input > 0 and price.output > price.input


def test_each_run_is_shuffled_anew() -> None:
    seeds = {preset_spec(preset("quality")).shuffle_seed for _ in range(5)}
    assert len(seeds) == 5 and all(96 < seed.bit_length() <= 128 for seed in seeds)


def test_limits_are_the_presets_or_the_sites(settings: Settings) -> None:
    settings.FIRST_TOKEN_TIMEOUT, settings.STALL_TIMEOUT, settings.TOTAL_TIMEOUT = 11, 12, 13
    Preset.objects.filter(slug="quality").update(stall_timeout=0.3)
    policy = preset_spec(preset("quality")).policy
    assert (policy.first_token_timeout, policy.stall_timeout, policy.total_timeout) == (11, 0.3, 13)


def test_a_synthesizer_of_its_own_uses_the_judges_credential_unless_it_has_one(
    mine: Credential,
) -> None:
    quality = preset("quality")
    assert preset_spec(quality).writer == preset_spec(quality).judge
    quality.synthesizer_model = "writer"
    assert preset_spec(quality).writer.credential == "openrouter"
    quality.synthesizer_credential = mine
    assert preset_spec(quality).writer.credential == "mine"


# ---- what a preset lacks


def test_a_preset_says_what_it_lacks() -> None:
    assert preset_lacks(preset("quality")) == key_for_places()
    assert "manage.py up" in preset_lacks(preset("local"))


def test_places_want_any_key_and_models_that_are_named_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quality = preset("quality")
    for giver in KEY_GIVERS:
        assert giver.name in preset_lacks(quality)
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-0123456789")  # whose list nobody has read
        lacks = preset_lacks(preset("quality"))
        assert lacks.startswith(
            "No model that your keys reach fits its places: one of OpenRouter, "
        )
        assert "OpenAI" not in lacks and lacks.endswith(" or Moonshot may do.")
    Preset.objects.filter(pk=quality.pk).update(judge_place="", judge_model="maker/judge")
    assert preset_lacks(preset("quality")) == "OpenRouter needs an API key."
    Preset.objects.filter(pk=quality.pk).update(judge_place=quality.judge_place)
    quality.panelists.filter(seat=1).update(place="")
    assert preset_lacks(preset("quality")) == "OpenRouter needs an API key."
    quality.panelists.filter(seat=1).update(place="any/strongest")
    Credential.objects.filter(slug="openrouter").update(enabled=False)
    assert preset_lacks(preset("quality")) == "OpenRouter is switched off."


def test_a_ready_preset_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-0123456789")
    assert preset_lacks(preset("quality")) == ""
    preset("quality").panelists.all().delete()
    assert "no panelists" in preset_lacks(preset("quality"))
    with pytest.raises(Refused):
        preset_spec(preset("quality"))


# ---- which comes first


def test_local_is_the_default_until_there_is_a_key(settings: Settings) -> None:
    assert default_preset_slug() == "local"
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    assert default_preset_slug() == "local"


def test_quality_is_the_default_with_an_openrouter_key(settings: Settings) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    openrouter = Credential.objects.get(slug="openrouter")
    openrouter.secret = Secret("sk-0123456789")
    openrouter.save()
    assert default_preset_slug() == "quality"
    preset("quality").delete()
    assert default_preset_slug() == "budget"


@pytest.mark.parametrize(
    ("name", "value"), [("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"), ("OLLAMA_HOST", "127.0.0.1")]
)
def test_custom_is_the_default_with_another_server_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert default_preset_slug() == "custom"


def test_a_preset_made_for_another_server_comes_before_naming_models_by_hand(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    server = Credential.objects.get(slug="openai")
    made = Preset.objects.create(
        name="Ours", slug="ours", position=90, judge_model="m", judge_credential=server
    )
    assert default_preset_slug() == "custom"  # it has no seats yet
    made.panelists.create(seat=0, credential=server, model="m")
    assert default_preset_slug() == "ours"
    Preset.objects.filter(slug="ours").update(enabled=False)
    assert default_preset_slug() == "custom"


# ---- by names


def test_names_a_server_lists_go_there(mine: Credential) -> None:
    server("dead", "http://127.0.0.1:9/v1")
    spec = custom_spec(panel=["alpha", "llama3:8b", "alpha"], judge="alpha")
    assert [(p.credential, p.model) for p in spec.panel] == [
        ("mine", "alpha"),
        ("mine", "llama3:8b"),
        ("mine", "alpha"),
    ]
    assert spec.judge.model == spec.writer.model == "alpha"


def test_a_credential_in_front_decides_and_only_a_credential(mine: Credential) -> None:
    spec = custom_spec(panel=["mine:llama3:8b", "org/model:free"], judge="mine:x")
    assert [p.model for p in spec.panel] == ["llama3:8b", "org/model:free"]


def test_the_price_of_a_model_whose_server_is_named_is_known_at_once(
    mine: Credential, upstream: Upstream
) -> None:
    priced = {"id": "alpha", "context_length": 8192, "pricing": {"prompt": "1", "completion": "2"}}
    upstream.script("/v1/models", Script(body=json.dumps({"data": [priced]})))
    spec = custom_spec(panel=["mine:alpha"], judge="mine:alpha")
    million = Decimal(1_000_000)
    assert spec.panel[0].price == spec.judge.price == Price(million, 2 * million)
    assert spec.judge.context_length == 8192
    assert len(upstream.requests) == 1


def test_servers_that_are_named_are_asked_all_at_once(
    mine: Credential, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("theirs", upstream.url)
    asked, ask_all = [], catalog._ask_all

    def noted(credentials: list[Credential]) -> Any:
        asked.append([c.slug for c in credentials])
        return ask_all(credentials)

    monkeypatch.setattr(catalog, "_ask_all", noted)
    for _ in range(2):
        custom_spec(panel=["theirs:beta", "mine:alpha"], judge="mine:alpha")
    assert [sorted(slugs) for slugs in asked] == [["mine", "theirs"]]


def test_a_name_nobody_lists_goes_to_the_only_server(mine: Credential) -> None:
    assert custom_spec(panel=["unheard-of"], judge="alpha").panel[0].credential == "mine"


def test_a_name_nobody_lists_is_refused_when_there_is_a_choice(
    mine: Credential, upstream: Upstream
) -> None:
    server("other", "http://127.0.0.1:9/v1")
    with pytest.raises(Refused, match="mine:unheard-of or other:unheard-of"):
        custom_spec(panel=["unheard-of"], judge="alpha")


def test_a_name_two_servers_list_must_say_which(mine: Credential, upstream: Upstream) -> None:
    server("other", upstream.url)
    with pytest.raises(Refused, match="mine:alpha or other:alpha"):
        custom_spec(panel=["alpha"], judge="alpha")
    spec = custom_spec(panel=["other:alpha"], judge="mine:alpha", synthesizer="other:alpha")
    assert (spec.panel[0].credential, spec.judge.credential) == ("other", "mine")
    assert spec.writer.credential == "other"


def test_a_credential_that_cannot_be_called_is_refused(mine: Credential) -> None:
    with pytest.raises(Refused, match="needs an API key"):
        custom_spec(panel=["openrouter:x"], judge="alpha")


@pytest.mark.parametrize(
    ("panel", "judge", "sentence"),
    [
        ([], "alpha", "at least one"),
        ([" "], "alpha", "at least one"),
        (["alpha"] * 9, "alpha", "at most 8"),
        (["alpha"], "", "Choose a judge"),
    ],
)
def test_what_cannot_be_a_panel_is_refused(
    mine: Credential, panel: list[str], judge: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        custom_spec(panel=panel, judge=judge)


def test_without_any_provider_it_says_so() -> None:
    with pytest.raises(Refused, match="No provider is set up"):
        custom_spec(panel=["alpha"], judge="alpha")


def test_the_local_model_keeps_its_small_limits(settings: Settings) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    spec = custom_spec(panel=["local:tiny"], judge="local:tiny")
    assert spec.panel[0].max_output_tokens == 200
    assert spec.policy.analysis_max_output_tokens == 600


# ---- a seat's options


def test_what_is_asked_of_a_seat_is_frozen_and_asked_of_who_stands_in(mine: Credential) -> None:
    seat = SeatWish("alpha", 0.0, 300, "low", "Be brief.", fallback="mine:llama3:8b")
    spec = custom_spec(panel=[seat, "alpha"], judge="alpha")
    asked, plain = Spec.from_dict(json.loads(json.dumps(spec.to_dict()))).panel
    assert (asked.temperature, asked.max_output_tokens) == (0.0, 300)
    assert (asked.reasoning_effort, asked.system_prompt) == ("low", "Be brief.")
    assert asked.fallback
    assert (asked.fallback.credential, asked.fallback.model) == ("mine", "llama3:8b")
    assert (asked.fallback.max_output_tokens, asked.fallback.system_prompt) == (300, "Be brief.")
    assert plain.to_dict() == {"model": "alpha", "credential": "mine"}


def test_a_seat_that_cannot_be_had_says_which_and_whether_it_is_its_fallback(
    mine: Credential,
) -> None:
    with pytest.raises(NameRefused, match="OpenRouter needs an API key") as refused:
        custom_spec(panel=["alpha", SeatWish("alpha", fallback="openrouter:x")], judge="alpha")
    assert (refused.value.seat, refused.value.field) == (1, "fallback")
    with pytest.raises(NameRefused) as refused:
        custom_spec(panel=["openrouter:x", "alpha"], judge="alpha")
    assert (refused.value.seat, refused.value.field) == (0, "panel")


def test_a_limit_of_a_seats_own_goes_before_the_usual_one(settings: Settings) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    seats = [SeatWish("local:tiny", max_output_tokens=50), "local:tiny"]
    spec = custom_spec(panel=seats, judge="local:tiny")
    assert [p.max_output_tokens for p in spec.panel] == [50, 200]


def test_judge_and_synthesizer_have_fallbacks_of_their_own(mine: Credential) -> None:
    spec = custom_spec(panel=["alpha"], judge="alpha", judge_fallback="mine:spare")
    assert spec.synthesizer is None and spec.writer.fallback  # a judge that writes keeps its own
    assert spec.writer.fallback.model == "spare"
    spec = custom_spec(panel=["alpha"], judge="alpha", synthesizer_fallback="mine:pen")
    assert spec.judge.fallback is None and spec.writer.model == "alpha"
    assert spec.writer.fallback and spec.writer.fallback.model == "pen"
    with pytest.raises(NameRefused, match="OpenRouter needs an API key") as refused:
        custom_spec(panel=["alpha"], judge="alpha", judge_fallback="openrouter:x")
    assert (refused.value.seat, refused.value.field) == (None, "judge_fallback")
