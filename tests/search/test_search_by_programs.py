"""Programs, agents and admins search through the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.mcp import asking
from console.mcp.callers import Program, Shell
from console.models import Run
from console.services.errors import Refused
from console.services.order import run_tags, run_title, runs_mark
from console.services.tokens import token_create
from tests.console.story import Story, a_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def asks(alice: User, bob: User) -> Any:
    """`asks(bob, "q=cranes")`: what `GET /v1/runs` says."""
    tokens = {person: token_create(owner=person)[1] for person in (alice, bob)}

    def ask(person: User, query: str, status: int = 200) -> Any:
        headers = {"authorization": f"Bearer {tokens[person]}"}
        reply = Client().get(f"/v1/runs?{query}", headers=headers)
        assert reply.status_code == status, reply.content
        return reply.json()

    return ask


def ids(said: Any) -> list[str]:
    return [run["id"] for run in said["data"]]


@pytest.fixture
def crane(alice: User) -> Run:
    story = Story().begin().answer(0, "Storks clatter.").answer(1, "Herons wade.").fail(2).judge()
    story.analyse().synthesise("Nothing.").complete()
    return story.save(alice, prompt="Why do cranes dance?", cost="0.05")


def test_programs_find_runs_with_the_place_where_they_say_it(
    asks: Any, alice: User, crane: Run
) -> None:
    Story().whole().save(alice)
    said = asks(alice, "q=herons&status=completed&degraded=true&cost=dime&model=maker/alpha")
    assert ids(said) == [str(crane.pk)] and said["has_more"] is False
    passage = "Herons wade."
    assert said["data"][0]["found"] == {
        "kind": "seat", "seat": "B", "fusion": None, "passage": passage,
    }  # fmt: skip
    run_title(run=crane, title="Birds")
    run_tags(run=crane, names=["grey"])
    runs_mark(runs=[crane], person=alice, kind="star", on=True)
    for query in ("q=herons", "tag=grey", "limit=2"):
        (row,) = [row for row in asks(alice, query)["data"] if row["id"] == str(crane.pk)]
        kept = (row["title"], row["tags"], row["starred"], row["archived"])
        assert kept == ("Birds", ["grey"], True, False)
    assert ids(asks(alice, "q=herons&status=failed")) == []
    assert ids(asks(alice, "person=alice&contradictions=true&degraded=true")) == [str(crane.pk)]
    assert asks(alice, "preset=quality")["data"][0]["found"] is None


def test_programs_of_others_find_what_those_may_read(
    asks: Any, alice: User, bob: User, crane: Run
) -> None:
    assert ids(asks(bob, "q=cranes")) == ids(asks(bob, "person=alice")) == []
    Story().whole().save(alice, prompt="More cranes?", visibility="team")
    assert len(ids(asks(bob, "q=cranes"))) == 1
    assert ids(asks(bob, "q=cranes&own=true")) == []


def test_programs_leaf_through_what_was_found(asks: Any, alice: User) -> None:
    for n in range(5):
        Story(a_spec("m/a")).begin().answer(0, f"Cranes {n}.").save(alice)
    seen, cursor = [], ""
    for _ in range(3):
        said = asks(alice, f"q=cranes&limit=2{cursor}")
        seen += ids(said)
        cursor = f"&cursor={said['next_cursor']}"
    assert len(set(seen)) == 5 and said["has_more"] is False
    best = asks(alice, "q=cranes&order=best")
    assert best["best_of"] >= 100 and len(ids(best)) == 5


@pytest.mark.parametrize(
    "query",
    ["cursor=nonsense&q=x", "cursor=9223372036854775808&q=x", "cost=free", "origin=sample&q=x",
     "order=worst&q=x", "best=perhaps"],
)  # fmt: skip
def test_what_is_not_understood_is_said(asks: Any, alice: User, query: str) -> None:
    assert asks(alice, query, 400)["error"]["code"] == "invalid_request"


def test_what_cannot_be_looked_for_is_told(asks: Any, alice: User, crane: Run) -> None:
    said = asks(alice, "q=cr*%20cranes")
    assert "at least 3 letters" in said["notes"][0] and ids(said) == []
    assert asks(alice, "q=!!!")["data"] == asks(alice, "q=x%00&person=%00")["data"] == []


# agents


def test_a_tool_finds_what_its_caller_may_read(
    alice: User, bob: User, crane: Run, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.mcp.callers.is_up", lambda: True)
    shared = Story().whole(fused="Cranes bow.").save(bob, prompt="Which birds?", visibility="team")
    request = rf.get("/mcp")

    def found(caller: Any) -> list[str]:
        return [one.run_id for one in asking.search(caller, "cranes", 10).questions]

    of_alice, of_bob = (Program(token_create(owner=person)[0], request) for person in (alice, bob))
    assert found(of_alice) == found(Shell(alice)) == [str(shared.pk), str(crane.pk)]
    assert found(of_bob) == found(Shell()) == [str(shared.pk)]
    (one,) = asking.search(of_bob, "cranes", 10).questions
    assert (one.found_in, one.passage, one.question) == ("fused", "Cranes bow.", "Which birds?")
    run_title(run=shared, title="Bows of birds")
    (one,) = asking.search(of_bob, "bows", 10).questions
    assert (one.found_in, one.question) == ("title", "Bows of birds")
    with pytest.raises(Refused):
        asking.search(of_alice, "?", 10)


# admins


def test_an_admin_finds_words_of_runs_that_they_may_read(
    client: Client, ada: User, alice: User, crane: Run
) -> None:
    client.force_login(ada)

    def listed(words: str) -> str:
        return client.get(f"/admin/console/run/?q={words}").content.decode()

    assert str(crane.pk) not in listed("herons")
    Story().whole(answer="Herons wade.").save(alice, prompt="Shared birds?", visibility="team")
    html = listed("herons")
    assert "Shared birds?" in html and str(crane.pk) not in html
    assert "Shared birds?" in listed("alice") and str(crane.pk) in listed("alice")
