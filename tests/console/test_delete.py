"""A run that is deleted is out of everybody's reach at once, can be put back for a week, and is
then gone for good."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from console import access
from console.models import (
    ApiToken,
    Call,
    DailyWork,
    Hold,
    Purse,
    Run,
    RunDeletion,
    RunTag,
    SearchEntry,
    ShareLink,
    Window,
)
from console.services.deletion import runs_delete, runs_put_back
from console.services.errors import Refused
from console.services.links import run_share
from console.services.order import run_tags, run_title, runs_mark
from console.services.reopening import reopen
from console.services.tokens import token_create
from console.worker import removal

from .story import Story, link_to

pytestmark = pytest.mark.database

PROMPT = "Should the quagga come back?"


@pytest.fixture
def run(alice: User) -> Run:
    """Everybody may read it in every way that there is."""
    run = Story().whole().save(alice, prompt=PROMPT, visibility="team")
    link_to(run, "by-link")
    run_tags(run=run, names=["equids"])
    return run


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def delete(client: Client, run: Run) -> int:
    return client.post(f"/fusion/runs/{run.pk}/delete").status_code


def put_back(client: Client) -> str:
    act = RunDeletion.objects.latest("pk").act
    return str(client.post(f"/fusion/runs/deleted/{act}").headers["Location"])


def a_week_later() -> list[uuid.UUID]:
    RunDeletion.objects.update(at=timezone.now() - timedelta(days=7, minutes=1))
    DailyWork.objects.all().delete()
    return removal.remove_old()


def seen_by(user: User | None, run: Run) -> dict[str, bool]:
    """By every address, list and count of somebody's."""
    client = Client()
    if user:
        client.force_login(user)
    pages = {
        at: PROMPT in client.get(at, follow=True).content.decode()
        for at in (
            "/fusion",
            "/fusion/runs",
            "/fusion/runs?q=quagga",
            "/fusion/runs?q=quagga&order=best&tag=equids",
            "/fusion/runs?tag=equids&all",
            f"/fusion/runs/{run.pk}",
            f"/fusion/runs/{run.pk}/compare",
            *(f"/fusion/runs/{run.pk}/export?format={form}" for form in ("md", "json", "html")),
            "/fusion/shared/by-link",
            "/fusion/shared/by-link/export?format=json",
            "/fusion/shared/by-link/compare",
            "/admin/console/run/",
            f"/admin/console/run/{run.pk}/change/",
        )
    }
    if user:
        headers = {"authorization": f"Bearer {token_create(owner=user)[1]}"}
        for at in ("", "?q=quagga", f"/{run.pk}", f"/{run.pk}/export?format=md"):
            read = client.get(f"/v1/runs{at}", headers=headers)
            pages[f"/v1/runs{at}"] = PROMPT in read.content.decode()
        likes = {"prompt": "Should the quagga ever come back?", "preset": "quality"}
        pages["like it"] = PROMPT in client.post("/fusion?like", likes).content.decode()
    return pages | {
        "branches": any(run in b for b in access.visible(user) if user) if user else False
    }


@pytest.mark.parametrize("who", ["alice", "bob", "ada", None])
def test_what_is_deleted_is_nowhere_and_what_is_put_back_is_where_it_was(
    page: Client, run: Run, alice: User, bob: User, ada: User, who: str | None
) -> None:
    people = {"alice": alice, "bob": bob, "ada": ada, None: None}
    before = seen_by(people[who], run)
    assert any(before.values()) or who is None
    assert delete(page, run) == 302
    assert not any(seen_by(people[who], run).values())
    assert put_back(page) == f"/fusion/runs/{run.pk}"
    assert seen_by(people[who], run) == before


def test_a_link_to_what_is_deleted_has_ended_and_opens_again(page: Client, run: Run) -> None:
    Run.objects.update(visibility="link")
    assert Client().get("/fusion/shared/by-link").status_code == 200
    delete(page, run)
    assert Client().get("/fusion/shared/by-link").status_code == 410
    put_back(page)
    assert Client().get("/fusion/shared/by-link").status_code == 200
    delete(page, run)
    assert a_week_later() == [run.pk]
    assert Client().get("/fusion/shared/by-link").status_code == 404


def test_its_owner_deletes_and_an_admin_what_they_may_read(
    client: Client, run: Run, bob: User, ada: User
) -> None:
    assert delete(client, run) == 302 and not RunDeletion.objects.exists()
    client.force_login(bob)
    assert delete(client, run) == 404
    client.force_login(ada)
    Run.objects.update(visibility="private")
    assert delete(client, run) == 404
    Run.objects.update(visibility="team")
    assert delete(client, run) == 302
    assert RunDeletion.objects.get().by == ada


