"""What a link hides is nowhere in what is read by it: pages, comparisons, files, frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from redis.asyncio import Redis

from console.engine.errors import Reason
from console.engine.events import EventType
from console.engine.spec import Panelist, Spec
from console.engine.terms import Terms
from console.engine.unnamed import Unnamed
from console.fragments import SeatFragments, run_context, run_fragments
from console.live.frames import Cursor
from console.live.sockets import watches
from console.live.watch import Watch
from console.models import File, Run, RunFile
from console.models.shown import ALL
from console.record.portable import read
from console.record.rows import state_from_rows

from .researched import ELBE, researched
from .story import Story, a_spec, link_to

# Who was asked, and by whom it was sold, called and told.
NAMES = ("zebra", "yak", "xerus", "wombat", "vole", "Menagerie", "menagerie")
PROMPT = "Should the quagga come back?"
PAGES = ("", "?look=answers", "/compare", "/compare?left=A&right=B")
FILES = ("/export?format=json", "/export?format=md", "/export?format=html")


def named() -> Spec:
    one = a_spec("zoo/zebra", "zoo/yak", "zoo/xerus", judge="zoo/wombat", credential="menagerie")
    panel = (replace(one.panel[0], label="Menagerie's own"), *one.panel[1:])
    panel = (*panel[:2], replace(panel[2], fallback=Panelist("zoo/vole", "menagerie")))
    terms = Terms(zero_retention=True, only_providers=("menagerie",))
    return replace(
        one, panel=panel, synthesizer=Panelist("zoo/vole", "menagerie"), terms=terms,
        preset="menagerie", preset_name="Menagerie",
    )  # fmt: skip


@pytest.fixture
def run(alice: User) -> Run:
    story = Story(named()).begin().wait(1)
    story.answer(0, "Seven reasons.", model="zoo/zebra-2027", provider="menagerie")
    story.answer(1, "Eight reasons.")
    story.fail(2, Reason.UPSTREAM_ERROR, "menagerie says: zoo/xerus is overloaded")
    story.judge().analyse().synthesise("All reasons.").complete(provider="menagerie")
    story.fuse_again("Again.", rulings=[], preset="Menagerie")
    return story.save(alice, prompt=PROMPT, visibility="link", share_token="to-be-read")


def hiding(run: Run, *hides: str) -> str:
    link_to(run, "-".join(("by", *hides)), hides=[*hides])
    return f"/fusion/shared/{'-'.join(('by', *hides))}"


def got(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode() + str(response.headers)


@pytest.mark.parametrize("part", [*PAGES, *FILES])
def test_without_names_nobody_is_named(run: Run, part: str) -> None:
    path = hiding(run, "costs", "models")
    html = got(path + part)
    assert not [name for name in NAMES if name in html]
    assert "reasons" in html
    if part != "/compare":
        assert "zebra" in got("/fusion/shared/to-be-read" + part)


def test_a_run_without_names_is_still_one_that_can_be_imported(run: Run) -> None:
    body = Client().get(hiding(run, "models") + "/export?format=json").content
    [shape] = read(body).runs
    assert [one["model"] for one in shape.spec["panel"]] == ["model A", "model B", "model C"]


@pytest.mark.parametrize("part", [*PAGES, *FILES])
def test_without_the_prompt_nobody_is_told_what_was_asked(run: Run, part: str) -> None:
    html = got(hiding(run, "prompt") + part)
    assert "quagga" not in html and "the question is not shown" in html


@pytest.fixture
def looked_up(alice: User) -> Run:
    """Its question is not shown, and what was searched for and attached would say it."""
    story = researched(Story(named()).whole())
    story.tell(EventType.RESEARCH_SEARCHED, query="quagga cost", engine="SearXNG", found=[],
               failure="SearXNG cannot be reached.")  # fmt: skip
    for source in story.state.research["sources"]:
        source |= {"query": "quagga comeback", "title": f"Of the quagga: {source['title']}"}
    for search in story.state.research["searches"]:
        search["query"] = search["query"].replace("elbe", "quagga")
    for call in story.state.calls.values():
        call.citations = [one | {"title": "Quaggas, the quagga"} for one in call.citations]
    file = {"name": "quagga.pdf", "type": "application/pdf", "given": "text"}
    story.state.calls["panel-0-1"].files = [file]
    story.state.calls["panel-1-1"].files = [file | {"given": "not_given", "why": "it is broken"}]
    run = story.save(alice, prompt=PROMPT, visibility="link", share_token="to-be-read")
    before = Story().whole().save(alice)
    Run.objects.filter(pk=run.pk).update(follows=before)
    kept = File.objects.create(hash="a" * 64, type="application/pdf", size=9)
    RunFile.objects.create(run=run, file=kept, name="quagga.pdf", number=1)
    return run


@pytest.mark.parametrize("part", [*PAGES, *FILES])
def test_without_the_prompt_no_search_title_or_file_says_it(looked_up: Run, part: str) -> None:
    html = got(hiding(looked_up, "prompt") + part)
    assert "quagga" not in html
    assert "uagga" not in html
    if "compare" not in part:
        assert ELBE in html, "what was read is told"
        assert "quagga.pdf" in got("/fusion/shared/to-be-read" + part)


async def test_nor_do_frames(looked_up: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(looked_up.pk, Redis(), watches._render)
    watch.close()
    watch._spec = looked_up.frozen_spec
    watch._state = await database_sync_to_async(state_from_rows)(looked_up)
    told = {}
    for shown in (ALL._replace(prompt=False), ALL):
        watch._frames.begin_step()
        watch._make_fragments(shown)
        told[shown.prompt] = await watch.frame(Cursor(shown))
    assert "quagga" not in told[False] and "SearXNG cannot be reached." in told[False]
    assert "quagga comeback" not in told[True] and "quagga length" in told[True]


def test_costs_are_shown_where_the_link_shows_them(run: Run) -> None:
    assert "Receipt" not in got(hiding(run, "costs"))
    html = got(hiding(run))
    assert "Receipt" in html and "$" in html


def test_frames_name_nobody_either(run: Run) -> None:
    spec, state = run.frozen_spec, state_from_rows(run)
    unnamed = Unnamed(spec)
    shown = run_context(unnamed.spec, unnamed.state(state), show_costs=True, show_notes=False)
    told = str(run_fragments(shown))
    assert not [name for name in NAMES if name in told]
    assert "zebra" in str(run_fragments(run_context(spec, state, show_costs=False)))


def test_what_comes_of_the_run_is_the_same_without_names(run: Run) -> None:
    """No text, no state and no letter changes with them."""
    spec, state = run.frozen_spec, state_from_rows(run)
    without = Unnamed(spec).state(state)
    assert without.calls.keys() == state.calls.keys()
    for key, call in without.calls.items():
        own = state.calls[key]
        assert (call.text, call.status, call.reason) == (own.text, own.status, own.reason)
        assert (call.usage, call.cost) == (own.usage, own.cost)


def test_which_run_paid_for_an_answer_is_told_to_its_owner_alone(
    client: Client, alice: User, bob: User
) -> None:
    paid = Story(named()).whole().save(alice)
    read = {}
    for reader, visibility in ((alice, "private"), (bob, "team"), (None, "link")):
        run = Story(named()).whole().save(alice, visibility=visibility)
        run.calls.filter(key="panel-0-1").update(taken_from=f"{paid.pk}/panel-0-1", cause="taken")
        client.logout()
        if reader:
            client.force_login(reader)
        else:
            link_to(run, "with-costs", hides=[])
        place = f"runs/{run.pk}" if reader else "shared/with-costs"
        pages = [client.get(f"/fusion/{place}{end}").content.decode() for end in ("", *FILES)]
        assert "taken over from" in pages[0]
        read[visibility] = [str(paid.pk) in page for page in pages]
    nowhere = [False] * 4
    assert read == {"private": [True, True, False, False], "team": nowhere, "link": nowhere}
    # What a page that is open is sent, by the same.
    linked = ALL._replace(inner=False)
    sent = watches._render(run.frozen_spec, state_from_rows(run), linked, "", SeatFragments())
    assert "taken over from" in sent["receipt"] and str(paid.pk) not in sent["receipt"]
