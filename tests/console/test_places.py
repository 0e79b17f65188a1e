"""What presets are filled with, from each key alone and from several together."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from console.catalog import listings
from console.catalog.makers import CHEAP, GRADES, STRONGEST, makers, rank_of
from console.catalog.places import ModelPlace, place_choices, read_place
from console.engine.findings.families import family
from console.models import CatalogList, CatalogModel, Credential, Preset
from console.services.places import NewerModel, places_renewed
from console.services.places import newer_models as all_newer_models
from console.services.presets import (
    default_preset_slug,
    preset_duplicate,
    preset_lacks,
    preset_slugs,
    preset_spec,
)
from tests.console.listed import KEYS, LISTS, Have, Lists

pytestmark = pytest.mark.django_db


def preset(slug: str) -> Preset:
    return Preset.objects.get(slug=slug)


def filled(slug: str) -> str:
    """As `panel | judge | writer`; "" where it cannot run. Of several keys each is named."""
    if preset_lacks(preset(slug)):
        return ""
    spec = preset_spec(preset(slug))
    asked = [*spec.panel, spec.judge, spec.writer]
    one = len({p.credential for p in asked}) == 1
    *panel, judge, writer = (p.model if one else f"{p.credential}:{p.model}" for p in asked)
    return " ".join(panel) + f" | {judge} | {writer}"


def newer_models(of: Preset) -> list[NewerModel]:
    return all_newer_models(of)[of]


OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
SOL = "gpt-6.1-sol"
ARGON, FLASH = "models/gemini-4-argon", "models/gemini-3.8-flash"
TABLE = [
    # keys, Quality, Budget
    (
        "openrouter",
        "anthropic/claude-opus-5.5 openai/gpt-6.1-sol google/gemini-4-argon "
        "| deepseek/deepseek-v4-pro | deepseek/deepseek-v4-pro",
        "google/gemini-3.8-flash deepseek/deepseek-v4.1-flash openai/gpt-6-luna "
        "| anthropic/claude-haiku-5.5 | anthropic/claude-opus-5.5",
    ),
    (
        "anthropic",
        f"{OPUS} {OPUS} {OPUS} | {OPUS} | {OPUS}",
        f"{HAIKU} {HAIKU} {HAIKU} | {HAIKU} | {OPUS}",
    ),
    (
        "openai",
        "gpt-6.1-sol gpt-6.1-sol gpt-6.1-sol | gpt-6.1-sol | gpt-6.1-sol",
        "gpt-6-luna gpt-6-luna gpt-6-luna | gpt-6-luna | gpt-6.1-sol",
    ),
    (
        "google",
        f"{ARGON} {ARGON} {ARGON} | {ARGON} | {ARGON}",
        f"{FLASH} {FLASH} {FLASH} | {FLASH} | {ARGON}",
    ),
    (
        "groq",
        "moonshotai/kimi-k2-instruct openai/gpt-oss-120b qwen/qwen3-32b "
        "| meta-llama/llama-4-maverick-17b-128e-instruct "
        "| meta-llama/llama-4-maverick-17b-128e-instruct",
        "qwen/qwen3.8-27b meta-llama/llama-4-scout-17b-16e-instruct openai/gpt-oss-120b "
        "| openai/gpt-oss-120b | moonshotai/kimi-k2-instruct",
    ),
    (
        "xai",
        "grok-4.7 grok-4.7 grok-4.7 | grok-4.7 | grok-4.7",
        " ".join(["grok-4-1-fast-reasoning"] * 3) + " | grok-4-1-fast-reasoning | grok-4.7",
    ),
    (
        "mistral",
        " ".join(["mistral-large-4"] * 3) + " | mistral-large-4 | mistral-large-4",
        " ".join(["mistral-small-2603"] * 3) + " | mistral-small-2603 | mistral-large-4",
    ),
    (
        "deepseek",
        " ".join(["deepseek-v4-pro"] * 3) + " | deepseek-v4-pro | deepseek-v4-pro",
        " ".join(["deepseek-v4-flash"] * 3) + " | deepseek-v4-flash | deepseek-v4-pro",
    ),
    (
        "moonshot",
        " ".join(["kimi-k3.1-pro"] * 3) + " | kimi-k3.1-pro | kimi-k3.1-pro",
        " ".join(["kimi-k2.6"] * 3) + " | kimi-k2.6 | kimi-k3.1-pro",
    ),
    ("ollama", "", ""),
    (
        "large-ollama",
        "qwen3:235b gpt-oss:120b llama3.3:70b | gpt-oss:120b | gpt-oss:120b",
        "qwen3:235b llama3.3:70b gpt-oss:120b | gpt-oss:120b | gpt-oss:120b",
    ),
    # Each maker's own server is asked first; who is reached through OpenRouter alone judges.
    (
        "anthropic openrouter",
        f"anthropic:{OPUS} openrouter:openai/gpt-6.1-sol openrouter:google/gemini-4-argon "
        "| openrouter:deepseek/deepseek-v4-pro | openrouter:deepseek/deepseek-v4-pro",
        "openrouter:google/gemini-3.8-flash openrouter:deepseek/deepseek-v4.1-flash "
        f"openrouter:openai/gpt-6-luna | anthropic:{HAIKU} | anthropic:{OPUS}",
    ),
    # Two makers take turns.
    (
        "anthropic openai",
        f"anthropic:{OPUS} openai:{SOL} anthropic:{OPUS} | anthropic:{OPUS} | anthropic:{OPUS}",
        f"anthropic:{HAIKU} anthropic:{HAIKU} openai:gpt-6-luna "
        f"| anthropic:{HAIKU} | anthropic:{OPUS}",
    ),
    (
        "google mistral",
        f"mistral:mistral-large-4 google:{ARGON} google:{ARGON} | google:{ARGON} | google:{ARGON}",
        f"google:{FLASH} mistral:mistral-small-2603 google:{FLASH} "
        f"| google:{FLASH} | google:{ARGON}",
    ),
    (
        "openai deepseek",
        f"deepseek:deepseek-v4-pro openai:{SOL} openai:{SOL} | openai:{SOL} | openai:{SOL}",
        "openai:gpt-6-luna deepseek:deepseek-v4-flash openai:gpt-6-luna "
        f"| openai:gpt-6-luna | openai:{SOL}",
    ),
    (
        "groq openai",
        f"groq:moonshotai/kimi-k2-instruct openai:{SOL} groq:qwen/qwen3-32b "
        "| groq:meta-llama/llama-4-maverick-17b-128e-instruct "
        "| groq:meta-llama/llama-4-maverick-17b-128e-instruct",
        "groq:qwen/qwen3.8-27b groq:meta-llama/llama-4-scout-17b-16e-instruct openai:gpt-6-luna "
        "| openai:gpt-6-luna | groq:moonshotai/kimi-k2-instruct",
    ),
    (
        "anthropic openai google xai",
        f"anthropic:{OPUS} openai:{SOL} google:{ARGON} | xai:grok-4.7 | xai:grok-4.7",
        f"google:{FLASH} anthropic:{HAIKU} openai:gpt-6-luna "
        "| xai:grok-4-1-fast-reasoning | xai:grok-4.7",
    ),
    # What runs on this machine stands in for no key.
    (
        "openai large-ollama",
        f"{SOL} {SOL} {SOL} | {SOL} | {SOL}",
        f"gpt-6-luna gpt-6-luna gpt-6-luna | gpt-6-luna | {SOL}",
    ),
]


@pytest.mark.parametrize(("keys", "quality", "budget"), TABLE, ids=[row[0] for row in TABLE])
def test_what_presets_are_filled_with(have: Have, keys: str, quality: str, budget: str) -> None:
    have(*keys.split())
    assert filled("quality") == quality
    assert filled("budget") == budget
    shown = {slug for slug, seats in (("quality", quality), ("budget", budget)) if seats}
    assert set(preset_slugs()) == shown
    assert default_preset_slug() == ("quality" if quality else "custom")


# ---- which names are which maker's


@pytest.mark.parametrize(
    ("grade", "better", "worse"),
    [
        (STRONGEST, "claude-opus-4-5", "claude-opus-4-1-20250805"),
        (STRONGEST, "anthropic/claude-opus-4.10", "anthropic/claude-opus-4.9"),
        (STRONGEST, "claude-opus-4-20250514", "claude-3-opus-20240229"),
        (STRONGEST, "claude-opus-4-1", "claude-sonnet-4-5"),
        (STRONGEST, "us.anthropic.claude-opus-4-1-20250805-v1:0", "anthropic/claude-opus-4"),
        (STRONGEST, "gpt-5.1", "gpt-5"),
        (STRONGEST, "gpt-5", "gpt-5-2025-08-07"),
        (STRONGEST, "gpt-5", "gpt-5-mini"),
        (STRONGEST, "gpt-7", "gpt-6.1-sol"),
        (STRONGEST, "gpt-4o-2024-11-20", "gpt-4o-2024-05-13"),
        (STRONGEST, "models/gemini-2.5-pro", "models/gemini-3-pro-preview"),
        (STRONGEST, "gemini-2.5-pro", "gemini-3.5-flash"),
        (STRONGEST, "grok-4.3", "grok-4.20"),
        (STRONGEST, "grok-4", "grok-4-0709"),
        (STRONGEST, "mistral-large-2512", "mistral-large-2411"),
        (STRONGEST, "qwen3-235b-a22b", "qwen3-32b"),
        (CHEAP, "gpt-5-mini-2025-08-07", "gpt-4o-mini"),
        (CHEAP, "gemini-2.5-flash", "gemini-2.5-flash-lite"),
        (CHEAP, "llama3.3:70b", "llama3.1:8b"),
    ],
)
def test_of_two_names_the_newer_of_the_stronger_line_is_the_better(
    grade: str, better: str, worse: str
) -> None:
    one, other = rank_of(better, grade), rank_of(worse, grade)
    assert one and other and one[0] == other[0] and one[1] < other[1]


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta"),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "meta"),
        ("meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", "meta"),
        ("accounts/fireworks/models/llama-v3p3-70b-instruct", "meta"),
        ("accounts/fireworks/models/llama4-maverick-instruct-basic", "meta"),
        ("meta/llama-3.3-70b-instruct-maas", "meta"),
        ("llama-3.3-70b", "meta"),
        ("accounts/fireworks/models/deepseek-v3p1", "deepseek"),
        ("deepseek-ai/DeepSeek-R1-0528-tput", "deepseek"),
        ("deepseek-ai/deepseek-v3.1-maas", "deepseek"),
        ("accounts/fireworks/models/glm-4p6", "zhipu"),
        ("zai-glm-4.6", "zhipu"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-tput", "qwen"),
        ("qwen-3-235b-a22b-instruct-2507", "qwen"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "qwen"),
        ("qwen3-max", "qwen"),
        ("moonshotai/Kimi-K2-Instruct-0905", "moonshot"),
        ("openai/gpt-oss-120b-Turbo", "openai"),
        ("azure/gpt-4.1", "openai"),
        ("gemini/gemini-2.5-pro", "google"),
        ("anthropic/claude-opus-4-1@20250805", "anthropic"),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"),
        ("mistral-ai/mistral-medium-2505", "mistral"),
        ("xai/grok-3", "xai"),
    ],
)
def test_a_model_is_known_at_whatever_host_it_is_served(name: str, maker: str) -> None:
    found = rank_of(name, STRONGEST)
    assert found and found[0] == maker == family(name)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4-turbo",
        "z-ai/glm-5-turbo",
        "~anthropic/claude-opus-latest",
        "claude-3-opus-latest",
        "anthropic/claude-opus-4.6-fast",
        "anthropic/claude-opus-5:batch",
        "claude-fable-5",
        "gpt-5-pro",
        "gpt-6-astra",
        "gpt-4o-audio-preview",
        "gpt-4o-realtime-preview",
        "gpt-4o-search-preview",
        "gpt-5-image",
        "gpt-5.3-codex",
        "gpt-3.5-turbo-instruct",
        "text-embedding-3-large",
        "omni-moderation-latest",
        "openai/gpt-oss-safeguard-20b",
        "gemini-2.5-flash-image",
        "gemini-2.5-flash-preview-tts",
        "gemini-live-2.5-flash",
        "deepseek/deepseek-r1:free",
        "deepseek-r1-distill-llama-70b",
        "grok-2-vision-1212",
        "qwen3-coder-plus",
        "meta-llama/llama-guard-4-12b",
        "whisper-large-v3",
        "llama3.2:3b",
        "my-claude-opus-4-finetune",
    ],
)
def test_what_is_no_model_for_a_place_stands_in_no_line(name: str) -> None:
    assert [grade for grade in GRADES if rank_of(name, grade)] == []


def test_every_maker_is_known_by_the_same_name_everywhere_and_says_its_source() -> None:
    for maker in makers().values():
        assert maker.source and maker.host and maker.lines[STRONGEST]
    known = [c for key in KEYS for c in _names(key)]
    assert len(known) > 800
    for name in known:
        for grade in GRADES:
            if found := rank_of(name, grade):
                assert found[0] == family(name), name


def _names(key: str) -> list[str]:
    return [row["id"] for row in json.loads((LISTS / f"{key}.json").read_text())["data"]]


@pytest.mark.parametrize("text", ["anthropic", "anthropic/best", "nobody/cheap", "/", "a/b/c"])
def test_what_is_no_place_is_refused_with_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="as in anthropic/strongest or any/cheap"):
        read_place(text)
    assert read_place("any/cheap") == ModelPlace("any", "cheap")
    assert read_place("anthropic/strongest").label == "Anthropic, strongest"
    assert ("other/cheap", "A maker not on the panel, cheap") in place_choices(seats=False)
    assert "other/cheap" not in dict(place_choices(seats=True))


# ---- what a place was filled with stays


def minutes_pass() -> None:
    CatalogList.objects.update(asked_at=timezone.now() - timedelta(minutes=9))
    listings.all_models()


def names(lists: Lists, key: str, *models: str) -> None:
    """What the server of a key lists from now on."""
    host = httpx.URL(KEYS[key][1]).netloc.decode()
    lists[host] = json.dumps({"data": [{"id": model} for model in models]})
    minutes_pass()


def test_a_newer_model_is_offered_and_slips_in_nowhere(have: Have, lists: Lists) -> None:
    have("anthropic")
    assert filled("quality").startswith(f"{OPUS} ") and filled("budget")
    names(lists, "anthropic", "claude-opus-6", OPUS, HAIKU)
    assert filled("quality").startswith(f"{OPUS} ")
    (offer,) = newer_models(preset("quality"))
    assert offer.sentence == f"claude-opus-6 is newer than {OPUS}."
    assert newer_models(preset("budget"))[0].old == OPUS, "who writes there"
    assert places_renewed(preset=preset("quality")) == [offer]
    assert filled("quality") == " | ".join(
        ["claude-opus-6 claude-opus-6 claude-opus-6", "claude-opus-6", "claude-opus-6"]
    )
    assert newer_models(preset("quality")) == [] == places_renewed(preset=preset("quality"))
    assert OPUS in filled("budget"), "each preset by its own click"


@pytest.mark.parametrize(
    "listed",
    [
        ["claude-opus-5", OPUS, HAIKU],  # older
        ["claude-opus-5-5-20261020", OPUS, HAIKU],  # the same by its date
        ["claude-opus-6-preview", OPUS, HAIKU],
        ["claude-opus-latest", OPUS, HAIKU],
        ["claude-sonnet-9", OPUS, HAIKU],  # of a weaker line
        ["claude-fable-9", OPUS, HAIKU],  # at another price
    ],
)
def test_what_is_no_better_is_not_offered(have: Have, lists: Lists, listed: list[str]) -> None:
    have("anthropic")
    filled("quality")
    names(lists, "anthropic", *listed)
    assert newer_models(preset("quality")) == []
    assert filled("quality").startswith(f"{OPUS} ")


def test_a_model_that_is_gone_gives_way_to_the_newest_that_is_there(
    have: Have, lists: Lists
) -> None:
    have("anthropic", "openai")
    before = filled("quality")
    names(lists, "anthropic", "claude-opus-6", HAIKU)
    assert filled("quality") == before.replace(OPUS, "claude-opus-6")
    names(lists, "anthropic")
    assert "anthropic" not in filled("quality"), "openai stands in"


def test_a_list_that_cannot_be_read_changes_no_preset(have: Have, lists: Lists) -> None:
    have("anthropic")
    before = filled("quality")
    lists.clear()
    minutes_pass()
    assert filled("quality") == before


def test_a_key_that_goes_takes_its_models_along_and_one_that_comes_brings_its_own(
    have: Have,
) -> None:
    have("anthropic")
    alone = filled("quality")
    have("openai")
    assert filled("quality") == (
        f"anthropic:{OPUS} openai:{SOL} anthropic:{OPUS} | anthropic:{OPUS} | anthropic:{OPUS}"
    )
    have("google", "xai")
    assert filled("quality") == (
        f"anthropic:{OPUS} openai:{SOL} google:{ARGON} | xai:grok-4.7 | xai:grok-4.7"
    )
    Credential.objects.filter(slug__in=["openai", "google", "xai"]).update(enabled=False)
    assert filled("quality") == alone


def test_before_a_list_is_read_openrouters_own_aliases_stand_there(
    have: Have, lists: Lists
) -> None:
    have("openrouter")
    answer = lists.pop("openrouter.ai")
    CatalogList.objects.all().delete()
    CatalogModel.objects.all().delete()
    assert filled("quality").startswith("~anthropic/claude-opus-latest ")
    assert newer_models(preset("quality")) == []
    lists["openrouter.ai"] = answer
    listings.all_models()
    assert filled("quality") == TABLE[0][1]


def test_presets_ask_nobody(have: Have, monkeypatch: pytest.MonkeyPatch) -> None:
    have("openai", "ollama")
    CatalogList.objects.update(asked_at=timezone.now() - timedelta(days=9))
    monkeypatch.setattr(listings, "ask", None)
    assert filled("quality") and default_preset_slug() and preset_slugs()
    assert newer_models(preset("quality")) == []


def test_who_is_about_to_go_fills_no_place(have: Have) -> None:
    have("anthropic")
    filled("quality")
    tomorrow = timezone.now() + timedelta(days=1)
    CatalogModel.objects.filter(model=OPUS).update(expires_at=tomorrow)
    copy = preset_duplicate(preset=preset("quality"))
    Preset.objects.filter(pk=copy.pk).update(filled_from="", judge_model="")
    copy.panelists.update(model="")
    assert filled(copy.slug).startswith("claude-opus-5 ")
    assert filled("quality").startswith(f"{OPUS} "), "what is chosen stays, and is found elsewhere"


def test_where_the_judge_writes_nobody_else_is_asked_to(have: Have) -> None:
    have("anthropic")
    Preset.objects.filter(slug="budget").update(judge_writes=True)
    assert filled("budget").endswith(f"| {HAIKU} | {HAIKU}")


def test_who_cannot_judge_fills_no_judges_place(have: Have) -> None:
    have("openai", "xai")
    CatalogModel.objects.filter(model="grok-4.7").update(can_judge=False)
    assert filled("quality").endswith(f"| openai:{SOL} | openai:{SOL}")
    assert "xai:grok-4.7" in filled("quality")
