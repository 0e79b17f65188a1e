"""What a page tells while a run goes on: who is waited for and can be left out, how fast it is
written and for how much, how long was thought, and what the tab says."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.events import EventType
from console.engine.state import Step, call_key
from console.engine.usage import Price
from console.fragments import run_context, run_figures, run_fragments
from console.fragments.sentences import in_title
from tests.console.story import Story, a_spec


def parts(story: Story, *, show_costs: bool = True) -> dict[str, str]:
    return run_fragments(run_context(story.spec, story.state, show_costs=show_costs))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


# ---- leaving out who is waited for ----


@pytest.mark.parametrize(
    ("said_by_c", "stop_after", "told"),
    [
        ("text", "", "Still writing, . The other 2 are in. C goes on either way"),
        ("thoughts", "", "Still thinking, . The other 2 are in. C goes on either way"),
        ("nothing", "", "No word yet, . The other 2 are in. If C begins yet, it goes on"),
        ("text", "panel", "Still writing, . The other 2 are in. C is ended, and what it has"),
    ],
)
def test_the_only_one_that_is_waited_for_is_left_out_at_the_end_of_its_own_text(
    said_by_c: str, stop_after: str, told: str
) -> None:
    story = Story(replace(a_spec(), stop_after=stop_after)).begin()
    story.answer(0, "One.").answer(1, "Two.")
    if said_by_c == "text":
        story.write(2, "Half")
    elif said_by_c == "thoughts":
        story.think(2, "Hm.")
    fragments = parts(story)
    act = "Go on" if stop_after else "Fuse"
    assert words(fragments["seat-2-waits"]).startswith(told)
    assert words(fragments["seat-2-waits"]).endswith(f"{act} without C")
    assert 'form="fuse-now-form"' in fragments["seat-2-waits"]
    assert fragments["seat-0-waits"] == fragments["seat-1-waits"] == ""
    assert 'data-offered="one"' in fragments["fuse-now"]


def test_several_are_left_out_at_the_head_alone() -> None:
    story = Story(replace(a_spec(), panel=(*a_spec().panel, *a_spec().panel)[:5])).begin()
    story.answer(0, "One.").answer(3, "Four.").write(1, "Half").think(4, "Hm.")
    fragments = parts(story)
    assert words(fragments["fuse-now"]) == "Fuse without B, C, E"
    assert 'data-offered="several"' in fragments["fuse-now"]
    assert {fragments[f"seat-{seat}-waits"] for seat in range(5)} == {""}


@pytest.mark.parametrize("case", ["no answer", "fused", "ended"])
def test_nobody_is_left_out_where_nobody_is_waited_for(case: str) -> None:
    story = Story().begin()
    if case == "no answer":
        story.write(2, "Half")
    elif case == "fused":
        story.answer(0, "One.").answer(1, "Two.").write(2, "Half")
        story.judge(without=[call_key(Step.PANEL, 2, 1)])
    else:
        story = Story().whole()
    fragments = parts(story)
    assert {fragments[f"seat-{seat}-waits"] for seat in range(3)} == {""}


@pytest.mark.django_db
def test_only_its_owner_finds_the_place_of_it(client: Client, alice: User, bob: User) -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").write(2, "Half")
    run = story.save(alice, visibility="team")
    for reader, finds in ((alice, True), (bob, False)):
        client.force_login(reader)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        assert ("Fuse without C" in html) is finds
        assert ('id="seat-2-waits"' in html) is finds


# ---- rate and cost ----

PRICE = Price(Decimal(3), Decimal("15.5"))


@pytest.mark.parametrize(
    ("price", "show_costs", "each"),
    [(PRICE, True, "0.0000155"), (None, True, ""), (PRICE, False, "")],
)
def test_while_a_seat_writes_its_rate_and_cost_are_made_from_its_count_of_tokens(
    price: Price | None, show_costs: bool, each: str
) -> None:
    spec = a_spec()
    panel = (replace(spec.panel[0], price=price), *spec.panel[1:])
    story = Story(replace(spec, panel=panel)).begin().wait(2).write(0, "Half of it. " * 40)
    head = parts(story, show_costs=show_costs)["seat-0-head"]
    assert 'data-rate-of="seat-0-tokens" data-from="1790000002.000"' in head
    assert re.findall(r'data-each="([^"]*)"', head) == ([each] if each else [])
    assert ("data-cost-of" in head) is bool(each)
    assert "≈" in run_figures(story.spec, story.state)["seat-0-tokens"]
    story.wait(8).answer(0)
    head = parts(story, show_costs=show_costs)["seat-0-head"]
    assert "data-rate-of" not in head and "data-cost-of" not in head
    assert "148 tok/s" in head and ">10 s<" in head
    assert 'title="First word after 2.0 s"' in head


def test_costs_are_in_nothing_that_who_has_the_link_is_sent() -> None:
    spec = a_spec()
    panel = tuple(replace(p, price=PRICE) for p in spec.panel)
    story = Story(replace(spec, panel=panel)).begin().write(0, "Half of it. " * 40)
    sent = [
        *parts(story, show_costs=False).values(),
        *run_figures(story.spec, story.state).values(),
    ]
    assert not any("$" in piece or "0.0000155" in piece for piece in sent)


# ---- thoughts ----


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(12.4, "Thought for 12 s"), (3.21, "Thought for 3.2 s"), (75, "Thought for 75 s")]
    + [(130, "Thought for 2 min 10 s"), (0.2, "Reasoning")],
)
def test_thoughts_are_folded_under_how_long_they_took(seconds: float, said: str) -> None:
    story = Story().begin().wait(1).think(0, "Hm.")
    head = parts(story)["seat-0-note"]
    assert "Thinking" in head and 'data-since="1790000001.000" data-whole' in head
    story.wait(seconds).write(0, "So.")
    assert f"<summary>{said}</summary>" in parts(story)["seat-0-note"]
    story.wait(9).answer(0)
    assert f"<summary>{said}</summary>" in parts(story)["seat-0-note"]


def test_who_thought_to_its_end_and_said_nothing_thought_as_long() -> None:
    story = Story().begin().think(0, "Hm.").wait(7).fail(0)
    assert "<summary>Thought for 7.0 s</summary>" in parts(story)["seat-0-note"]


@pytest.mark.parametrize(
    ("events", "at"),
    [
        ([("think", "Hm.")], None),
        ([("think", "Hm."), ("write", "So.")], 1),
        ([("write", "So."), ("think", "Hm."), ("write", " And.")], 0),
        # What had come as text were thoughts: the text begins where they end.
        ([("write", "Hm."), ("recast", "")], None),
        ([("write", "Hm."), ("recast", ""), ("write", "So.")], 2),
        ([("write", "Hm."), ("recast", "So.")], 1),
    ],
)
def test_when_the_text_began_is_where_the_thoughts_had_their_end(
    events: list[tuple[str, str]], at: int | None
) -> None:
    story, key = Story().begin(), call_key(Step.PANEL, 0, 1)
    began = story.now
    for act, text in events:
        if act == "recast":
            story.tell(EventType.CALL_RECAST, key, text=text, reasoning="Hm.")
        else:
            getattr(story, act)(0, text)
        story.wait(1)
    assert story.state.calls[key].first_text_at == (None if at is None else began + at)


# ---- the tab ----


def test_the_title_says_how_far_the_run_is() -> None:
    story, told = Story(), []

    def look() -> None:
        word = in_title(story.spec, story.state)
        assert run_figures(story.spec, story.state)["in-title"] == word
        if word not in told:
            told.append(word)

    look()
    story.begin()
    look()
    for seat in range(3):
        story.answer(seat, "Yes.")
        look()
    story.judge()
    look()
    story.analyse().synthesise("So.")
    look()
    story.complete()
    look()
    assert told == ["Waiting", *(f"{n} of 3" for n in range(4)), "Analysis", "Fusing", "Ready"]


@pytest.mark.parametrize(
    ("end", "word"), [(EventType.RUN_FAILED, "Failed"), (EventType.RUN_CANCELLED, "Stopped")]
)
def test_the_title_says_that_it_ended_badly(end: EventType, word: str) -> None:
    story = Story().begin().tell(end)
    assert in_title(story.spec, story.state) == word


@pytest.mark.django_db
def test_of_a_run_that_has_ended_the_title_is_what_was_asked(client: Client, alice: User) -> None:
    client.force_login(alice)
    for story, begins in ((Story().begin().answer(0, "Yes."), "1 of 3 · "), (Story().whole(), "")):
        run = story.save(alice)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        assert f"<title>{begins}{run.prompt[:20]}" in html
