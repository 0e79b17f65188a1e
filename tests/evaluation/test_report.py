"""The book and the report over results made by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.engine.wait_for import EVERYONE
from console.evaluation.arms import (
    PRESET,
    SAME_MODEL,
    SOLO,
    WITH_RESEARCH,
    same_model_spec,
    samples_bought,
    samples_spec,
    solos_of,
)
from console.evaluation.book import BEST, OTHER_RESEARCH, Book, PairOutcome
from console.evaluation.report import as_table, make_report
from console.evaluation.spending import LimitReached, SpendingLimits, Spent, spent
from console.evaluation.tasks import Criterion, Grader, Task

EXACT = Task("sum", "2+2?", Grader.EXACT, answers=("4",))
RUBRIC = Task("why", "Why?", Grader.RUBRIC, criteria=(Criterion("a", 3), Criterion("b", -1)))
PAIR = Task("poem", "A poem.", Grader.PAIRWISE)
SPEC = Spec(
    panel=(Panelist("alpha", "c", seed=5), Panelist("beta", "c")),
    judge=Panelist("judge", "c"),
    prompts=prompts.load(),
)
HEADER = {"evaluation": "e", "preset": "p", "grader": {"model": "grader"}}


def seat(answer: str, cost: str | None = "0.01", tokens: int = 10, seconds: float = 1.0) -> Any:
    bill = {"cost": cost, "cost_is_partial": False, "tokens": tokens, "seconds": seconds}
    return {"answer": answer, "error": "" if answer else "It failed.", "calls": 1, **bill}


def run(answer: str, *seats: Any, cost: str | None = "0.05") -> Any:
    return seat(answer, cost, 50, 4.0) | {"run": "r", "seats": list(seats), "calls": 4}


def judged(verdict: Any) -> Any:
    return seat("{}", "0.001") | {"run": "g", "seats": [], "verdict": verdict}


def whole_book() -> Book:
    """beta is right alone and is the best solo; the preset is right on both scored tasks."""
    steps = {
        Book.run_step(PRESET, EXACT): run("4", seat("5"), seat("4")),
        Book.run_step(PRESET, RUBRIC): run("fused", seat("", None), seat("plain")),
        Book.run_step(PRESET, PAIR): run("fused poem", seat("alpha poem"), seat("beta poem")),
        Book.grade_step(RUBRIC, "fused"): judged([True, False]),
        Book.grade_step(RUBRIC, "plain"): judged(None),
        Book.pair_step(PAIR, "fused poem", "alpha poem"): judged("1"),
        Book.pair_step(PAIR, "alpha poem", "fused poem"): judged("2"),
        Book.pair_step(PAIR, "fused poem", "beta poem"): judged("1"),
        Book.pair_step(PAIR, "beta poem", "fused poem"): judged("1"),
        BEST: {"seat": 1, "name": "beta"},
        Book.run_step(SAME_MODEL, EXACT): run("3", seat("4"), seat("3")),
        Book.run_step(SAME_MODEL, RUBRIC): run("plain", seat("plain"), seat("x")),
        Book.run_step(SAME_MODEL, PAIR): run("", seat(""), seat("")),
    }
    return Book([EXACT, RUBRIC, PAIR], SPEC, steps)


def test_every_arm_is_counted_with_what_failed_and_what_could_not_be_read() -> None:
    report = make_report(whole_book(), HEADER)
    preset, solo = report["arms"][PRESET], report["arms"][SOLO]
    assert (preset["answers"], preset["scored"], preset["mean_score"]) == (3, 2, 1.0)
    assert (solo["scored"], solo["unparsed"], solo["mean_score"]) == (1, 1, 1.0)
    assert report["solos"]["alpha"]["failed"] == 1
    assert report["solos"]["alpha"]["mean_score"] == 0.0  # a failed answer scores nothing
    assert report["arms"][SAME_MODEL]["failed"] == 1
    # Of the scored tasks: two runs of 5 cents for two points.
    assert preset["cost_per_point"] == 0.05 and preset["cost"] == 0.15
    assert report["best_solo"] == "beta"


def test_the_preset_s_wins_are_counted_and_unparsed_ones_are_neither() -> None:
    against = make_report(whole_book(), HEADER)["preset_against"]
    # exact: both right; rubric: beta's grade could not be read; pairwise: both orders said "1".
    assert {k: against[SOLO][k] for k in ("wins", "ties", "losses", "unparsed")} == {
        "wins": 0,
        "ties": 2,
        "losses": 0,
        "unparsed": 1,
    }
    assert against[SOLO]["win_rate"] == 0.5
    low, high = against[SOLO]["interval"]
    assert 0 < low < 0.5 < high < 1
    # exact: 4 beats 3; pairwise: any answer beats none.
    assert (against[SAME_MODEL]["wins"], against[SAME_MODEL]["unparsed"]) == (2, 1)


def test_what_research_changed_is_the_mean_of_its_differences_task_by_task() -> None:
    tasks = [replace(EXACT, id=f"sum-{n}") for n in range(4)]
    steps: Any = {OTHER_RESEARCH: {"arm": WITH_RESEARCH, "limits": {}}}
    for n, (without, with_it) in enumerate([("4", "4"), ("5", "4"), ("5", "4"), ("5", "5")]):
        steps[Book.run_step(PRESET, tasks[n])] = run(without, seat("5"), seat("5"))
        steps[Book.run_step(WITH_RESEARCH, tasks[n])] = run(with_it, seat("5"), seat("5"))
    report = make_report(Book(tasks, SPEC, steps), HEADER)
    found = report["research"]
    assert (found["scored"], found["difference"]) == (4, 0.5)
    # Of 0, 1, 1, 0: 0.5 ± 3.182 · 0.5774 / 2
    assert found["interval"] == pytest.approx([-0.4187, 1.0], abs=1e-3)
    assert report["preset_against"][WITH_RESEARCH]["losses"] == 2
    assert "Research changed the mean score by +0.500" in as_table(report)
    assert make_report(whole_book(), HEADER)["research"] is None


def test_judgements_are_all_counted_also_those_that_cannot_be_read() -> None:
    said = make_report(whole_book(), HEADER)["judgements"]
    assert (said["asked"], said["unparsed"]) == (6, 1)
    assert (said["pairs"], said["order_changed"]) == (2, 1)


def test_unknown_cost_is_never_counted_as_nothing() -> None:
    report = make_report(whole_book(), HEADER)
    assert report["solos"]["alpha"]["cost_is_partial"] is True
    assert report["solos"]["alpha"]["cost_per_point"] is None
    assert "≥ $0.0200" in as_table(report)


def test_an_unfinished_evaluation_reports_what_there_is() -> None:
    book = whole_book()
    steps = {k: v for k, v in book.steps.items() if "same model" not in k and k != BEST}
    report = make_report(Book(book.tasks, SPEC, steps), HEADER, stopped="4 calls are made.")
    assert report["complete"] is False and report["best_solo"] is None
    assert report["preset_against"][SOLO]["missing"] == 3
    assert report["preset_against"][SOLO]["interval"] == [0.0, 1.0]
    assert "Not complete: 4 calls are made." in as_table(report)
    make_report(Book(book.tasks, SPEC, {}), HEADER, stopped="nothing")


def test_at_matched_cost_the_solo_model_has_its_majority_and_pays_for_every_sample() -> None:
    book = whole_book()
    step = Book.sample_step(EXACT, 1)
    assert book.samples(EXACT).wanted == 5 and book.matched(EXACT) is None  # type: ignore[union-attr]
    with_samples = dict(book.steps) | {step: run("9", seat("9"), seat("9"))}
    matched = Book(book.tasks, SPEC, with_samples).matched(EXACT)
    # Its own 4, the panel's 4 and 3, then 9 and 9: the first of the most frequent.
    assert matched and (matched.text, matched.cost, matched.calls) == ("4", Decimal("0.05"), 5)


def test_at_matched_cost_the_grader_s_choice_is_paid_for_too() -> None:
    book = whole_book()
    answers = ["plain", "plain", "x", "y", "z"]
    more = {
        Book.sample_step(RUBRIC, 1): run("y", seat("y"), seat("z")),
        Book.select_step(RUBRIC, answers): judged(3),
    }
    matched = Book(book.tasks, SPEC, dict(book.steps) | more).matched(RUBRIC)
    assert matched and (matched.text, matched.cost) == ("y", Decimal("0.051"))
    more[Book.select_step(RUBRIC, answers)] = judged(None)
    unread = Book(book.tasks, SPEC, dict(book.steps) | more)
    assert unread.matched(RUBRIC).text == "plain"  # type: ignore[union-attr]
    assert make_report(unread, HEADER)["judgements"]["unparsed"] == 2


@pytest.mark.parametrize(
    ("figures", "bought"),
    [
        ((Decimal("0.05"), Decimal("0.01"), 1, 1), (5, "cost")),
        ((Decimal("0.01"), Decimal("0.05"), 9, 1), (1, "cost")),
        ((Decimal(0), Decimal(0), 450, 100), (4, "output tokens")),
        ((None, Decimal("0.01"), 450, 100), (4, "output tokens")),
        ((Decimal(9), Decimal("0.01"), 1, 1), (32, "cost")),
    ],
)
def test_samples_are_matched_by_cost_and_by_tokens_where_it_is_nothing(
    figures: Any, bought: tuple[int, str]
) -> None:
    assert samples_bought(*figures) == bought
    assert samples_bought(None, None, None, None)[0] == 1


def test_a_model_that_sits_twice_is_one_solo() -> None:
    twice = Spec(
        panel=(Panelist("a", "c", seed=1), Panelist("b", "c"), Panelist("a", "c", seed=2)),
        judge=Panelist("j", "c"),
        prompts=prompts.load(),
    )
    assert [s.seat for s in solos_of(twice)] == [0, 1]


def test_samples_have_seeds_of_their_own_and_every_seat_is_waited_for() -> None:
    same = same_model_spec(SPEC, SPEC.panel[0])
    further = samples_spec(SPEC, SPEC.panel[0], 20, after=3)
    assert [p.seed for p in same.panel] == [6, 7]
    assert [p.seed for p in further.panel] == [9, 10, 11, 12, 13, 14, 15, 16]
    assert (further.stop_after, same.stop_after) == ("panel", "")
    assert same.judge == SPEC.judge
    assert {same.policy.wait_for, further.policy.wait_for} == {EVERYONE}
    assert further.policy.panel_timeout == further.policy.total_timeout == 900


def test_equal_answers_tie_without_being_asked_about() -> None:
    book = Book([PAIR], SPEC, {})
    assert book.unasked_orders(PAIR, "same", "same") == []
    assert book.outcome(PAIR, "same", "same") is PairOutcome.TIE
    assert book.outcome(PAIR, "", "") is PairOutcome.TIE
    assert book.outcome(PAIR, "", "some") is PairOutcome.LOSS
    assert len(book.unasked_orders(PAIR, "one", "two")) == 2


def test_limits_stop_before_the_step_that_would_break_them() -> None:
    so_far = Spent(Decimal("0.30"), 2, 10)
    SpendingLimits().check(so_far, calls=99, under_way=99)
    SpendingLimits(Decimal("0.31"), 14).check(so_far, calls=3, under_way=1)
    with pytest.raises(LimitReached, match=r"\$0\.3000 are spent, of at most \$0\.3"):
        SpendingLimits(Decimal("0.3")).check(so_far, calls=1, under_way=0)
    with pytest.raises(LimitReached, match="11 calls are made, of at most 13"):
        SpendingLimits(max_calls=13).check(so_far, calls=3, under_way=1)


def test_spending_counts_every_step_once_and_says_what_is_unknown() -> None:
    steps = {"a": run("x", cost="0.5"), "b": run("y", cost=None), BEST: {"seat": 1}}
    assert spent(steps) == Spent(Decimal("0.5"), 1, 8)
