"""An admin sees of other people's private runs that they are there, and nothing that is in them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.admin.templatetags.admin_list import result_list
from django.contrib.auth.models import User
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from console.engine.errors import Reason
from console.mcp.callers import Program
from console.models import Run
from console.services.tokens import token_create
from console.templatetags.admin_runs import result_list_of_runs

from .story import ANALYSIS, Story

PROMPT = "Is the harbour master's salary secret?"
ANSWER, FUSED = "Answer: nobody-else-reads-this.", "Fused: nobody-else-reads-this."
# What would tell something of it, wherever it stands.
INSIDE = ("harbour", "nobody-else-reads-this", ANALYSIS["blind_spots"][0], "maker/alpha")


@pytest.fixture
def client_of_ada(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def told(owner: User | None, **fields: str) -> Run:
    run = Story().whole(answer=ANSWER, fused=FUSED).save(owner, prompt=PROMPT, **fields)  # type: ignore[arg-type]
    run.error = "A server said: harbour"
    run.save()
    return run


def tells(html: str) -> list[str]:
    return [text for text in INSIDE if text in html]


PAGES = [
    "/admin/console/run/",
    "/admin/console/run/?q=alice",
    "/admin/console/run/?o=1",
    "/admin/console/run/{run}/change/",
    "/admin/console/run/{run}/delete/",
    "/admin/console/run/{run}/history/",
    "/admin/",
    "/fusion",
    "/fusion/runs",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("visibility", ["private", "link"])
def test_no_page_shows_an_admin_what_is_in_somebody_elses_run(
    client_of_ada: Client, alice: User, page: str, visibility: str
) -> None:
    run = told(alice, visibility=visibility, share_token="by-link")
    response = client_of_ada.get(page.format(run=run.pk))
    assert response.status_code == 200
    assert tells(response.content.decode()) == []


@pytest.mark.parametrize("page", ["/admin/console/run/", "/admin/console/run/{run}/change/"])
def test_owner_time_preset_cost_and_state_are_shown(
    client_of_ada: Client, alice: User, page: str
) -> None:
    run = told(alice)
    html = client_of_ada.get(page.format(run=run.pk)).content.decode()
    for shown in ("alice", "Quality", "completed", "Only me", "2026"):
        assert shown in html, shown


@pytest.mark.parametrize(
    ("owner", "visibility", "is_read"),
    [
        ("ada", "private", True),
        ("alice", "team", True),
        ("nobody", "private", True),
        ("alice", "private", False),
        ("alice", "link", False),
    ],
)
def test_what_may_be_read_on_its_page_is_read_in_the_admin(
    client_of_ada: Client, ada: User, alice: User, owner: str, visibility: str, is_read: bool
) -> None:
    owners = {"ada": ada, "alice": alice, "nobody": None}
    run = told(owners[owner], visibility=visibility, share_token="by-link")
    listed = client_of_ada.get("/admin/console/run/").content.decode()
    assert ("harbour" in listed) is is_read
    html = client_of_ada.get(f"/admin/console/run/{run.pk}/change/").content.decode()
    assert tells(html) == (list(INSIDE) if is_read else [])


@pytest.mark.parametrize(("word", "found"), [("harbour", 1), ("alice", 2), ("Quality", 3)])
def test_a_search_finds_prompts_that_may_be_read_only(
    client_of_ada: Client, ada: User, alice: User, word: str, found: int
) -> None:
    told(ada), told(alice), told(alice)
    html = client_of_ada.get(f"/admin/console/run/?q={word}").content.decode()
    assert f"{found} run" in html


def test_several_are_deleted_without_being_read(client_of_ada: Client, alice: User) -> None:
    run = told(alice)
    chosen = {"action": "delete_selected", "_selected_action": [str(run.pk)]}
    asked = client_of_ada.post("/admin/console/run/", chosen)
    assert asked.status_code == 200 and tells(asked.content.decode()) == []
    client_of_ada.post("/admin/console/run/", chosen | {"post": "yes"})
    assert not Run.objects.exists()
    assert tells(client_of_ada.get("/admin/").content.decode()) == []


@pytest.mark.parametrize("query", ["", "?o=-7.6", "?status__exact=completed&o=7"])
def test_rows_are_those_that_django_makes(
    client_of_ada: Client, ada: User, alice: User, query: str
) -> None:
    told(alice), told(ada), told(ada, preset_name=" "), told(None, visibility="team")
    Run.objects.filter(owner=alice).update(cost=None)
    response = client_of_ada.get(f"/admin/console/run/{query}")
    listed = response.context["cl"]
    own = result_list_of_runs(listed)
    djangos: dict[str, Any] = {**result_list(listed)}
    box = re.compile("<input[^>]*>")
    for mine, made in zip(own.pop("results"), djangos.pop("results"), strict=True):
        assert box.sub("", "".join(mine)) == box.sub("", "".join(made))
        assert _attributes(mine[0]) == _attributes(made[0])
        assert mine[0] in response.text
    assert djangos.pop("result_hidden_fields") == []
    assert own == djangos
    in_a_window = client_of_ada.get("/admin/console/run/?_popup=1")  # has no boxes
    assert "harbour master" in in_a_window.text and "action-select" not in in_a_window.text


def _attributes(html: str) -> list[str]:
    """Of the box by which a row is chosen, which Django writes in another order."""
    [box] = re.findall("<input[^>]*>", html)
    return sorted(re.findall(r'[\w-]+="[^"]*"', box))


@pytest.mark.parametrize(
    "name", ["run-detail", "run-cancel", "run-share", "run-fuse", "run-follow"]
)
def test_pages_and_acts_of_a_run_know_no_admin(
    client_of_ada: Client, alice: User, name: str
) -> None:
    run, path = told(alice), reverse(name, args=[told(alice).pk])
    response = client_of_ada.get(path) if name == "run-detail" else client_of_ada.post(path, {})
    assert response.status_code == 404 and tells(response.content.decode()) == []
    run.refresh_from_db()
    assert run.cancel_requested_at is None and run.visibility == "private"


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs/{run}", "/v1/runs/{run}/events"])
@pytest.mark.parametrize("visibility", ["private", "link"])
def test_the_token_of_an_admin_reads_no_more(
    client: Client, ada: User, alice: User, path: str, visibility: str
) -> None:
    run = told(alice, visibility=visibility, share_token="by-link")
    secret = token_create(owner=ada)[1]
    response = client.get(path.format(run=run.pk), headers={"authorization": f"Bearer {secret}"})
    assert tells(response.content.decode()) == []
    if "{run}" in path:
        assert response.status_code == 404
    else:
        assert json.loads(response.content)["data"] == []


@pytest.mark.parametrize("visibility", ["private", "link"])
def test_a_tool_of_an_admin_reads_no_more(
    ada: User, alice: User, rf: RequestFactory, visibility: str
) -> None:
    run = told(alice, visibility=visibility, share_token="by-link")
    with pytest.raises(Http404):
        Program(token_create(owner=ada)[0], rf.get("/mcp")).run(run.pk)


def test_a_follow_up_for_the_team_tells_nothing_of_the_private_run_before(
    client_of_ada: Client, alice: User
) -> None:
    before = told(alice)
    after = Story().begin().save(alice, visibility="team", follows=before, follows_from="fused")
    html = client_of_ada.get(reverse("run-detail", args=[after.pk])).content.decode()
    assert "harbour" not in html


def test_a_run_names_itself_without_its_prompt(alice: User) -> None:
    run = Story().begin().fail(0, Reason.STALLED).save(alice, prompt=PROMPT)
    assert str(run) == f"Run {run.pk}"