def test_who_owns_it_and_who_deleted_it_can_put_it_back_and_nobody_else(
    run: Run, alice: User, bob: User, ada: User
) -> None:
    act = runs_delete(runs=[run], by=ada)
    for client, user in ((Client(), alice), (Client(), ada)):
        client.force_login(user)
        html = client.get("/fusion/runs/deleted").content.decode()
        assert PROMPT in html and "Put back" in html
    with pytest.raises(Refused, match="put back already"):
        runs_put_back(act=act, person=bob)
    assert runs_put_back(act=act, person=alice) == [run.pk]
    with pytest.raises(Refused, match="put back already"):
        runs_put_back(act=act, person=ada)


def test_with_a_question_go_its_follow_ups_and_the_question_says_how_many(
    page: Client, run: Run, alice: User, bob: User
) -> None:
    after = Story().whole().save(alice, prompt="And then?", follows=run, follows_from="fused")
    last = Story().whole().save(alice, prompt="And after?", follows=after, follows_from="fused")
    other = Story().whole().save(bob, prompt="Bob's?", follows=run, follows_from="fused")
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Delete this question and the 2 that go on from it? For seven days" in html
    assert "the one that goes on from it" in page.get(f"/fusion/runs/{after.pk}").content.decode()
    response = page.post(f"/fusion/runs/{run.pk}/delete", follow=True)
    assert "and 2 more" in response.content.decode()
    assert {*RunDeletion.objects.values_list("run", flat=True)} == {run.pk, after.pk, last.pk}
    assert [*Run.objects.filter(owner=bob)] == [other]
    assert put_back(page) == f"/fusion/runs/{run.pk}"
    assert Run.objects.filter(owner=alice).count() == 3


def test_what_is_put_back_is_counted_by_questions(page: Client, run: Run, alice: User) -> None:
    Story().whole().save(alice, prompt="And the dodo?", follows=run)
    other = Story().whole().save(alice, prompt="And whales?")
    delete(page, run)
    assert put_back(page) == f"/fusion/runs/{run.pk}"
    runs_delete(runs=[run, other], by=alice)
    assert put_back(page) == "/fusion/runs"
    assert "2 questions are back." in page.get("/fusion/runs").content.decode()


def test_a_run_under_way_is_stopped_first(page: Client, alice: User) -> None:
    begun = Story().begin().save(alice)
    html = page.get(f"/fusion/runs/{begun.pk}").content.decode()
    assert "Delete this question, and stop it?" in html
    delete(page, begun)
    begun.refresh_from_db()
    assert begun.cancel_requested_at
    # Its worker has not seen that yet, and closes it first.
    assert a_week_later() == [] and Run.objects.filter(pk=begun.pk).exists()
    Run.objects.update(status="cancelled")
    assert a_week_later() == [begun.pk]


def test_the_same_key_asks_anew_and_who_puts_back_has_another_run(alice: User) -> None:
    token = ApiToken.objects.create(owner=alice, name="CI", prefix="p", secret_hash="h")
    own: dict[str, Any] = {"token": token, "idempotency_key": "k", "origin": "api"}
    first = Story().whole().save(alice, **own)
    act = runs_delete(runs=[first], by=alice)
    second = Story().whole().save(alice, **own)
    runs_put_back(act=act, person=alice)
    first.refresh_from_db()
    assert (first.token, first.idempotency_key, first.origin) == (token, None, "api")
    assert second.idempotency_key == "k"


def test_one_worker_a_day_makes_an_end_of_what_is_old(run: Run, alice: User) -> None:
    runs_delete(runs=[run], by=alice)
    assert removal.remove_old() == []
    assert Run.objects.count() == 1
    RunDeletion.objects.update(at=timezone.now() - timedelta(days=8))
    assert removal.remove_old() == []  # somebody has looked today
    DailyWork.objects.update(done_at=timezone.now() - timedelta(days=1, minutes=1))
    assert removal.remove_old() == [run.pk]
    assert not removal.claim()
    assert not Run.objects.exists() and not Call.objects.exists()


def test_what_was_spent_stays_counted(run: Run, alice: User) -> None:
    purse = Purse.objects.create(kind="person", subject=str(alice.pk), period="day", limit_nano=9)
    Window.objects.create(purse=purse, rank=2, starts=timezone.localdate(), spent_nano=5)
    prices = dict.fromkeys(("input_tokens", "input_price_nano", "output_price_nano"), 1)
    Hold.objects.create(
        run=run, call="panel-0-1", attempt=1, amount_nano=7, settled_nano=5, **prices
    )
    runs_delete(runs=[run], by=alice)
    assert a_week_later() == [run.pk]
    assert Hold.objects.get().settled_nano == Window.objects.get().spent_nano == 5
    assert Hold.objects.get().run is None


