"""The parts of a page that change: what they say in every state of a run."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.catalog.seed_data import FRONTIER_OUTPUT_TOKENS
from console.engine.errors import SENTENCES, Reason
from console.engine.events import EventType
from console.engine.spec import Panelist
from console.engine.state import Step, call_key
from console.engine.usage import Price, money
from console.fragments import figures, run_context, run_fragments, run_texts

from .story import ANALYSIS, Story, a_spec


def parts(story: Story, show_costs: bool = True, note: str = "") -> dict[str, str]:
    return run_fragments(run_context(story.spec, story.state, show_costs=show_costs, note=note))


def test_a_mark_names_answers_that_were_fused_and_no_seat_that_came_later() -> None:
    story = Story().begin().answer(0, "Yes.").answer(1, "No.").fail(2)
    story.judge().analyse().synthesise("Wet [^A]. Cold [^C].").complete()
    shown = run_texts(story.spec, story.state)["fused"]
    assert 'data-seat="0"' in shown and shown.endswith("Cold.</p>\n")
    assert 'data-seat="2"' not in shown


def test_a_page_loaded_from_rows_holds_what_the_socket_would_send(
    client: Client, alice: User, bob: User
) -> None:
    stories = [
        Story(),
        Story().begin(),
        Story().begin().wait(1).write(0, "Half a").think(1, "Hm."),
        Story().begin().answer(0, "Yes.").fail(1).answer(2, "No.").judge(),
        Story().whole("- a\n- list", "Done."),
        Story().begin().answer(0, "Yes.", citations=[{"url": "https://a.example/", "title": "A"}]),
    ]
    for story in stories:
        run = story.save(alice, status=story.state.status, visibility="team")
        client.force_login(bob)
        read = client.get(f"/fusion/runs/{run.pk}").content.decode()
        client.force_login(alice)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        for name, fragment in parts(story).items():
            assert f'id="{name}"' in html
            # By what stands in the map of its owner alone, they rule.
            assert fragment in (read if name == "analysis" else html), name
        for name, text in run_texts(story.spec, story.state).items():
            assert f'data-text="{name}"><div data-final>{text}</div>' in html


def test_the_status_is_a_short_sentence_that_ignores_tokens() -> None:
    story = Story()
    assert "Waiting for a worker" in parts(story)["run-status"]
    story.begin()
    before = parts(story)["run-status"]
    assert "Panel: 0 of 3 answered" in before
    assert parts(story.write(0, "Yes."))["run-status"] == before
    assert "Panel: 1 of 3 answered" in parts(story.answer(0))["run-status"]
    assert "Panel: 1 of 3 answered, 1 failed" in parts(story.fail(1))["run-status"]
    story.answer(2, "No.").judge()
    assert "Analysis: 2 answers being compared" in parts(story)["run-status"]
    assert "Fused answer:" in parts(story.analyse().synthesise("So."))["run-status"]
    assert "Done, from 2 of 3 answers" in parts(story.complete())["run-status"]


def test_text_that_arrives_changes_the_head_of_its_own_seat_only() -> None:
    story = Story().begin().write(0, "One")
    before = parts(story)
    after = parts(story.write(0, " two three"))
    assert {name for name in after if after[name] != before[name]} == {"seat-0-head"}
    assert "≈ 3 tok" in after["seat-0-head"]


@pytest.mark.parametrize(
    ("characters", "counted", "told"),
    [
        (1, 0, "≈ 1 tok"),
        (39, 0, "≈ 9 tok"),
        (40, 0, "≈ 10 tok"),
        (55, 0, "≈ 10 tok"),
        (399, 0, "≈ 95 tok"),
        (439, 0, "≈ 100 tok"),
        (440, 0, "≈ 110 tok"),
        (4_396, 0, "≈ 1,000 tok"),
        (49_999, 0, "≈ 12,000 tok"),
        (40, 1_234, "≈ 1,200 tok"),
    ],
)
def test_an_estimate_has_two_figures(characters: int, counted: int, told: str) -> None:
    assert figures.estimated_tokens(characters, counted) == told


def test_seconds_run_in_the_browser_only() -> None:
    story = Story(began=1_790_000_000.25).begin()
    assert 'data-since="1790000000.250"' in parts(story)["phases"]
    assert parts(story) == parts(story.wait(10))
    assert "data-since" not in parts(Story().whole())["phases"]


def test_the_days_a_run_lay_finished_are_no_seconds_of_its_own() -> None:
    story = Story(began=1_790_000_000.0).whole()  # panel 4 s, whole run 9.8 s
    story.wait(86_400).tell(EventType.RUN_STARTED, attempt=2).ask(1, 2, "asked")
    running = parts(story)["phases"]
    assert f'data-since="{story.now - 4:.3f}"' in running
    assert f'data-since="{story.now - 9.8:.3f}"' in running
    done = parts(story.wait(2).answer(1, "New.", 2).tell(EventType.RUN_COMPLETED))["phases"]
    assert "6.0 s" in done and "11.8 s" in done and "min" not in done


def test_who_may_not_see_money_is_not_sent_any() -> None:
    fragments = parts(Story().whole(), show_costs=False)
    assert "receipt" not in fragments
    assert not any("$" in html for html in fragments.values())


def test_an_unknown_cost_is_a_dash_and_makes_the_total_a_floor() -> None:
    story = Story().begin().answer(0, "Yes.", cost=None).answer(1, "Yes.").answer(2, "Yes.")
    fragments = parts(story.judge().analyse().synthesise("So.").complete())
    assert "<dd>—</dd>" in fragments["seat-0-head"]
    assert "≥ $0.1248" in fragments["receipt"]
    assert "≥ $0.1248" in fragments["phases"]


def test_a_cost_computed_from_list_prices_is_marked() -> None:
    from dataclasses import replace

    spec = a_spec()
    priced = replace(spec.panel[0], price=Price(Decimal(3), Decimal(15)))
    story = Story(replace(spec, panel=(priced, *spec.panel[1:]))).begin()
    story.answer(0, "Yes.", cost=str((Decimal(212) * 3 + 1184 * 15) / 1_000_000))
    story.answer(1, "Yes.", cost="0.5")
    fragments = parts(story)
    assert "Computed from list prices" in fragments["seat-0-head"]
    assert "Computed from list prices" not in fragments["seat-1-head"]
    assert "computed from list prices" in fragments["receipt"]


@pytest.mark.parametrize(("source", "marked"), [("reported", False), ("computed", True)])
def test_a_cost_is_marked_by_who_said_it_and_not_by_how_it_adds_up(
    source: str, marked: bool
) -> None:
    price = Price(input=Decimal(1), output=Decimal(10))
    story = Story(replace(a_spec("a"), panel=(Panelist("a", "x", price=price),))).begin()
    by_list_price = str((212 * price.input + 1184 * price.output) / 1_000_000)
    for cost in (by_list_price, "0.5"):
        story.answer(0, "text", cost=cost, cost_source=source)
        html = run_fragments(run_context(story.spec, story.state, show_costs=True))
        assert ("est." in html["seat-0-head"]) is marked
        assert ("computed from list prices" in html["receipt"]) is marked


def test_a_total_that_nothing_explains_is_said_on_the_receipt() -> None:
    story = Story().begin()
    story.answer(0, "Yes.", usage={"input_tokens": 10, "output_tokens": 5, "reported_total": 515})
    story.answer(1, "Yes.", usage={"input_tokens": 10, "output_tokens": 5})
    receipt = parts(story)["receipt"]
    assert receipt.count("the total differs: 515") == 1
    assert "may be on its bill" in receipt
    assert "may be on its bill" not in parts(Story().whole())["receipt"]


def test_a_server_that_read_less_than_it_was_sent_is_said() -> None:
    cut = {"input_tokens": 4096, "output_tokens": 5, "sent_tokens": 8000}
    story = Story().begin()
    story.answer(0, "Yes.", usage=cut).answer(1, "Yes.").answer(2, "No.")
    story.judge().analyse(usage=cut).synthesise("Fused.").complete()
    fragments = parts(story)
    assert "read about half of what it was sent" in fragments["seat-0-head"]
    assert "read about" not in fragments["seat-1-head"]
    assert "server read about half of the answers" in fragments["run-badges"]


def test_the_map_shows_who_says_what() -> None:
    html = parts(Story().whole())["analysis"]
    assert html.count('data-mark="says otherwise"') == 1
    assert "C says otherwise" in html
    # consensus 3, contradiction 2, partial 2, insight 1
    assert html.count('data-mark="says so"') == 8
    assert "Not this year." in html


def test_only_judged_seats_have_a_column_in_the_map() -> None:
    story = Story().begin().answer(0, "Yes.").fail(1).answer(2, "No.").judge()
    html = parts(story.analyse({"consensus": [{"claim": "It is so", "seats": [0, 2]}]}))["analysis"]
    assert 'data-seat="1"' not in html
    assert html.count('data-mark="says so"') == 2


@pytest.mark.parametrize(
    ("data", "mark"),
    [
        ({"finish_reason": "length"}, "cut at its token limit"),
        ({"finish_reason": None}, "ended without a finish mark"),
    ],
)
def test_an_answer_that_only_looks_whole_is_marked(data: dict[str, str], mark: str) -> None:
    assert mark in parts(Story().begin().answer(0, "Yes.", **data))["seat-0-head"]


def test_an_interrupted_seat_says_it_was_asked_again() -> None:
    story = Story().begin().write(0, "Half").tell(EventType.RUN_STARTED, attempt=2)
    fragments = parts(story.ask(0, number=2, cause="resume").answer(0, "Whole.", number=2))
    assert "interrupted and asked again" in fragments["seat-0-head"]
    assert "The worker was lost in mid-run" in fragments["run-notice"]


def test_a_seat_that_was_stopped_before_its_turn_waits_for_nothing() -> None:
    story = Story().tell(EventType.RUN_STARTED, attempt=1)
    assert 'data-state="waiting"' in parts(story)["seat-0-head"]
    story.ask(1).ask(2)  # the first one was stopped while all of it stood in the queue
    head = parts(story)["seat-0-head"]
    assert 'data-state="skipped"' in head and "not asked" in head
    assert 'data-state="waiting"' in parts(story)["seat-1-head"]


def test_what_a_silent_run_waits_for_is_said_until_it_ends() -> None:
    note = "The worker was lost."
    assert note in parts(Story().begin(), note=note)["run-notice"]
    assert note not in parts(Story().whole(), note=note)["run-notice"]


def test_a_concrete_model_is_named_where_it_is_another() -> None:
    story = Story().begin().answer(0, "Yes.", model="maker/alpha-2").answer(1, "Yes.", model="")
    assert "answered by maker/alpha-2" in parts(story)["seat-0-head"]
    assert "answered by" not in parts(story)["seat-1-head"]


def test_a_failed_run_gives_its_reason_and_no_promise() -> None:
    story = Story().begin().fail(0, Reason.DNS).fail(1).fail(2)
    story.tell(EventType.RUN_FAILED, reason="all_panels_failed", error="")
    fragments = parts(story)
    assert "No panelist gave a usable answer." in fragments["run-notice"]
    assert "There is no fused answer" in fragments["fused-note"]
    assert "goes on" not in "".join(fragments.values())


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "—"),
        ("0", "$0"),
        ("0.00001", "<$0.0001"),
        ("0.0312", "$0.0312"),
        ("1.5", "$1.5000"),
        ("12.345", "$12.35"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_money_is_as_fine_as_it_needs_to_be(amount: str | None, text: str) -> None:
    assert money(None if amount is None else Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(None, "—"), ("0", "—"), ("0.02", "≥ $0.0200"), ("0.00001", "≥ <$0.0001")]
)
def test_what_is_known_in_part_is_at_least_something(amount: str | None, text: str) -> None:
    assert money(None if amount is None else Decimal(amount), True) == text


FREE, PAID = {"input": "0", "output": "0"}, {"input": "1", "output": "2"}


@pytest.mark.parametrize(
    ("price", "total"),
    [(FREE, "$0"), (FREE | {"cached_input": "0"}, "$0"), (PAID, "—"), (None, "—")],
)
def test_what_breaks_off_where_nothing_is_charged_cost_nothing(
    price: dict[str, str] | None, total: str
) -> None:
    spec = a_spec("a", "b")
    panel = tuple(replace(p, price=Price.from_dict(price)) for p in spec.panel)
    story = Story(replace(spec, panel=panel)).begin()
    story.write(0, "Broken ").fail(0, Reason.DISCONNECTED)
    story.write(1, "Broken ").fail(1, Reason.DISCONNECTED).tell(EventType.RUN_FAILED)
    state = story.state
    assert money(*state.cost()) == total
    receipt = run_context(story.spec, state, show_costs=True)["receipt"]
    assert receipt.total == total and {line.cost for line in receipt.lines} == {total}


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), (-0.2, "0.0 s"), (21.44, "21.4 s"), (125.0, "2 min 05 s")]
)
def test_seconds_become_minutes_when_there_are_many(value: float | None, text: str) -> None:
    assert figures.seconds(value) == text


def test_a_fallback_goes_by_its_own_name() -> None:
    story = Story().begin().fail(0, Reason.UNAUTHORIZED)
    story.tell(
        EventType.CALL_ADDED,
        call_key(Step.PANEL, 0, 2),
        step="panel",
        seat=0,
        number=2,
        cause="fallback",
        panelist={"model": "maker/spare", "credential": "openrouter"},
    )
    head = parts(story.answer(0, "Instead.", number=2))["seat-0-head"]
    assert "spare" in head and "fallback for alpha" in head


def test_an_answer_that_stands_in_is_plainly_labelled() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").answer(2, "Three.")
    story.judge().analyse().synthesise("Half of")
    story.tell(
        EventType.CALL_FAILED,
        call_key(Step.SYNTHESIS, 1, 1),
        1,
        reason=Reason.STALLED.value,
        error=SENTENCES[Reason.STALLED],
        best=call_key(Step.PANEL, 1, 1),
    )
    story.tell(EventType.RUN_COMPLETED, reason="synthesis_failed", error="B stands in.")
    fragments = parts(story)
    assert "Best single answer" in fragments["fused-head"] and "B · beta" in fragments["fused-head"]
    assert 'data-state="done"' in fragments["fused-head"]  # it comes first on a phone
    assert "Two." in fragments["fused-head"]  # what Copy copies
    assert "B stands in." in fragments["run-notice"]
    assert "Best single answer" in fragments["run-badges"]
    assert "Two." in run_texts(story.spec, story.state)["fused"]


def test_a_fused_answer_that_does_not_know_every_answer_says_so() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").fail(2).judge().analyse()
    story.synthesise("Fused.").complete()
    assert "without" not in parts(story)["fused-note"]
    story.ask(2, number=2, cause="asked").answer(2, "Three, at last.", number=2)
    story.ask(1, number=2, cause="asked").answer(1, "Two, better.", number=2)
    story.tell(EventType.RUN_COMPLETED)
    fragments = parts(story)
    said = "Written from A, without the answers of B and C."
    assert said in fragments["fused-note"]
    assert "Done, from 2 of 3 answers" in fragments["run-status"]


def test_who_stood_in_for_seat_judge_and_synthesizer_is_named_and_who_failed_too() -> None:
    spare = {"model": "maker/spare", "credential": "openrouter"}
    story = Story().begin().fail(0, Reason.UNAUTHORIZED).answer(1, "Two.").answer(2, "Three.")
    again = {"number": 2, "cause": "fallback", "panelist": spare}
    story.tell(EventType.CALL_ADDED, call_key(Step.PANEL, 0, 2), step="panel", seat=0, **again)
    story.answer(0, "One, instead.", number=2).judge()
    broken = {"reason": Reason.UPSTREAM_ERROR.value, "error": "It broke.", "final": False}
    first = call_key(Step.ANALYSIS, 1, 1)
    story.tell(EventType.CALL_FAILED, first, 1, **broken)
    story.tell(EventType.CALL_RETRYING, first, 1, retry_at=story.now, cause="fallback")
    assert "It broke. Its fallback is asked next." in parts(story)["analysis"]
    second = call_key(Step.ANALYSIS, 1, 2)
    story.tell(EventType.CALL_ADDED, second, 1, step="analysis", **again)
    assert "spare is comparing 3 answers" in parts(story)["analysis"]
    story.tell(EventType.CALL_COMPLETED, second, 1, analysis=ANALYSIS)
    story.synthesise()
    story.tell(EventType.CALL_FAILED, call_key(Step.SYNTHESIS, 1, 1), 1, **broken)
    third = call_key(Step.SYNTHESIS, 1, 2)
    story.tell(EventType.CALL_ADDED, third, 1, step="synthesis", **again)
    assert "spare is reading the answers" in parts(story)["fused-note"]
    key = call_key(Step.SYNTHESIS, 1, 2)
    story.tell(EventType.CALL_DELTA, key, 1, text="Fused.")
    story.tell(EventType.CALL_COMPLETED, key, 1)
    story.tell(EventType.RUN_COMPLETED)
    fragments = parts(story)
    assert "by spare" in fragments["analysis"]
    assert "written by spare" in " ".join(fragments["fused-head"].split())
    rows = re.findall(r'scope="row">(.*?)</th>', fragments["receipt"], re.DOTALL)
    lines = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in rows]
    assert lines[:2] == ["A alpha · failed", "A spare"]


def test_a_columns_head_tells_what_is_asked_of_its_seat_beyond_the_usual() -> None:
    spec = a_spec("maker/alpha", "maker/beta")
    spare = Panelist("maker/spare", "openrouter", system_prompt="Be brief.")
    asked = replace(
        spec.panel[0],
        temperature=0.2,
        reasoning_effort="low",
        max_output_tokens=1200,
        system_prompt="Be brief. <b>",
        fallback=spare,
    )
    usual = replace(spec.panel[1], max_output_tokens=FRONTIER_OUTPUT_TOKENS)
    story = Story(replace(spec, panel=(asked, usual)))
    head = parts(story)["seat-0-head"]
    assert (
        "temperature 0.2 · reasoning effort low · at most 1,200 tokens · own system prompt"
        " · fallback spare" in head
    )
    assert "Be brief" not in head  # a public link shows answers, not how they were asked for
    assert "seat-asked" not in parts(story)["seat-1-head"]
