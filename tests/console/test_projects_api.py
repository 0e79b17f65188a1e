"""Projects as programs name them: in requests, by their tokens, over MCP, in lists."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from console.mcp import asking
from console.mcp.callers import Program
from console.models import Preset, Project, Run
from console.services.projects import project_save
from console.services.token_defaults import TokenDefaults
from console.services.tokens import token_create

from .story import Story
from .test_api_quote import priced

pytestmark = [pytest.mark.database, pytest.mark.django_db]
__all__ = ["priced"]

ASK = {"model": "fusion", "prompt": "What is the answer?"}
CONTEXT = "We bill 40,000 customers."


@pytest.fixture
def billing(alice: User, priced: Preset) -> Project:
    return project_save(by=alice, name="Billing", context=CONTEXT, preset="own")


def token(owner: User, **defaults: Any) -> str:
    return token_create(owner=owner, requests_per_minute=None, defaults=TokenDefaults(**defaults))[
        1
    ]


def send(secret: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"authorization": f"Bearer {secret}"}
    how = {"content_type": "application/json", "headers": headers}
    return getattr(Client(), method)(path, body, **how)


def started(secret: str, **body: Any) -> tuple[dict[str, Any], Run]:
    response = send(secret, "post", "/v1/runs", ASK | body)
    assert response.status_code == 202, response.content
    told = response.json()
    return told, Run.objects.get(pk=told["id"])


def test_a_request_names_its_project_which_gives_preset_and_context(
    alice: User, bob: User, billing: Project
) -> None:
    told, run = started(token(bob), project="billing")
    assert (told["project"], told["context"], told["preset"]) == ("billing", CONTEXT, "own")
    assert (run.project, run.visibility) == (billing, "private")
    told, run = started(token(bob), fusion={"project": "billing", "visibility": "project"})
    assert told["visibility"] == "project" and run.visibility == "team"
    told, run = started(token(bob), model="fusion/own")
    assert told["project"] is None and "context" not in told and not run.context
    for body in ({"project": "gone"}, {"fusion": {"project": "gone"}}):
        refused = send(token(bob), "post", "/v1/runs", ASK | body)
        assert refused.status_code == 400
        assert refused.json()["error"]["message"] == "There is no project “gone”."


def test_a_token_has_one_where_a_request_says_nothing(bob: User, billing: Project) -> None:
    secret = token(bob, project="billing")
    assert started(secret)[1].project == billing
    assert started(secret, project="", model="fusion/own")[1].project is None
    caller = Program(token_create(owner=bob)[0], RequestFactory().get("/mcp"))
    run = asking.begin(caller, "Why?", None, None, None, project="billing")
    assert (run.project, run.context, run.preset) == (billing, CONTEXT, "own")


def test_what_it_will_cost_counts_the_context(alice: User, billing: Project) -> None:
    secret = token(alice)
    project_save(by=alice, name="Billing", context="word " * 2_000, preset="own", project=billing)
    plain = send(secret, "post", "/v1/runs/quote", ASK | {"model": "fusion/own"}).json()
    within = send(secret, "post", "/v1/runs/quote", ASK | {"project": "billing"}).json()
    assert within["low"] > plain["low"]


def test_lists_and_searches_are_narrowed_to_it_and_a_run_moves(
    alice: User, bob: User, billing: Project
) -> None:
    secret = token(alice)
    inside, outside = (Story().whole().save(alice, visibility="team") for _ in range(2))
    moved = send(secret, "patch", f"/v1/runs/{inside.pk}", {"project": "billing"}).json()
    assert moved["project"] == "billing"
    for query in ("?project=billing", "?project=billing&q=billing"):
        for person in (alice, bob):
            rows = send(token(person), "get", f"/v1/runs{query}").json()["data"]
            assert [(row["id"], row["project"]) for row in rows] == [(str(inside.pk), "billing")]
    assert send(secret, "get", "/v1/runs?project=gone").json()["data"] == []
    assert send(token(bob), "patch", f"/v1/runs/{outside.pk}", {"project": ""}).status_code == 404
    gone = send(secret, "patch", f"/v1/runs/{inside.pk}", {"project": "gone"})
    assert gone.status_code == 400 and gone.json()["error"]["param"] == "project"
    assert send(secret, "patch", f"/v1/runs/{inside.pk}", {"project": ""}).json()["project"] is None


def test_a_preset_names_one_where_neither_request_nor_token_does(
    bob: User, billing: Project, priced: Preset
) -> None:
    Preset.objects.filter(pk=priced.pk).update(project=billing)
    asked = {"model": "fusion/own"}
    assert started(token(bob), **asked)[1].project == billing
    assert started(token(bob, fanout="every"), **asked)[1].context == CONTEXT
    assert started(token(bob), project="", **asked)[1].project is None


def test_files_are_added_and_taken_away_by_who_may_change_it(
    alice: User, bob: User, ada: User, billing: Project, settings: Any
) -> None:
    path = "/v1/projects/billing/files"
    note = {"name": "notes/rain.md", "text": "Rain is wet."}
    added = send(token(alice), "post", path, note)
    told = {"name": "rain.md", "type": "text/markdown", "bytes": 12}
    assert (added.status_code, added.json()) == (201, {"id": added.json()["id"], **told})
    [project] = send(token(bob), "get", "/v1/projects").json()["data"]
    assert project["files"] == [added.json()]
    assert send(token(bob), "post", path, note).status_code == 404
    assert send(token(alice), "post", "/v1/projects/gone/files", note).status_code == 404
    settings.PROJECT_FILES_BYTES = 20
    for body, says in (
        (note, "is there already"),
        ({"name": "a.md"}, "either text or data"),
        ({"name": "a.md", "data": "!"}, "no base64"),
        ({"name": "a.exe", "data": "TVoAAA=="}, "a program"),
        ({"name": "b.md", "text": "Rain is very wet."}, "at most"),
    ):
        refused = send(token(alice), "post", path, body)
        assert refused.status_code == 400 and says in refused.json()["error"]["message"]
    one = f"{path}/{added.json()['id']}"
    assert send(token(bob), "delete", one).status_code == 404
    assert [send(token(ada), "delete", one).status_code for _ in "ab"] == [204, 404]
    assert not billing.files.exists()


def test_projects_are_listed_for_whoever_may_read(bob: User, billing: Project) -> None:
    [told] = send(token(bob), "get", "/v1/projects").json()["data"]
    assert told == {
        "name": "billing",
        "object": "project",
        "title": "Billing",
        "context": CONTEXT,
        "preset": "own",
        "max_cost": None,
        "files": [],
    }
    _, blind = token_create(owner=bob, scopes=["run"], requests_per_minute=None)
    assert send(blind, "get", "/v1/projects").status_code == 403
