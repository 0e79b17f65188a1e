"""A thread stands on the page of each of its questions, as far as one may read it."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console import access
from console.models import Run
from console.models.tokens import Scope
from console.record.thread import SHOWN, Neighbours, neighbours
from console.services.tokens import token_create

from .story import Story, a_spec, link_to

pytestmark = pytest.mark.database

# A name, and what it goes on from.
LINE = {"one": "", "two": "one", "three": "two", "four": "three"}
FORK = {"one": "", "left": "one", "right": "one", "left's": "left"}
TWICE = {"one": "", "a": "one", "b": "one", "a1": "a", "a2": "a", "a3": "a", "b1": "b"}


def thread(owner: User, of: dict[str, str], **fields: dict[str, str]) -> dict[str, Run]:
    """`fields`: of some of them, by name."""
    runs: dict[str, Run] = {}
    for name, before in of.items():
        beside = {"follows": runs[before], "follows_from": "fused"} if before else {}
        more = {field: values[name] for field, values in fields.items() if name in values}
        runs[name] = Story().whole().save(owner, prompt=f"{name}?", **beside, **more)
    return runs


def page_of(client: Client, run: Run) -> str:
    response = client.get(f"/fusion/runs/{run.pk}")
    assert response.status_code == 200
    return response.content.decode()


def nav_of(html: str) -> str:
    return html.partition('<nav id="thread"')[2].partition("</nav>")[0]


def lines(html: str) -> list[str]:
    """As they are read: indented, with what stands beside them."""
    found = re.findall(r'<li data-indent="(\d)">(.*?)</li>', nav_of(html), re.DOTALL)
    return [
        "  " * int(indent) + " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())
        for indent, inner in found
    ]


def title_of_page(html: str) -> str:
    return unescape(html.partition("<title>")[2].partition("</title>")[0])


def head_of(html: str) -> str:
    head = html.partition('<div class="run-asked">')[2].partition("<h1")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", head)).split())


CASES = {
    "the first of a line": (
        LINE, "one", "one? · Fusion",
        ["one? this question", "two? completed", "three? completed", "four? completed"],
    ),
    "one within a line": (
        LINE, "three", "Follow-up 2 of one? · Fusion",
        ["one? completed", "two? completed", "three? this question", "four? completed"],
    ),
    "the last of a line": (
        LINE, "four", "Follow-up 3 of one? · Fusion",
        ["one? completed", "two? completed", "three? completed", "four? this question"],
    ),
    "a fork, seen from where it begins": (
        FORK, "one", "one? · Fusion",
        ["one? this question", "  left? branch 1 of 2 completed", "  left's? completed",
         "  right? branch 2 of 2 completed"],
    ),
    "a fork, seen from one of its branches": (
        FORK, "right", "Follow-up 1 of one? · Fusion",
        ["one? completed", "  left? branch 1 of 2 completed", "  left's? completed",
         "  right? branch 2 of 2 this question"],
    ),
    "forks within a fork": (
        TWICE, "a2", "Follow-up 2 of one? · Fusion",
        ["one? completed", "  a? branch 1 of 2 completed", "    a1? branch 1 of 3 completed",
         "    a2? branch 2 of 3 this question", "    a3? branch 3 of 3 completed",
         "  b? branch 2 of 2 completed", "  b1? completed"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "read", "title", "seen"), CASES.values(), ids=[*CASES])
def test_a_thread_stands_whole_on_the_page_of_each_of_its_questions(
    client: Client, alice: User, of: dict[str, str], read: str, title: str, seen: list[str]
) -> None:
    runs = thread(alice, of)
    client.force_login(alice)
    html = page_of(client, runs[read])
    assert lines(html) == seen
    assert title_of_page(html) == title
    # What the page's end brings is the same.
    ended = client.get(f"/fusion/runs/{runs[read].pk}", headers={"HX-Request": "true"})
    assert 'id="thread" class="thread" aria-label="Thread" hx-swap-oob="true"' in (
        told := ended.content.decode()
    )
    assert lines(told) == seen
    for name, run in runs.items():
        assert (f'href="/fusion/runs/{run.pk}"' in nav_of(html)) is True, name


def test_a_question_alone_is_no_thread(client: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    Story().whole().save(alice, prompt="quite another?")
    client.force_login(alice)
    html = page_of(client, run)
    assert nav_of(html).partition(">")[0].endswith(" hidden") and not lines(html)
    assert "Follow-up" not in head_of(html) and "Goes on from" not in head_of(html)


@pytest.mark.parametrize(
    ("follows_from", "head", "line"),
    [("fused", "from the fused answer", "two? this question"),
     ("seat-1", "from B", "two? from B this question"),
     ("own", "each seat from its own answer",
      "two? each seat from its own answer this question")],
)  # fmt: skip
def test_it_says_from_what_a_question_goes_on(
    client: Client, alice: User, follows_from: str, head: str, line: str
) -> None:
    runs = thread(alice, {"one": "", "two": "one"})
    Run.objects.filter(pk=runs["two"].pk).update(follows_from=follows_from)
    client.force_login(alice)
    html = page_of(client, runs["two"])
    assert f"Follow-up 1 of one? , {head}" in head_of(html)
    assert lines(html)[1] == line
    assert f'data-before="/fusion/runs/{runs["one"].pk}"' in html


@pytest.mark.parametrize(
    ("status", "word"),
    [("queued", "queued"), ("running", "running"), ("failed", "failed"), ("cancelled", "stopped")],
)
def test_each_says_how_it_stands(client: Client, alice: User, status: str, word: str) -> None:
    runs = thread(alice, {"one": "", "two": "one"}, status={"two": status})
    client.force_login(alice)
    assert lines(page_of(client, runs["one"]))[1] == f"two? {word}"


# Who reads which of them, and what they see; "": they find no such page.
PRIVATE, TEAM = "private", "team"
READERS = {
    ("alice", "one"): ["one? this question", "two? completed", "three? completed"],
    ("bob", "one"): ["one? this question"],
    ("ada", "one"): ["one? this question"],
    ("bob", "two"): [],
    ("ada", "two"): [],
    ("bob", "three"): ["three? this question"],
    ("charlie", "one"): [],
}


@pytest.mark.parametrize(("who", "read"), READERS)
def test_only_what_one_may_read_is_part_of_it(
    client: Client, alice: User, bob: User, charlie: User, ada: User, who: str, read: str
) -> None:
    """The first and the third are the team's, the second, between them, is alice's own."""
    shown = {"one": TEAM, "two": PRIVATE, "three": TEAM}
    runs = thread(alice, {"one": "", "two": "one", "three": "two"}, visibility=shown)
    client.force_login({"alice": alice, "bob": bob, "charlie": charlie, "ada": ada}[who])
    response = client.get(f"/fusion/runs/{runs[read].pk}")
    seen = READERS[who, read]
    if not seen:
        assert response.status_code in (302, 404)
        return
    html = response.content.decode()
    assert lines(html) == (seen if len(seen) > 1 else [])
    for name, run in runs.items():
        if f"{name}? completed" not in seen and name != read:
            assert str(run.pk) not in html and f"{name}?" not in html


def test_others_questions_in_it_go_by_their_names(client: Client, alice: User, bob: User) -> None:
    one = Story().whole().save(alice, prompt="one?", visibility=TEAM)
    follows = {"follows": one, "follows_from": "fused"}
    Story().whole().save(alice, prompt="hers alone?", **follows)
    Story().whole().save(bob, prompt="his?", **follows)
    client.force_login(bob)
    assert lines(page_of(client, one)) == ["one? this question", "his? by bob completed"]
    client.force_login(alice)
    assert lines(page_of(client, one)) == ["one? this question", "hers alone? completed"]


def test_a_question_that_went_before_and_cannot_be_read_is_said_to_be_so(
    client: Client, alice: User, bob: User
) -> None:
    shown = {"two": TEAM, "three": TEAM}
    runs = thread(alice, {"one": "", "two": "one", "three": "two"}, visibility=shown)
    client.force_login(bob)
    html = page_of(client, runs["two"])
    assert head_of(html) == "Goes on from a question that you may not read"
    assert "The first goes on from a question that you may not read." in nav_of(html)
    assert title_of_page(html) == "two? · Fusion"
    html = page_of(client, runs["three"])
    assert "Follow-up 1 of two?" in head_of(html)
    assert "The first goes on from a question that you may not read." in nav_of(html)
    runs["one"].delete()
    for reader in (alice, bob):
        client.force_login(reader)
        html = page_of(client, runs["two"])
        assert head_of(html) == "Goes on from a question that has been deleted"
        assert "The first goes on from a question that has been deleted." in nav_of(html)
    runs["three"].refresh_from_db()
    runs["two"].delete()
    html = page_of(client, runs["three"])
    assert "This goes on from a question that has been deleted." in nav_of(html)
    assert not lines(html)


@pytest.mark.parametrize("read", ["one", "two", "three"])
def test_a_link_shows_the_one_question_that_it_was_made_for(
    client: Client, alice: User, read: str
) -> None:
    runs = thread(alice, {"one": "", "two": "one", "three": "two"})
    Run.objects.filter(pk=runs[read].pk).update(visibility="link")
    link_to(runs[read], "by-link")
    for reader in (None, alice):
        if reader:
            client.force_login(reader)
        for how in ({}, {"HX-Request": "true"}):
            html = client.get("/fusion/shared/by-link", headers=how).content.decode()
            assert 'id="thread"' not in html and "Follow-up" not in html
            for name, run in runs.items():
                assert str(run.pk) not in html
                assert name == read or f"{name}?" not in html
    assert title_of_page(client.get("/fusion/shared/by-link").content.decode()) == (
        f"{read}? · Fusion"
    )


def test_what_was_asked_is_text_in_every_line(client: Client, alice: User) -> None:
    one = Story().whole().save(alice, prompt="<b onclick=x>{{ one }}</b> & “two”?")
    Story().whole().save(alice, prompt="هل المطر مبلل؟", follows=one, follows_from="fused")
    client.force_login(alice)
    nav = nav_of(page_of(client, one))
    assert "&lt;b onclick=x&gt;{{ one }}&lt;/b&gt; &amp; “two”?" in nav
    assert 'dir="auto">هل المطر مبلل؟</a>' in nav


def far(owner: User, count: int, *, is_wide: bool) -> list[Run]:
    spec, runs = a_spec().to_dict(), list[Run]()
    for n in range(count):
        before = runs[0 if is_wide else -1] if runs else None
        runs.append(
            Run(
                owner=owner, prompt=f"number {n}?", messages=[], spec=spec, preset="quality",
                preset_name="Quality", status="completed", follows=before,
                follows_from="fused" if before else "",
            )
        )  # fmt: skip
        runs[-1].save()
    return runs


@pytest.mark.parametrize("is_wide", [False, True])
def test_a_long_thread_costs_what_a_short_one_costs_and_says_what_it_leaves_out(
    client: Client, alice: User, is_wide: bool
) -> None:
    client.force_login(alice)

    def asked(run: Run) -> tuple[int, str]:
        page_of(client, run)  # what a process keeps is there
        with CaptureQueriesContext(connection) as queries:
            html = page_of(client, run)
        return len(queries), html

    alone, html = asked(far(alice, 1, is_wide=is_wide)[0])
    assert "of this thread are shown" not in html
    few, html = asked(far(alice, 5, is_wide=is_wide)[2])
    assert few == alone + 1, "one question finds a thread, and none is asked where there is none"
    assert len(lines(html)) == 5 and "of this thread are shown" not in html
    runs = far(alice, 120, is_wide=is_wide)
    for at in (0, 60, 119):
        many, html = asked(runs[at])
        seen = [re.sub(r"\D*(\d+).*", r"\1", line) for line in lines(html)]
        assert many == few
        assert SHOWN / 2 <= len(seen) <= SHOWN + 1 and len({*seen}) == len(seen)
        assert f"The {len(seen)} nearest of this thread are shown." in html
        assert seen[0] == "0" and str(at) in seen, "the first and the one that is read"
        depth = (1 if at else 0) if is_wide else at
        name = "number 0?"
        assert title_of_page(html) == (
            f"Follow-up {depth} of {name} · Fusion" if depth else f"{name} · Fusion"
        )
        assert ("Some between are not shown" in html) is (not is_wide and at > 26)
        if not is_wide and 0 < at < 119:
            assert {str(at - 1), str(at + 1)} <= {*seen}, "what is next to it"


def test_programs_are_told_the_next_ones_of_what_they_may_read(alice: User, bob: User) -> None:
    shown = {"one": PRIVATE, "two": TEAM, "left": TEAM, "right": PRIVATE}
    of = {"one": "", "two": "one", "left": "two", "right": "two", "further": "left"}
    runs = thread(alice, of, visibility=shown)
    key: dict[str, uuid.UUID] = {name: run.pk for name, run in runs.items()}

    def told(reader: User, name: str) -> Neighbours:
        return neighbours(runs[name], access.runs_visible_to(reader))

    assert told(alice, "two") == Neighbours(key["one"], (key["left"], key["right"]))
    assert told(bob, "two") == Neighbours(None, (key["left"],))
    assert told(alice, "one") == Neighbours(None, (key["two"],))
    assert told(bob, "left") == Neighbours(key["two"], ())
    assert told(alice, "further") == Neighbours(key["left"], ())


@pytest.mark.parametrize(
    ("who", "scopes", "before", "after"),
    [("alice", ["read"], "one", ["left", "right"]), ("alice", ["run"], None, []),
     ("alice", ["read", "run"], "one", ["left", "right"]),
     ("bob", ["read"], None, ["left"]), ("ada", ["read"], None, ["left"])],
)  # fmt: skip
def test_a_token_is_told_the_ids_of_what_it_may_read(
    client: Client, alice: User, bob: User, ada: User,
    who: str, scopes: list[str], before: str | None, after: list[str],
) -> None:  # fmt: skip
    shown = {"two": TEAM, "left": TEAM}
    of = {"one": "", "two": "one", "left": "two", "right": "two", "further": "left"}
    runs = thread(alice, of, visibility=shown)
    owner = {"alice": alice, "bob": bob, "ada": ada}[who]
    token, secret = token_create(owner=owner, scopes=scopes)
    if Scope.READ not in scopes:
        Run.objects.filter(pk=runs["two"].pk).update(token=token)
    path = f"/v1/runs/{runs['two'].pk}" + ("" if Scope.READ in scopes else "/cancel")
    ask = client.get if Scope.READ in scopes else client.post
    response = ask(path, headers={"authorization": f"Bearer {secret}"})
    assert response.status_code == 200, response.content
    told = response.json()
    assert told["followed"] == (str(runs[before].pk) if before else None)
    assert told["follow_ups"] == [str(runs[name].pk) for name in after]
