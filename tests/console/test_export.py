"""Runs taken along: in every form, and for everybody no more than their page shows."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from console import access
from console.export import FORMS, ended_in_thread, export_runs
from console.export.as_markdown import closed
from console.models import Run, Verdict
from console.models.runs import Origin
from console.models.shown import ALL, BY_LINK
from console.record.asked import hand_down
from console.record.portable import bring_in, read
from console.services.follow import run_follow

from .story import ANALYSIS, Story, a_spec

COST, VERDICT, NOTE, FACT, EARLIER = (
    "0.0312",
    "C was the clearest by far",
    "our lease ends in May",
    "the bank lends at 1.4 %",
    "what we had asked before",
)
SECRETS = {"costs": COST, "people": VERDICT, "notes": NOTE, "facts": FACT, "earlier": EARLIER}
INNER = "a system prompt of the preset"
WISH = {
    "rulings": [
        {
            "on": 1,
            "claim": "consensus-1",
            "text": "Upkeep is a real, unbudgeted cost",
            "verdict": "right",
            "note": NOTE,
        }
    ],
    "facts": [FACT],
    "on": 1,
    "root": 1,
}


@pytest.fixture
def run(alice: User, bob: User) -> Run:
    """Of everything that is not for everybody, something."""
    story = Story(a_spec()).whole(answer="A seat's words.", fused="Fused words (A).")
    story.wait(5).fuse_again("Fused once more.", wish=WISH)
    story.state.fusions[2].analysis = ANALYSIS
    run = story.save(alice, visibility="team", share_token="by-link")
    run.messages = [
        {"role": "user", "content": EARLIER},
        {"role": "assistant", "content": "Yes."},
        *run.messages,
    ]
    run.origin = "api"
    run.spec["panel"][0]["system_prompt"] = INNER
    run.save()
    answers = {letter: f"panel-{seat}-1" for seat, letter in enumerate("ABC")}
    seen = {"names": True, "order": ["A", "B", "C"], "look": "answers"}
    Verdict.objects.create(run=run, person=bob, best="C", note=VERDICT, answers=answers, seen=seen)
    return run


def text_of(run: Run, form: Any, shown: Any) -> str:
    return export_runs([run], form, lambda _: shown).body.decode()


# ---- what is in it ----


@pytest.mark.parametrize("form", FORMS)
def test_question_answers_analysis_and_fused_answer_are_in_every_form(
    run: Run, alice: User, form: Any
) -> None:
    text = text_of(run, form, access.shown_to(alice, run)).replace("&#x27;", "'")
    for part in (
        *("Should we move our billing?", "A seat's words.", "Fused words", "Fused once more."),
        *("Upkeep is a real, unbudgeted cost", "Not this year.", "Do it this year?"),
        *("Two cycles in parallel", "What customers see on the first new invoice"),
        *("alpha", "beta", "gamma"),
    ):
        assert part in text, part


TEMPLATE = {
    "key": "17",
    "name": "Price of a leak",
    "version": 3,
    "values": {"place": "the *cellar*", "leak": "11", "until": "2026-12-01"},
}


@pytest.mark.parametrize("form", FORMS)
def test_what_the_prompt_was_filled_in_from_goes_with_it_unless_the_prompt_is_hidden(
    run: Run, alice: User, form: Any
) -> None:
    Run.objects.filter(pk=run.pk).update(template=TEMPLATE)
    run.refresh_from_db()
    text = text_of(run, form, ALL)
    assert "Price of a leak" in text and "2026-12-01" in text and "cellar" in text
    hidden = text_of(run, form, BY_LINK._replace(prompt=False))
    assert "Price of a leak" not in hidden and "cellar" not in hidden
    if form == "json":
        [shape] = json.loads(text)["runs"]
        assert shape["template"] == {n: v for n, v in TEMPLATE.items() if n != "key"}
        [again] = bring_in(
            read(text.encode()), owner=alice, visibility="private", origin=Origin.IMPORTED
        )
        # Whoever's template has that number here is another.
        assert again.template == TEMPLATE | {"key": ""}
    else:
        assert "version 3" in text


def test_what_searching_cost_goes_with_the_costs(run: Run) -> None:
    search = {"query": "leak", "engine": "Brave", "found": [], "cost": "0.005"}
    Run.objects.filter(pk=run.pk).update(research={"searches": [search], "is_over": True})
    run.refresh_from_db()
    assert json.loads(text_of(run, "json", ALL))["runs"][0]["research"]["searches"] == [search]
    hidden = json.loads(text_of(run, "json", BY_LINK))["runs"][0]["research"]["searches"]
    assert hidden == [{name: value for name, value in search.items() if name != "cost"}]


def test_markdown_says_who_says_what_and_what_it_cost(run: Run, alice: User) -> None:
    text = text_of(run, "md", access.shown_to(alice, run))
    assert "- Upkeep is a real, unbudgeted cost — **A, B, C**" in text
    assert "  - Yes, in two steps. — **A, B**" in text and "  - Not this year. — **C**" in text
    assert "| A | maker/alpha | 212 | 1,184 | \\$0.0312 |" in text
    assert "- bob: C (C was the clearest by far)" in text
    assert text.index("Fused once more.") < text.index("A seat's words.") < text.index("Receipt")


# ---- who is shown what ----


@dataclass(frozen=True)
class Reader:
    name: str
    hidden: tuple[str, ...]


READERS = [
    Reader("alice", ()),
    Reader("bob", ("earlier",)),
    Reader("ada", ("earlier",)),
    Reader("link", ("costs", "people", "notes", "facts", "earlier")),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
@pytest.mark.parametrize("form", FORMS)
def test_nobody_takes_along_what_they_are_not_shown(
    client: Client, run: Run, alice: User, bob: User, ada: User, reader: Reader, form: str
) -> None:
    if reader.name == "link":
        Run.objects.update(visibility="link")
        url = "/fusion/shared/by-link/export"
    else:
        client.force_login(User.objects.get(username=reader.name))
        url = f"/fusion/runs/{run.pk}/export"
    response = client.get(f"{url}?format={form}&thread=1")
    assert response.status_code == 200
    text = response.content.decode()
    told_nowhere = {"earlier"} if form != "json" else set()  # it is no part of what is read
    for what, secret in SECRETS.items():
        is_there = what not in reader.hidden and what not in told_nowhere
        assert (secret in text) is is_there, what
    assert (INNER in text) is (reader.name == "alice" and form == "json")
    assert response["Content-Disposition"] == (
        f'attachment; filename="should-we-move-our-billing.{form}"'
    )
    if form == "json":
        assert read(response.content).runs[0].prompt == run.prompt


def test_a_link_shows_notes_to_rulings_neither_on_its_page(
    client: Client, run: Run, bob: User
) -> None:
    Run.objects.update(visibility="link")
    page = client.get("/fusion/shared/by-link").content.decode()
    assert "ruled on fusion 1" in page and NOTE not in page and VERDICT not in page
    Run.objects.update(visibility="team")
    client.force_login(bob)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert NOTE in page and VERDICT in page


@pytest.mark.parametrize("form", FORMS)
def test_it_is_for_whoever_may_read_the_run(
    client: Client, run: Run, bob: User, charlie: User, form: str
) -> None:
    Run.objects.update(visibility="private")
    url = f"/fusion/runs/{run.pk}/export?format={form}"
    assert client.get(url)["Location"].startswith("/sign-in")
    client.force_login(charlie)
    assert client.get(url)["Location"].startswith("/sign-in")
    client.force_login(bob)
    assert client.get(url).status_code == 404
    assert client.get("/fusion/shared/by-link/export").status_code == 410


def test_the_page_offers_it_to_whoever_reads_it(
    client: Client, run: Run, alice: User, bob: User
) -> None:
    for reader in (alice, bob):
        client.force_login(reader)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        assert f"/fusion/runs/{run.pk}/export?format=md" in html
        assert ("Who may read this run" in html) is (reader == alice)
    Run.objects.update(visibility="link")
    client.logout()
    html = client.get("/fusion/shared/by-link").content.decode()
    assert "/fusion/shared/by-link/export?format=json" in html and str(run.pk) not in html


@pytest.mark.parametrize("form", ["", "pdf", "JSON", "md\0"])
def test_a_form_that_is_none_is_said_to_be(
    client: Client, run: Run, alice: User, form: str
) -> None:
    client.force_login(alice)
    response = client.get(f"/fusion/runs/{run.pk}/export", {"format": form})
    assert response.status_code == 400
    assert "json, md, html" in response.content.decode()


@pytest.mark.parametrize("form", FORMS)
def test_a_run_under_way_is_not_there_yet(client: Client, alice: User, form: str) -> None:
    run = Story().begin().save(alice)
    client.force_login(alice)
    response = client.get(f"/fusion/runs/{run.pk}/export?format={form}")
    assert response.status_code == 409 and "still under way" in response.content.decode()
    assert "export?format" not in client.get(f"/fusion/runs/{run.pk}").content.decode()


# ---- a thread ----


FOLLOWED = {"said": ["synthesis-f1-1"], "lettered": False, "fusion": 1, "seats": {}}


def follow_up(run: Run, owner: User, prompt: str, **fields: Any) -> Run:
    fields |= {"follows": run, "follows_from": "fused", "follows_calls": FOLLOWED}
    return Story().whole().save(owner, prompt=prompt, **fields)


def test_a_thread_is_taken_along_from_anywhere_in_it(run: Run, alice: User) -> None:
    first = follow_up(run, alice, "And then?")
    second = follow_up(run, alice, "Or else?")
    third = follow_up(first, alice, "And after that?")
    run_follow(run=first, owner=alice, prompt="It is still asked", spec=a_spec("m/alpha"))
    readable = access.runs_visible_to(alice)
    for one in (run, first, second, third):
        assert ended_in_thread(one, readable) == [run, first, second, third]
    taken = export_runs([run, first, second, third], "json", lambda r: access.shown_to(alice, r))
    document = read(taken.body)
    assert [shape.follows for shape in document.runs] == [None, 0, 0, 1]


def test_of_a_thread_nobody_takes_along_what_they_may_not_read(
    run: Run, alice: User, bob: User
) -> None:
    Run.objects.filter(pk=run.pk).update(visibility="private")
    after = follow_up(run, alice, "And then?", visibility="team")
    assert ended_in_thread(after, access.runs_visible_to(bob)) == [after]
    text = text_of(after, "json", access.shown_to(bob, after))
    assert "Fused words" not in text and EARLIER not in text
    document = read(text_of(after, "json", access.shown_to(bob, after)).encode())
    assert document.runs[0].messages == [{"role": "user", "content": "And then?"}]


def test_what_a_program_sent_before_its_question_is_its_owners(
    run: Run, alice: User, bob: User
) -> None:
    after = follow_up(run, bob, "And then?")
    hand_down(run)  # bob's question keeps what it was asked with, of which alice showed bob a part
    run.delete()
    after.refresh_from_db()
    assert len(after.messages) > 1
    assert EARLIER not in text_of(after, "json", access.shown_to(bob, after))


# ---- Markdown of models ----

OPEN = {
    "a fence": ("```python\nx = 1", "\n```"),
    "a longer fence": ("````\n```\nx", "\n````"),
    "a fence of tildes": ("~~~\nx", "\n~~~"),
    "only its first line": ("Well:\n\n```", "\n```"),
    "a comment": ("So.\n\n<!-- and the rest", "\n-->"),
    "a script": ("<script>\nx", "\n</script>"),
    "a style": ("<STYLE>\nx", "\n</STYLE>"),
    "an instruction": ("<?php\nx", "\n?>"),
    "a section of characters": ("<![CDATA[\nx", "\n]]>"),
}
WHOLE = {
    "a fence that is closed": "```\nx\n```",
    "a fence that is closed and text": "```\nx\n```\n\nThat is all.",
    "a fence in a list, which ends with it": "- a\n\n  ```\n  x",
    "a comment that is closed": "<!-- x -->",
    "a comment in code": "`<!--` begins one.",
    "a tag": "<b>bold</b>",
    "nothing": "",
    "words": "It is so.",
}


@pytest.mark.parametrize("what", OPEN)
def test_a_text_that_leaves_something_open_is_closed_behind_it(what: str) -> None:
    text, end = OPEN[what]
    assert closed(text) == text + end


@pytest.mark.parametrize("what", WHOLE)
def test_a_text_that_leaves_nothing_open_stays_as_it_is(what: str) -> None:
    assert closed(WHOLE[what]) == WHOLE[what]


def test_a_text_too_costly_to_read_is_fenced() -> None:
    text = "[" * 300_000 + "\n````\n"
    assert closed(text) == f"`````text\n{text.rstrip()}\n`````"


def test_what_stands_in_a_line_of_ours_is_no_markdown(alice: User) -> None:
    story = Story(a_spec("m/a_b*c", "m/[x](http://evil)"))
    analysis = {
        "consensus": [{"claim": "# No\n## heading | <b>", "seats": [0, 1]}],
        **{p: [] for p in ("contradictions", "partial_coverage", "unique_insights")},
        "blind_spots": ["`code"],
    }
    story.begin().answer(0, "Yes.").answer(1, "No.").judge().analyse(analysis)
    run = story.synthesise("So.").complete().save(alice, prompt="> a\n# b")
    text = text_of(run, "md", BY_LINK)
    assert r"- \# No \#\# heading \| \<b\> — **A, B**" in text
    assert r"## A: a\_b\*c" in text and r"- \`code" in text
    assert "> > a\n> # b" in text


# ---- the shell ----


def shell(*arguments: str) -> str:
    out = io.StringIO()
    call_command("export", *arguments, stdout=out)
    return out.getvalue()


def test_the_shell_takes_along_what_the_team_reads(run: Run, alice: User) -> None:
    text = shell(str(run.pk), "--format", "md")
    assert "Fused once more." in text and "C was the clearest" in text
    assert EARLIER not in shell(str(run.pk))
    assert EARLIER in shell(str(run.pk), "--user", "alice", "--thread")
    Run.objects.update(visibility="private")
    assert json.loads(shell(str(run.pk), "--user", "alice"))["v"] == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["no-id"], "“no-id” is no id of a run."),
        (["sample"], "This site has no sample."),
        (["6f9619ff-8b86-4d11-b42d-00c04fc964ff"], "There is no such run"),
        (["sample", "--user", "nobody"], "There is nobody named “nobody”."),
    ],
)
def test_the_shell_says_why_it_cannot(db: None, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        shell(*arguments)


def test_the_shell_does_not_read_what_is_private(run: Run) -> None:
    Run.objects.update(visibility="private")
    with pytest.raises(CommandError, match="may not be read from here"):
        shell(str(run.pk))
