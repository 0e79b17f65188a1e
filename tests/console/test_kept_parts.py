"""The page of a run that has ended is made once for all who are shown the same, and what is
another each time is each reader's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context
from django.template.loader import render_to_string
from django.test import Client

from console.fragments.put_in import PutInLast
from console.models import Run, ShareLink, Visibility
from console.record.rows import state_from_rows
from console.templatetags import kept

from .story import Story

pytestmark = pytest.mark.django_db

EACH_TIME = re.compile(
    r'name="(?:csrfmiddlewaretoken|client_run_id)" value="([^"]+)"|nonce="([^"]+)"'
    r'|data-now="([^"]+)"'
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of parts as they are made, from nothing kept on."""
    names: list[str] = []

    def make(name: str, given: dict[str, Any]) -> str:
        names.append(name)
        return render_to_string(name, given)

    monkeypatch.setattr(kept, "render_to_string", make)
    monkeypatch.setattr(kept, "_parts", kept._store(kept.KEPT))
    monkeypatch.setattr(kept, "_brief_parts", kept._store(kept.BRIEFLY))
    yield names


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice, visibility=Visibility.TEAM)


def signed_in(person: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    return client


def page(client: Client, run: Run, **headers: str) -> str:
    return client.get(f"/fusion/runs/{run.pk}", headers=headers).content.decode()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_who_is_shown_the_same_is_shown_what_was_made_once(
    alice: User, bob: User, run: Run, made: list[str], headers: dict[str, str]
) -> None:
    owner, other = signed_in(alice), signed_in(bob)
    first = page(owner, run, **headers)
    once = [*made]
    assert len(once) > 1
    again = page(owner, run, **headers)
    assert made == once, "nothing was made again"
    own = [{*"".join(map("".join, EACH_TIME.findall(html))).split()} for html in (first, again)]
    assert not own[0] & own[1], "but tokens and marks are those of one page"
    assert EACH_TIME.sub("", first) == EACH_TIME.sub("", again)
    theirs = page(other, run, **headers)
    assert made != once and "again-form" in first and "again-form" not in theirs


def test_who_comes_to_a_run_before_its_first_word_is_shown_the_same(
    alice: User, made: list[str]
) -> None:
    client, run = signed_in(alice), Story().begin().save(alice)
    first = page(client, run)
    assert EACH_TIME.sub("", page(client, run)) == EACH_TIME.sub("", first)
    assert {*made} == {"console/run/_main.html", "console/run/_seat.html"}
    assert made.count("console/run/_main.html") == 1 and "again-form" in first
    made.clear()
    page(client, Story().begin().write(0, "A word").save(alice))
    assert not made, "what is being written is another each time, and who waits was made before"


@pytest.mark.parametrize("is_asked", [False, True])
def test_a_seat_that_has_yet_to_begin_is_made_once_for_all_runs_of_such_a_panel(
    alice: User, bob: User, made: list[str], is_asked: bool
) -> None:
    stories = [Story(began=1_790_000_000.0 + 5 * n) for n in range(2)]
    one, other = (
        (story.begin() if is_asked else story).save(alice, visibility=Visibility.TEAM)
        for story in stories
    )
    for client in (signed_in(alice), signed_in(bob)):
        made.clear()
        pages = [page(client, run) for run in (one, other)]
        seats = one.frozen_spec.panel
        assert made.count("console/run/_seat.html") == len(seats)
        for run, html in zip((one, other), pages, strict=True):
            assert html.count('class="seat-body"') == len(seats)
            forms = re.findall(r'action="(/[^"]*/seats/[^"]*)"', html)
            told = [f"/fusion/runs/{run.pk}/seats/{n}/stop" for n in range(len(seats))]
            assert forms == (told if client.session["_auth_user_id"] == str(alice.pk) else [])
            since = [f"{call.started_at:.3f}" for call in state_from_rows(run).of_seats().values()]
            assert re.findall(r'data-since="([\d.]+)" data-whole', html) == since
        whole = [html.partition("<main")[2] for html in pages]
        assert str(one.pk) not in whole[1] and str(other.pk) not in whole[0]


def test_a_form_that_was_made_for_another_page_has_this_ones_token(
    alice: User, run: Run, made: list[str]
) -> None:
    client = signed_in(alice)
    page(client, run)
    once = [*made]
    tokens = {token for token, *_ in EACH_TIME.findall(page(client, run)) if len(token) == 64}
    assert made == once and len(tokens) == 1
    fields = {"title": "Called otherwise", "csrfmiddlewaretoken": tokens.pop()}
    assert client.post(f"/fusion/runs/{run.pk}/order", fields).status_code == 302
    assert "Called otherwise" in page(client, run), "what has changed is another part"


def test_what_is_put_in_last_stands_where_it_was_left_out() -> None:
    last = PutInLast()
    rest = [last.later([f"<b>{n}".encode(), "é</b>".encode()]) for n in range(12)]
    page = "Ä".join(rest[n] for n in (3, 0, 11, 0))
    assert last.whole(page).decode() == "<b>3é</b>Ä<b>0é</b>Ä<b>11é</b>Ä<b>0é</b>"
    assert PutInLast().whole("é; 1") == "é; 1".encode()


def test_one_huge_page_is_kept_and_many_take_no_more_room_than_was_said() -> None:
    parts, made = kept._store(kept.KEPT), []

    def huge() -> list[bytes]:
        made.append(1)
        return [b"x" * 5_600_000]

    for n in [0, 0, *range(1, 9)]:
        parts.get(bytes([n]), huge)
    assert len(made) == 9 and parts._size <= kept.KEPT


def test_what_asks_the_database_while_it_is_made_is_made_each_time(alice: User, run: Run) -> None:
    ShareLink.objects.create(run=run, token_hash="of nothing", made_by=alice, hides=[])
    told = [told_of_the_link()]
    User.objects.filter(pk=alice.pk).update(username="alicia")
    told.append(told_of_the_link())
    assert "made by alice." in told[0] and "made by alicia." in told[1]


def told_of_the_link() -> str:
    """Which reads who made it, since nobody has before."""
    link = ShareLink.objects.get()
    return kept.include_kept(Context(), "console/run/_link_told.html", link=link)
