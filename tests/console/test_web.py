"""Who chooses that the web is searched for a run: the page, a preset, a program, nobody."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.api.http.errors import ApiError
from console.api.planning.plan import plan_for
from console.api.planning.schemas import Asking
from console.engine.spec import Research
from console.engine.terms import NONE
from console.models import CatalogModel, Credential, Preset, Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


@pytest.fixture
def engine(settings: Any) -> None:
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def asked(page: Client, **fields: str) -> Research | None:
    form = {"prompt": "Why?", "preset": "quality", "client_run_id": str(uuid.uuid4())}
    assert page.post("/fusion", form | fields).status_code == 302
    return Run.objects.latest("created_at").frozen_spec.research


def test_the_box_of_the_page_decides_where_it_was_shown(page: Client, engine: None) -> None:
    assert 'name="web" checked' in page.get("/fusion").content.decode()
    assert asked(page, web_shown="on", web="on") == Research()
    assert asked(page, web_shown="on") is None
    # A page without it, as of a program that posts the form: the preset says.
    assert asked(page) == Research()
    assert asked(page, preset="budget") is None
    assert asked(page, preset="budget", web_shown="on", web="on") == Research()


def test_without_an_engine_there_is_no_box_and_nothing_is_searched(page: Client) -> None:
    assert 'name="web' not in page.get("/fusion").content.decode()
    assert asked(page) is None


def test_a_page_left_open_over_the_loss_of_the_engine_is_told_so(page: Client) -> None:
    form = {"prompt": "Why?", "preset": "quality", "web_shown": "on", "web": "on"}
    response = page.post("/fusion", form)
    assert response.status_code == 422
    assert "No search engine is configured" in response.content.decode()


def test_a_preset_says_whether_and_how_much(page: Client, engine: None) -> None:
    Preset.objects.filter(slug="budget").update(web="shared", web_pages=2, web_seconds=9)
    assert asked(page, preset="budget") == Research(pages=2, seconds=9)
    Preset.objects.filter(slug="quality").update(web="off")
    assert asked(page) is None


def test_a_preset_or_a_program_wishes_that_doubtful_claims_are_looked_up(
    page: Client, engine: None
) -> None:
    Preset.objects.filter(slug="quality").update(web_claims=True)
    assert asked(page) == Research(claims=True)
    assert asked(page, web_shown="on") is None
    assert planned(model="fusion/quality", fusion={"web_claims": False}) == Research()
    wish = {"web": "shared", "web_claims": True}
    assert planned(model="fusion/budget", fusion=wish) == Research(claims=True)
    with pytest.raises(ApiError, match="looked up where the web is searched"):
        planned(model="fusion/budget", fusion={"web_claims": True})


def test_with_a_providers_search_alone_no_claim_can_be_looked_up(db: None) -> None:
    Preset.objects.filter(slug="quality").update(web="provider", web_claims=True)
    assert planned(model="fusion/quality") == Research(way="provider")
    with pytest.raises(ApiError, match="with an engine of this site"):
        planned(model="fusion/quality", fusion={"web_claims": True})


def planned(**body: Any) -> Research | None:
    return plan_for(Asking.model_validate(body), {}, of_token=NONE, by="alice").spec.research


def test_a_program_says_it_for_one_request(engine: None) -> None:
    assert planned(model="fusion/quality") == Research()
    assert planned(model="fusion/quality", fusion={"web": "off"}) is None
    assert planned(model="fusion/budget", fusion={"web": "shared"}) == Research()


def test_of_a_model_that_is_passed_through_nothing_is_looked_up(engine: None) -> None:
    assert planned(model="openrouter:maker/model", fusion={"web": "shared"}) is None


def test_a_program_is_refused_what_this_site_cannot_do(db: None) -> None:
    with pytest.raises(ApiError, match="No search engine is configured"):
        planned(model="fusion/budget", fusion={"web": "shared"})
    assert planned(model="fusion/quality") is None


def test_each_seat_may_look_up_by_itself_and_the_box_only_says_whether(
    page: Client, engine: None
) -> None:
    Preset.objects.filter(slug="quality").update(web="own")
    assert 'name="web" checked' in page.get("/fusion").content.decode()
    assert asked(page, web_shown="on", web="on") == Research(way="own")
    assert asked(page, web_shown="on") is None
    assert planned(model="fusion/budget", fusion={"web": "own"}) == Research(way="own")


def test_of_each_seat_the_spec_says_whether_it_takes_tools_or_its_provider_searches(
    page: Client, engine: None
) -> None:
    form = {"web_shown": "on", "web": "on"}
    Preset.objects.filter(slug="quality").update(web="own")
    asked(page, **form)
    seats = Run.objects.latest("created_at").frozen_spec.panel
    model = seats[0].model
    CatalogModel.objects.update_or_create(
        credential=Credential.objects.get(slug=seats[0].credential), model=model,
        defaults={"takes_tools": False},
    )  # fmt: skip
    asked(page, **form)
    said = Run.objects.latest("created_at").frozen_spec.panel
    assert [p.takes_tools for p in said] == [False if p.model == model else None for p in said]
    Preset.objects.filter(slug="quality").update(web="provider")
    asked(page, **form)
    said = Run.objects.latest("created_at").frozen_spec.panel
    assert all(p.searches is not None and p.takes_tools is None for p in said)


def test_a_providers_own_search_needs_no_engine_of_ours(db: None) -> None:
    assert planned(model="fusion/budget", fusion={"web": "provider"}) == Research(way="provider")
    with pytest.raises(ApiError, match="No search engine is configured"):
        planned(model="fusion/budget", fusion={"web": "own"})


SERVER_TOOLS = [{"type": "openrouter:web_search", "parameters": {"max_results": 3}}]


def test_openrouters_tools_make_the_seats_of_a_fusion_search(settings: Any, db: None) -> None:
    body: dict[str, Any] = {"model": "fusion/budget", "tools": SERVER_TOOLS}
    assert planned(**body) == Research(way="provider")
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}
    assert planned(**body) == Research(way="own")
    assert planned(**body, fusion={"web": "off"}) is None


def test_a_single_model_at_openrouter_is_offered_them_as_they_are(db: None) -> None:
    def plan(model: str) -> Any:
        body = Asking.model_validate({"model": model, "tools": SERVER_TOOLS})
        return plan_for(body, {}, of_token=NONE, by="alice")

    there = plan("openrouter:maker/model")
    assert there.spec.request["options"]["tools"] == SERVER_TOOLS and not there.warnings
    Credential.objects.create(
        slug="mine", name="Mine", kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
    )
    elsewhere = plan("mine:some-model")
    assert "tools" not in elsewhere.spec.request.get("options", {})
    assert "openrouter:web_search" in elsewhere.warnings[0]