def test_whose_owner_is_gone_is_removed_with_nobody_to_put_it_back(run: Run, alice: User) -> None:
    runs_delete(runs=[run], by=alice)
    alice.delete()
    assert Run.objects.exists() and not RunDeletion.objects.exists()
    assert a_week_later() == [run.pk]


def test_who_comes_a_moment_late_changes_nothing_of_it(run: Run, alice: User) -> None:
    """They had it in hand when it was deleted."""
    runs_delete(runs=[run], by=alice)
    with pytest.raises(Refused, match="not there any more"):
        run_share(run=run, visibility="link", by=alice)
    with pytest.raises(Refused, match="not there any more"):
        reopen(run)
    run_title(run=run, title="Quagga")
    assert not ShareLink.objects.filter(ended_at=None, made_at__gt=run.created_at).exists()
    assert not SearchEntry.objects.exists(), "nor is it found by its words"
    runs_put_back(act=RunDeletion.objects.get().act, person=alice)
    assert SearchEntry.objects.get().heading == "quagga · equids"


def test_one_that_cannot_be_removed_keeps_none_of_the_others(
    run: Run, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Story().whole().save(alice)
    runs_delete(runs=[run, other], by=alice)
    remove = removal._remove

    def fails_once(run_id: uuid.UUID) -> bool:
        assert run_id != run.pk
        return remove(run_id)

    monkeypatch.setattr(removal, "_remove", fails_once)
    assert a_week_later() == [other.pk]


def test_what_was_asked_again_by_the_same_key_meanwhile_keeps_it(run: Run, alice: User) -> None:
    token = ApiToken.objects.create(name="CI", owner=alice, prefix="p", secret_hash="h")
    by_key = {"token": token, "idempotency_key": "once"}
    Run.objects.filter(pk=run.pk).update(**by_key)
    runs_delete(runs=[run], by=alice)
    again = Story().whole().save(alice, **by_key)
    runs_put_back(act=RunDeletion.objects.get().act, person=alice)
    run.refresh_from_db()
    assert (run.token, run.idempotency_key, run.owner) == (token, None, alice)
    again.refresh_from_db()
    assert again.idempotency_key == "once"
    runs_delete(runs=[run, again], by=alice)
    runs_put_back(act=RunDeletion.objects.earliest("pk").act, person=alice)
    again.refresh_from_db()
    assert again.idempotency_key == "once"


def test_what_a_worker_was_lost_in_the_middle_of_is_done_within_the_hour_and_then_once_a_day(
    run: Run, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Story().whole().save(alice)
    runs_delete(runs=[run, other], by=alice)
    remove = removal._remove

    def is_killed(run_id: uuid.UUID) -> bool:
        if not Run.objects.filter(pk=run.pk).exists():
            raise KeyboardInterrupt
        return remove(run_id)

    with monkeypatch.context() as patch:
        patch.setattr(removal, "_remove", is_killed)
        with pytest.raises(KeyboardInterrupt):
            a_week_later()
    assert removal.remove_old() == [], "nor does another begin while it may be at it"
    DailyWork.objects.update(done_at=F("done_at") - removal.WITHIN)
    assert removal.remove_old() == [other.pk]
    DailyWork.objects.update(done_at=F("done_at") - removal.WITHIN)
    assert not removal.claim()


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_no_byte_of_it_is_left_in_the_database_s_files(
    alice: User, a_marker: Callable[[str], str]
) -> None:
    mark = a_marker
    story = Story().whole(answer=mark("answer") * 400, fused=mark("fused") * 400)
    for number in (1, 2):
        run = story.save(alice, prompt=mark("prompt") * number * 300, title=mark("title"))
    run_tags(run=run, names=[mark("tag")])
    runs_mark(runs=[run], person=alice, kind="star", on=True)
    runs_delete(runs=[*Run.objects.all()], by=alice)
    name = Path(connection.settings_dict["NAME"])
    assert removal.write_over()
    assert b"marked-" in name.read_bytes()
    a_week_later()
    assert removal.write_over()
    assert not RunTag.objects.exists()
    for file in name.parent.glob(f"{name.name}*"):
        assert b"marked-" not in file.read_bytes(), file
    assert sqlite3.connect(name).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def a_marker() -> Callable[[str], str]:
    return lambda of: f"marked-{of}-{'x' * 8} "


def test_costs_of_what_is_deleted_are_in_no_figure(run: Run, alice: User) -> None:
    assert Decimal(str(run.cost)) > 0
    runs_delete(runs=[run], by=alice)
    run.refresh_from_db()
    assert run.is_read_only and run.owner is None and run.visibility == "private"
