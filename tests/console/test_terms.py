"""Who can be asked on which terms, and what becomes of who cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from console.engine.spec import Spec
from console.engine.terms import NONE, Terms
from console.fragments.options import options
from console.models import ApiToken, Credential, Preset, Run
from console.models.terms import provider_names
from console.services.build_spec import build, build_and_tell
from console.services.errors import Refused, TermsRefused
from console.services.follow import run_follow
from console.services.fusions import seat_add, seat_ask
from console.services.presets import preset_duplicate, preset_wish
from console.services.wish import SeatWish, Wish

from .story import Story

pytestmark = pytest.mark.django_db

ZDR = Terms(zero_retention=True)
EVERYTHING = Terms(
    only_local=True,
    zero_retention=True,
    no_training=True,
    only_providers=("azure",),
    ignored_providers=("groq",),
    max_price={"prompt": 1},
    distillable=True,
)


def credential(slug: str, url: str = "https://models.example/v1", **more: Any) -> Credential:
    more = {"kind": "openai_compatible", "name": slug.title()} | more
    return Credential.objects.create(slug=slug, base_url=url, **more)


@pytest.mark.parametrize(
    ("more", "unkept"),
    [
        ({}, EVERYTHING.promises),
        ({"url": "http://127.0.0.1:1/v1"}, []),
        ({"url": "http://127.0.0.1:1/v1", "own_machine": False}, EVERYTHING.promises),
        ({"url": "http://ollama:11434/v1", "own_machine": True}, []),
        ({"kind": "openrouter", "url": "https://openrouter.ai/api/v1"}, ["only_local"]),
        ({"kind": "openrouter", "url": "http://127.0.0.1:1/v1"}, ["only_local"]),
        ({"kind": "openrouter", "own_machine": True}, ["only_local"]),
        ({"kind": "of tomorrow", "url": "https://models.example"}, EVERYTHING.promises),
        (
            {"no_training": True},
            [n for n in EVERYTHING.promises if n != "no_training"],
        ),
        (
            {"zero_retention": True},
            [n for n in EVERYTHING.promises if n not in ("no_training", "zero_retention")],
        ),
        (
            {"url": "https://api.openai.com/v1"},
            [n for n in EVERYTHING.promises if n != "ignored_providers"],
        ),
    ],
)  # fmt: skip
def test_what_a_server_promises(more: dict[str, Any], unkept: list[str]) -> None:
    assert credential("it", **more).unkept(EVERYTHING) == unkept


@pytest.mark.parametrize(
    ("terms", "kept"),
    [
        (Terms(only_providers=("openai", "azure")), True),
        (Terms(only_providers=("openai/eu",)), True),
        (Terms(only_providers=("azure",)), False),
        (Terms(ignored_providers=("azure",)), True),
        (Terms(ignored_providers=("openai",)), False),
    ],
)
def test_a_server_that_is_known_is_the_provider_of_its_name(terms: Terms, kept: bool) -> None:
    assert credential("it", "https://api.openai.com/v1").unkept(terms) is not kept


def test_the_built_in_model_keeps_everything(settings: Settings) -> None:
    settings.LOCAL_MODEL_URL = "http://127.0.0.1:9/v1"
    assert Credential.objects.get(slug="local").unkept(EVERYTHING) == []


@pytest.mark.parametrize("text", ["Azure, openai", "azure openai azure", " azure,openai,"])
def test_names_of_providers_as_people_write_them(text: str) -> None:
    assert provider_names(text) == ("azure", "openai")


@pytest.fixture
def far_and_near() -> None:
    credential("far")
    credential("near", "http://127.0.0.1:1/v1")
    credential("bound", zero_retention=True)


def seats(*names: str, **more: Any) -> Wish:
    return Wish(panel=list(names), judge="near:judge", **more)


def test_the_terms_of_a_run_stand_in_its_spec_and_with_everybody(far_and_near: None) -> None:
    wish = Wish(
        panel=[
            SeatWish("near:a", fallback="bound:b"),
            SeatWish("near:c", terms=Terms(only_local=True)),
        ],
        judge="near:j",
        synthesizer="bound:w",
        terms=ZDR,
    )
    spec = Spec.from_dict(build(wish).to_dict())
    assert spec.terms == ZDR
    assert spec.panel[0].terms == spec.judge.terms == spec.writer.terms == ZDR
    assert spec.panel[0].fallback and spec.panel[0].fallback.terms == ZDR
    assert spec.panel[1].terms == replace(ZDR, only_local=True)
    assert options(spec.panel[1]) == ["only on this machine", "zero retention"]


def test_a_seat_that_cannot_falls_away_where_that_is_wished_and_is_told_of(
    far_and_near: None,
) -> None:
    wish = seats("near:a", "far:b", "bound:c", terms=ZDR)
    with pytest.raises(TermsRefused, match="Seat B .b. is asked at Far"):
        build(wish)
    spec, left_out = build_and_tell(replace(wish, leaves_out=True))
    assert [p.model for p in spec.panel] == ["a", "c"]
    assert [(left.seat, left.is_fallback) for left in left_out] == [(1, False)]
    assert "does not promise: zero retention" in left_out[0].sentence


@pytest.mark.parametrize("panel", [["near:a", "far:b"], ["far:b", "far:c"], ["far:b"]])
def test_fewer_than_two_seats_left_is_no_panel(far_and_near: None, panel: list[str]) -> None:
    with pytest.raises(Refused, match=r"Far, which does not promise.*Fewer than two|which does"):
        build(seats(*panel, terms=ZDR, leaves_out=True))


def test_one_seat_that_was_one_from_the_beginning_may_be_asked(far_and_near: None) -> None:
    assert len(build(seats("near:a", terms=ZDR, leaves_out=True)).panel) == 1


def test_a_judge_that_cannot_does_not_fall_away(far_and_near: None) -> None:
    for who in ("judge", "synthesizer"):
        wish = replace(seats("near:a", "near:b", terms=ZDR, leaves_out=True), **{who: "far:j"})
        with pytest.raises(TermsRefused) as refused:
            build(wish)
        assert (refused.value.field, refused.value.promise) == (who, "zero_retention")


def preset(**more: Any) -> Preset:
    near, far = (Credential.objects.get(slug=slug) for slug in ("near", "far"))
    made = Preset.objects.create(
        slug="own", name="Own", judge_model="j", judge_credential=near,
        judge_fallback_model="k", judge_fallback_credential=far, **more,
    )  # fmt: skip
    made.panelists.create(
        seat=0, model="a", credential=near, fallback_model="f", fallback_credential=far
    )
    made.panelists.create(seat=1, model="b", credential=near, only_local=True)
    return made


def test_a_preset_and_its_seats_have_terms_and_its_fallbacks_stand_back(
    far_and_near: None,
) -> None:
    made = preset(zero_retention=True, only_providers="Azure, openai")
    wish = preset_wish(preset_duplicate(preset=made))
    spec, left_out = build_and_tell(wish)
    asked = Terms(zero_retention=True, only_providers=("azure", "openai"))
    assert spec.terms == spec.panel[0].terms == asked
    assert spec.panel[1].terms == replace(asked, only_local=True)
    assert spec.panel[0].fallback is None and spec.judge.fallback is None
    assert [(left.place, left.seat, left.is_fallback) for left in left_out] == [
        ("panel", 0, True),
        ("judge", None, True),
    ]


def test_without_terms_nobody_falls_away(far_and_near: None) -> None:
    spec, left_out = build_and_tell(preset_wish(preset()))
    assert not left_out and spec.terms == NONE
    assert spec.panel[0].fallback and spec.judge.fallback


def test_whoever_is_added_later_must_keep_them_too(far_and_near: None) -> None:
    spec = build(seats("near:a", "near:b", terms=ZDR))
    run = Run.objects.create(prompt="Why?", messages=[], spec=spec.to_dict(), status="completed")
    for ask in (
        lambda: seat_add(run=run, model="far:c"),
        lambda: seat_ask(run=run, seat=0, model="far:c"),
    ):
        with pytest.raises(Refused, match="Far, which does not promise: zero retention"):
            ask()
    assert seat_add(run=run, model="bound:c").panelist["terms"]["zero_retention"] is True


# the page


@pytest.fixture
def page(client: Client, alice: User, far_and_near: None) -> Client:
    client.force_login(alice)
    return client


FORM = {
    "prompt": "Why so?",
    "preset": "custom",
    "panel": ["near:a", "far:b", "bound:c"],
    "judge": "near:j",
    "only_providers": "",
}


def left_out(html: str) -> str:
    found = re.search(r'name="left_out" value="([^"]*)"', html)
    assert found
    return found[1]


def test_who_falls_away_is_told_before_the_run_and_nothing_is_lost(page: Client) -> None:
    form = FORM | {"zero_retention": "on"}
    told = page.post("/fusion", form)
    html = told.content.decode()
    assert told.status_code == 422 and not Run.objects.exists()
    assert "Seat B (b) is asked at Far, which does not promise: zero retention." in html
    assert "It falls away." in html and "Press Fuse to ask the others." in html
    assert "Why so?" in html and 'name="zero_retention" checked' in html
    assert 'value="far:b"' in html
    done = page.post("/fusion", form | {"left_out": left_out(html)})
    assert done.status_code == 302
    spec = Run.objects.get().frozen_spec
    assert [p.model for p in spec.panel] == ["a", "c"]
    assert spec.terms == ZDR
    shown = page.get(done["Location"]).content.decode()
    assert shown.count("zero retention") == 2


def test_whom_the_page_has_not_named_yet_is_named_first(page: Client) -> None:
    """Whatever was told of another choice."""
    form = FORM | {"zero_retention": "on"}
    told = left_out(page.post("/fusion", form).content.decode())
    other = form | {"panel": ["near:a", "far:z", "bound:c"], "left_out": told}
    assert page.post("/fusion", other).status_code == 422
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"panel": ["near:a", "far:b"]}, "Fewer than two seats are left"),
        ({"panel": ["near:a", "near:b"], "judge": "far:j"}, "The judge (j) is asked at Far"),
    ],
)
def test_with_too_few_left_fuse_is_off_and_says_why(
    page: Client, more: dict[str, Any], sentence: str
) -> None:
    form = FORM | {"only_local": "on"} | more
    refused = page.post("/fusion", form)
    assert refused.status_code == 422 and sentence in refused.content.decode()
    part = page.post("/fusion?terms", form, headers={"HX-Request": "true"}).content.decode()
    assert sentence in part
    assert 'id="fuse" class="fuse" hx-swap-oob="true"' in part
    assert '<button type="submit" class="button-primary" disabled>' in part
    assert not Run.objects.exists()


def test_the_part_that_htmx_asks_for_tells_the_same_without_a_prompt(page: Client) -> None:
    form = FORM | {"zero_retention": "on", "prompt": ""}
    part = page.post("/fusion?terms", form, headers={"HX-Request": "true"}).content.decode()
    assert "It falls away." in part and "disabled" not in part
    told = FORM | {"zero_retention": "on", "left_out": left_out(part)}
    assert page.post("/fusion", told).status_code == 302
    nothing = page.post("/fusion?terms", FORM, headers={"HX-Request": "true"}).content.decode()
    assert "falls away" not in nothing and "disabled" not in nothing


def test_a_preset_s_own_terms_are_told_of_too(page: Client) -> None:
    made = preset(zero_retention=True)
    made.panelists.create(seat=2, model="c", credential=Credential.objects.get(slug="far"))
    form = {"prompt": "Why so?", "preset": "own"}
    html = page.post("/fusion", form).content.decode()
    assert "Seat C (c) is asked at Far" in html
    assert "Seat A: the fallback (f) is asked at Far" in html and "It is not used." in html
    assert page.post("/fusion", form | {"left_out": left_out(html)}).status_code == 302
    assert len(Run.objects.get().frozen_spec.panel) == 2


def test_terms_that_leave_nobody_are_refused_in_words(page: Client) -> None:
    preset(only_providers="azure")
    form = {"prompt": "Why so?", "preset": "own", "only_providers": "groq"}
    refused = page.post("/fusion", form)
    assert refused.status_code == 422 and "No provider is left" in refused.content.decode()


def test_a_token_is_made_with_what_it_asks_of_each_request(page: Client) -> None:
    form = {"name": "t", "scopes": ["run"], "expires_days": "30", "no_training": "on"}
    html = page.post("/fusion/tokens", form | {"only_providers": "Azure openai"}).content.decode()
    assert "no training, only azure, openai" in html
    assert ApiToken.objects.get().terms.promises == ["no_training", "only_providers"]


def test_a_follow_up_is_asked_on_the_terms_of_the_run_before(page: Client, alice: User) -> None:
    told = Story(build(seats("near:a", "near:b", terms=ZDR))).begin()
    run = (
        told.answer(0, "One.")
        .answer(1, "Two.")
        .judge()
        .analyse()
        .synthesise("Both.")
        .complete()
        .save(alice)
    )
    follow = run_follow(run=run, owner=alice, prompt="And now?")
    assert follow.frozen_spec.terms == ZDR
