"""The forms that fuse a run's answers again, ask its seats again, and have it polled."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from console.engine.errors import Reason
from console.models import Credential, Run
from console.providers.secret import Secret

from .story import Story


@pytest.fixture
def run(alice: User) -> Run:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret("sk-or-for-the-judge")
    credential.save()
    return Story().whole().save(alice)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def fuse(page: Client, run: Run, **form: object) -> HttpResponse:
    response: HttpResponse = page.post(f"/fusion/runs/{run.pk}/fuse", form)
    return response


def is_refused(response: HttpResponse, run: Run, sentence: str) -> bool:
    """With this sentence, and nothing has become of the run."""
    untouched = Run.objects.get(pk=run.pk).status == "completed" and run.fusions.count() == 1
    return untouched and response.status_code == 422 and sentence in response.content.decode()


IN_MID_RUN = {"fuse-now", "seats/0/stop"}
WHEN_ENDED = {"fuse", "fusions/1/poll", "seats", "seats/0/ask"}
SHOWN = {"seats": "?look=answers&part=seat-3", "seats/0/ask": "?look=answers&part=seat-0"}


@pytest.mark.parametrize("act", sorted(IN_MID_RUN | WHEN_ENDED))
def test_what_is_done_to_a_run_is_its_owner_s_to_do(
    client: Client, alice: User, bob: User, charlie: User, ada: User, run: Run, act: str
) -> None:
    if act in IN_MID_RUN:
        run = Story().begin().answer(0, "One.").save(alice)
    Run.objects.filter(pk=run.pk).update(visibility="team")
    page = f"/fusion/runs/{run.pk}"

    def done() -> HttpResponse:
        form = {"seat": "0", "model": "openrouter:maker/delta" if act == "seats" else ""}
        response: HttpResponse = client.post(f"{page}/{act}", form)
        return response

    def all_of_it() -> list[Any]:
        return [*Run.objects.filter(pk=run.pk).values(), run.calls.count(), run.fusions.count()]

    before = all_of_it()
    assert done()["Location"].startswith("/sign-in")
    for other in (bob, ada):
        client.force_login(other)
        assert done().status_code == 404
    client.force_login(charlie)
    assert done()["Location"].startswith("/sign-in")
    assert all_of_it() == before
    client.force_login(alice)
    assert client.get(f"{page}/{act}").status_code == 405
    assert done().headers.get("Location", "refused") == page + SHOWN.get(act, "")
    assert all_of_it() != before


def test_the_answers_that_are_ticked_are_fused(page: Client, run: Run) -> None:
    assert fuse(page, run, seat=["2", "0", "0"]).status_code == 302
    assert run.fusions.get(number=2).seats == [0, 2]


@pytest.mark.parametrize("seat", ["-1", "999", "abc", "0.5", "", "٢", "9" * 5000])
def test_a_seat_that_is_none_is_refused_rather_than_passed_over(
    page: Client, run: Run, seat: str
) -> None:
    assert is_refused(fuse(page, run, seat=["0", seat]), run, "There is no such seat.")


def test_without_a_tick_nothing_is_fused(page: Client, run: Run) -> None:
    assert is_refused(fuse(page, run), run, "Choose at least one answer to fuse.")


def test_a_run_without_answers_says_so(page: Client, alice: User) -> None:
    story = Story().begin()
    for seat in range(3):
        story.fail(seat, Reason.STALLED)
    said = fuse(page, story.save(alice, status="failed")).content.decode()
    assert "There is no answer to fuse." in said


def test_a_judge_without_its_key_is_refused_before_anything_is_asked(
    page: Client, run: Run
) -> None:
    Credential.objects.filter(slug="openrouter").update(enabled=False)
    assert is_refused(fuse(page, run, seat=["0", "1"]), run, "OpenRouter is switched off.")


@pytest.mark.database
def test_criteria_are_as_long_as_the_form_counts_them_and_hold_nothing_unsavable(
    page: Client, run: Run
) -> None:
    lines = "\r\n".join(["x" * 99] * 20)  # a browser counts an end of line once, and sends two
    assert fuse(page, run, seat="0", criteria=f"a\0b{lines[3:]}").status_code == 302
    criteria = run.fusions.get(number=2).criteria
    assert criteria.startswith("a\ufffdb") and "\r" not in criteria


def test_criteria_that_are_too_long_are_refused(page: Client, run: Run) -> None:
    assert is_refused(
        fuse(page, run, seat="0", criteria="x" * 2001), run, "at most 2,000 characters"
    )


# ---- the form that rules ----

RULES = {"again": "1", "on": "1", "seat": ["0", "1", "2"]}


def test_what_is_ruled_in_the_map_and_added_below_it_is_asked_for(page: Client, run: Run) -> None:
    form = RULES | {
        "verdict-contradictions-1": "stance-2",
        "note-contradictions-1": "The lease.",
        "verdict-consensus-1": "",
        "note-consensus-1": "",
        "fact": ["A fact.", ""],
        "form_of": "short",
        "instruction": "In French.",
    }
    assert fuse(page, run, **form).status_code == 302
    wish = run.fusions.get(number=2).wish
    (ruled,) = wish["rulings"]
    assert (ruled["claim"], ruled["verdict"], ruled["note"]) == (
        "contradictions-1",
        "stance-2",
        "The lease.",
    )
    assert wish["facts"] == ["A fact."] and wish["root"] == 1
    assert "five sentences" in wish["instruction"] and "In French." in wish["instruction"]


@pytest.mark.parametrize(
    ("way", "stored"),
    [
        ("fuse", {}),
        ("best", {"way": "best", "root": 1}),
        ("analysis", {"analysis_only": True}),
    ],
)
def test_the_form_says_what_is_to_come_of_it(
    page: Client, run: Run, way: str, stored: dict[str, Any]
) -> None:
    assert fuse(page, run, **RULES, way=way).status_code == 302
    assert run.fusions.get(number=2).wish == stored


def test_the_page_begins_with_what_was_ruled_and_unticked_it_is_taken_back(
    page: Client, run: Run
) -> None:
    form = RULES | {"verdict-consensus-1": "wrong", "note-consensus-1": "", "fact": "A fact."}
    assert fuse(page, run, **form).status_code == 302
    run.fusions.update(status="completed")
    Run.objects.filter(pk=run.pk).update(status="completed")
    shown = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert 'value="1:consensus-1" checked' in shown and 'value="A fact." checked' in shown
    assert "ruled on fusion 1" in shown and "Keeps 1 ruling and 1 fact" in shown
    assert '"again-label">Fuse again<' in shown
    on = RULES | {"on": "2"}
    assert fuse(page, run, **on, kept="1:consensus-1").status_code == 302
    third = run.fusions.get(number=3)
    assert [r["claim"] for r in third.wish["rulings"]] == ["consensus-1"]
    assert "facts" not in third.wish and third.wish["root"] == 1


def test_what_the_map_has_goes_before_what_was_ruled_earlier(page: Client, run: Run) -> None:
    form = RULES | {"verdict-consensus-1": "wrong", "note-consensus-1": ""}
    fuse(page, run, **form)
    run.fusions.update(status="completed")
    Run.objects.filter(pk=run.pk).update(status="completed")
    fuse(page, run, **RULES, kept="1:consensus-1", **{"note-consensus-1": ""})
    assert "rulings" not in run.fusions.get(number=3).wish


def test_what_is_refused_stays_with_who_wrote_it(page: Client, run: Run) -> None:
    form = RULES | {"note-consensus-1": "x" * 501, "fact": "A fact.", "instruction": "Short."}
    said = fuse(page, run, **form).content.decode()
    assert "at most 500 characters" in said
    assert all(text in said for text in ("x" * 501, "A fact.", "Short."))


def test_while_a_run_goes_on_what_can_be_changed_is_brought_when_it_is_opened(
    page: Client, alice: User
) -> None:
    run = Story().begin().answer(0, "One.").save(alice)
    path, by_htmx = f"/fusion/runs/{run.pk}", {"HX-Request": "true"}
    closed = page.get(path).content.decode()
    assert 'name="fact"' in closed and 'name="instruction"' not in closed
    assert f'hx-get="{path}?again"' in closed and 'href="?again#again"' in closed
    part = page.get(f"{path}?again", headers=by_htmx).content.decode()
    assert 'name="instruction"' in part and "<form" not in part and "<main" not in part
    opened = page.get(f"{path}?again").content.decode()
    assert 'data-keep="again-more" open' in opened and 'name="instruction"' in opened
    assert "?again" not in opened
    ended = page.get(f"/fusion/runs/{Story().whole().save(alice).pk}").content.decode()
    assert 'name="instruction"' in ended and "?again" not in ended


def test_nobody_else_is_brought_what_can_be_changed(client: Client, alice: User, bob: User) -> None:
    run = Story().begin().answer(0, "One.").save(alice, visibility="team")
    client.force_login(bob)
    for headers in ({}, {"HX-Request": "true"}):
        part = client.get(f"/fusion/runs/{run.pk}?again", headers=headers).content.decode()
        assert 'name="instruction"' not in part


def test_nobody_but_the_owner_has_the_form(client: Client, bob: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(visibility="team")
    client.force_login(bob)
    assert "again-form" not in client.get(f"/fusion/runs/{run.pk}").content.decode()
