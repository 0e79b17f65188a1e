"""Which answer of a run somebody found best: on its page, in its rows, along with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from console.api.runs.object import run_at
from console.engine.events import EventType
from console.management.commands.fuse import as_object
from console.mcp.results import fusion_run
from console.models import Run, Verdict
from console.record.portable import Malformed, bring_in, read, to_json, write
from console.record.rows import state_from_rows
from console.services.errors import Refused
from console.services.verdicts import WhatWasSeen, verdict_set

from .story import Story, link_to

pytestmark = pytest.mark.database


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice, visibility="team")


def say(client: Client, run: Run, best: str, **form: str) -> HttpResponse:
    response: HttpResponse = client.post(
        f"/fusion/runs/{run.pk}/verdict", {"best": best, "look": "answers", "order": "CAB"} | form
    )
    return response


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_whoever_may_read_a_run_has_one_verdict_of_it_which_may_be_changed(
    client: Client, alice: User, bob: User, charlie: User, ada: User, run: Run
) -> None:
    assert say(client, run, "B")["Location"].startswith("/sign-in")
    client.force_login(charlie)
    assert say(client, run, "B")["Location"].startswith("/sign-in")
    assert not Verdict.objects.exists()
    for user, best, note in ((alice, "B", ""), (bob, "tie", "As good."), (ada, "C", "")):
        client.force_login(user)
        assert say(client, run, best, note=note).status_code == 302
    client.force_login(bob)
    say(client, run, "all_bad", note="On second thoughts.")
    found = run.verdicts.values_list("person__username", "best", "note")
    assert [*found] == [
        ("alice", "B", ""),
        ("bob", "all_bad", "On second thoughts."),
        ("ada", "C", ""),
    ]
    html = page(client, f"/fusion/runs/{run.pk}")
    assert 'aria-pressed="true"' in html.partition("Best of these")[2].partition("all bad")[0]
    assert "alice: " in html and "ada: " in html and "bob: " not in html
    say(client, run, "none")
    assert run.verdicts.count() == 2


def test_of_a_run_that_one_may_not_read_nothing_can_be_said(
    client: Client, alice: User, bob: User, ada: User, run: Run
) -> None:
    Run.objects.filter(pk=run.pk).update(visibility="link")
    link_to(run, "by-link")
    for other in (bob, ada):
        client.force_login(other)
        assert say(client, run, "A").status_code == 404
    verdict_set(run=run, person=alice, best="A", note="Mine.", seen=WhatWasSeen())
    client.logout()
    shared = page(client, "/fusion/shared/by-link")
    assert "Best of these" not in shared and "Mine." not in shared


def test_it_is_kept_with_what_was_seen(client: Client, alice: User, run: Run) -> None:
    client.force_login(alice)
    say(client, run, "B", note="  Shorter.\r\nAnd right. ")
    verdict = run.verdicts.get()
    assert verdict.note == "Shorter.\nAnd right."
    assert verdict.answers == {"A": "panel-0-1", "B": "panel-1-1", "C": "panel-2-1"}
    assert verdict.seen == {"names": True, "order": ["C", "A", "B"], "look": "answers"}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"best": ""}, "Name one of A, B, C, tie or all_bad."),
        ({"best": "H"}, "Name one of"),
        ({"best": "fused"}, "Name one of"),
        ({"best": "a"}, "Name one of"),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"order": "AAB"}, "each of A, B, C at most once"),
        ({"order": "ABX"}, "each of A, B, C at most once"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_a_sentence(
    client: Client, alice: User, run: Run, form: dict[str, str], sentence: str
) -> None:
    client.force_login(alice)
    response = say(client, run, **({"best": "A"} | form))  # type: ignore[arg-type]
    assert response.status_code == 422 and sentence in response.content.decode()
    by_htmx = client.post(
        f"/fusion/runs/{run.pk}/verdict", {"best": "A"} | form, headers={"HX-Request": "true"}
    )
    assert by_htmx.status_code == 200 and sentence in by_htmx.content.decode()
    assert not Verdict.objects.exists()


@pytest.mark.parametrize(
    ("story", "kept", "why"),
    [
        (Story().begin().answer(0, "One.").answer(1, "Two."), {}, "when the run has ended"),
        (Story().whole(), {"origin": "sample"}, "A sample is only there to be read"),
        (
            Story().begin().answer(0, "One.").fail(1).fail(2).tell(EventType.RUN_COMPLETED),
            {},
            "no two answers",
        ),
        (
            Story()
            .begin()
            .answer(0, "One.")
            .answer(1, "Two.")
            .fail(2)
            .tell(EventType.RUN_COMPLETED),
            {},
            "C has no answer",
        ),
    ],
)
def test_it_is_only_of_answers_that_are_there_in_a_run_that_has_ended(
    client: Client, alice: User, story: Story, kept: dict[str, Any], why: str
) -> None:
    run = story.save(alice, status=story.state.status, **kept)
    with pytest.raises(Refused, match=why):
        verdict_set(run=run, person=alice, best="C", seen=WhatWasSeen())
    client.force_login(alice)
    html = page(client, f"/fusion/runs/{run.pk}")
    assert ("Best of these" in html) is why.startswith("C ")


TELLERS: dict[str, Callable[[Run, int], Any]] = {
    "API": lambda run, viewer: run_at(
        RequestFactory().get("/"), viewer, run, state_from_rows(run)
    ).model_dump()["verdicts"],
    "MCP": lambda run, viewer: fusion_run(
        run, run.frozen_spec, state_from_rows(run), run_url="", viewer_id=viewer
    ).model_dump()["verdicts"],
    "shell": lambda run, _: as_object(run, run.frozen_spec, state_from_rows(run))["verdicts"],
}


@pytest.mark.parametrize("who", TELLERS)
def test_whoever_tells_a_run_whole_tells_what_was_found_best_of_it(
    alice: User, bob: User, run: Run, who: str
) -> None:
    assert TELLERS[who](run, alice.pk) == []
    verdict_set(run=run, person=alice, best="B", note="Shorter.", seen=WhatWasSeen(order=("B",)))
    verdict_set(run=run, person=bob, best="tie", seen=WhatWasSeen(names=False))
    Verdict.objects.create(run=run, person=None, best="A")
    told = TELLERS[who](Run.objects.get(pk=run.pk), alice.pk)
    assert [(v["best"], v["note"], v["by"]) for v in told] == [
        ("B", "Shorter.", "alice"),
        ("tie", "", "bob"),
        ("A", "", None),
    ]
    # The shell acts for nobody in particular.
    assert [v["is_own"] for v in told] == [who != "shell", False, False]
    assert told[0]["calls"] == {"A": "panel-0-1", "B": "panel-1-1", "C": "panel-2-1"}
    assert [v["seen"]["names_shown"] for v in told] == [True, False, True]


def test_what_was_found_best_goes_along_with_a_run_without_saying_by_whom(
    client: Client, alice: User, bob: User, run: Run
) -> None:
    verdict_set(
        run=run, person=alice, best="B", note="Shorter.", seen=WhatWasSeen(order=("B", "A", "C"))
    )
    verdict_set(run=run, person=bob, best="tie", seen=WhatWasSeen(names=False))
    text = to_json(write([run]))
    assert "alice" not in text and "bob" not in text
    (there,) = bring_in(read(text.encode()), owner=alice, visibility="private", origin="page")
    columns = ("best", "note", "answers", "seen")
    assert [*there.verdicts.values(*columns)] == [*run.verdicts.values(*columns)]
    assert {*there.verdicts.values_list("person", flat=True)} == {None}
    moments = [
        row.changed_at.replace(microsecond=0)
        for row in (*run.verdicts.all(), *there.verdicts.all())
    ]
    assert moments[:2] == moments[2:]
    client.force_login(alice)
    assert "Somebody, before it came here" in page(client, f"/fusion/runs/{there.pk}")
    with pytest.raises(Malformed, match="a verdict is on no answer"):
        read(text.replace('"C": "panel-2-1"', '"C": "panel-7-1"').encode())
