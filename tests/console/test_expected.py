"""What a fusion, a rewrite and a whole run are expected to cost and take."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from console.engine.spec import Spec
from console.engine.usage import Price, Usage, about_money
from console.models import Call, Run
from console.models.runs import Origin
from console.services.expected import (
    NOTHING,
    Expected,
    expected_fusion,
    expected_rewrite,
)
from console.services.habits import Used, habits
from tests.console.story import Story, a_spec

PRICE = Price(Decimal(10), Decimal(20))
FREE = Price(Decimal(0), Decimal(0))


def priced(price: Price | None = PRICE, **options: object) -> Spec:
    spec = a_spec()
    panel = tuple(replace(p, price=price) for p in spec.panel)
    return replace(spec, panel=panel, judge=replace(spec.judge, price=price, **options))  # type: ignore[arg-type]


def answered(spec: Spec) -> Story:
    story = Story(spec).begin()
    for seat in range(len(spec.panel)):
        story.answer(seat, "An answer.")
    return story


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("0.0312", "$0.031"),
        ("0.0299", "$0.03"),
        ("0.1", "$0.10"),
        ("0.126", "$0.13"),
        ("1.5", "$1.50"),
        ("9.996", "$10.00"),
        ("12.4", "$12"),
        ("1234.5", "$1,235"),
        ("0.00042", "$0.00042"),
        ("0.00001", "<$0.0001"),
    ],
)
def test_what_is_only_expected_has_two_figures(amount: str, told: str) -> None:
    assert about_money(Decimal(amount)) == told


@pytest.mark.parametrize(
    ("low", "high", "seconds", "told"),
    [
        ("0.03", "0.031", 14.2, "≈ $0.031 · 14 s"),
        ("0.02", "0.05", 14.2, "$0.02–0.05 · 14 s"),
        ("0.02", "0.03", None, "≈ $0.025"),
        ("0", "0", 3, "$0 · 3 s"),
        ("0", "0", 0, "$0"),
        ("0.5", "0.6", 0.2, "≈ $0.55 · 1 s"),
        ("0.5", "0.6", 125, "≈ $0.55 · 2 min"),
        (None, None, 14, "price not known · 14 s"),
        (None, None, None, "price not known"),
    ],
)
def test_it_is_told_in_few_words(
    low: str | None, high: str | None, seconds: float | None, told: str
) -> None:
    least, most = (None if amount is None else Decimal(amount) for amount in (low, high))
    assert Expected(least, most, seconds).words == told


def test_a_fusion_is_judge_and_writer_and_a_rewrite_the_writer_alone() -> None:
    story = answered(priced())
    fusion = expected_fusion(story.spec, story.state, "Why?", {})
    rewrite = expected_rewrite(story.spec, story.state, "Why?", {})
    assert fusion.low and rewrite.low and fusion.high and rewrite.high
    assert 0 < rewrite.low < fusion.low and rewrite.high < fusion.high
    assert fusion.low < fusion.high
    fewer = expected_fusion(story.spec, story.state, "Why?", {}, seats=[0, 1])
    assert fewer.low and fewer.low < fusion.low, "an answer less to read"
    alone = expected_fusion(story.spec, story.state, "Why?", {}, seats=[0])
    assert alone.low and alone.low < fewer.low, "one answer is not judged"


def test_what_went_with_the_question_is_read_again() -> None:
    story = answered(priced())
    plain = expected_fusion(story.spec, story.state, "Why?", {})
    for call in story.state.calls.values():
        call.usage = Usage(8000, call.usage.output_tokens)
    attached = expected_fusion(story.spec, story.state, "Why?", {})
    assert plain.low and attached.low and attached.low - plain.low > Decimal(2 * 7500) / 100_000


@pytest.mark.django_db
def test_a_price_that_nobody_knows_makes_the_whole_unknown() -> None:
    story = answered(priced())
    judge = replace(story.spec.judge, credential="gone", price=None)
    whole = expected_fusion(story.spec, story.state, "Why?", {}, judge=judge)
    assert (whole.low, whole.high, whole.cost) == (None, None, "")
    assert "price not known" in whole.words


def test_what_is_free_costs_nothing_and_words_are_asked_of_nobody() -> None:
    story = answered(priced(FREE))
    assert expected_fusion(story.spec, story.state, "Why?", {}).cost == "$0"
    by_words = answered(priced(judges=False))
    assert expected_fusion(by_words.spec, by_words.state, "Why?", {}) == NOTHING


def test_the_same_call_in_this_run_tells_more_than_any_other() -> None:
    story = Story(priced()).whole()
    again = expected_fusion(story.spec, story.state, "Why?", {})
    # Judge and writer used 212 and 1,184 tokens each.
    cost = 2 * (Decimal(212) * 10 + Decimal(1184) * 20) / 1_000_000
    assert (again.low, again.high) == (cost, cost)
    fewer = expected_fusion(story.spec, story.state, "Why?", {}, seats=[0, 1])
    assert fewer.low and fewer.low < cost
    other = replace(story.spec.judge, model="maker/omega", price=PRICE)
    assert expected_fusion(story.spec, story.state, "Why?", {}, writer=other).low != cost


def test_calls_of_this_site_narrow_it_and_say_how_long() -> None:
    story = answered(priced())
    who = (story.spec.judge.credential, story.spec.judge.model)
    known = {("analysis", *who): Used(500, 520, 8.0), ("synthesis", *who): Used(700, 720, 6.0)}
    fusion = expected_fusion(story.spec, story.state, "Why?", known)
    assert fusion.seconds == 14 and fusion.cost.startswith("≈")
    # Who never wrote here takes as long for a token as when it judged.
    judged = {("analysis", *who): Used(500, 500, 5.0)}
    guessed = expected_rewrite(story.spec, story.state, "Why?", judged).seconds
    assert guessed and guessed > 0
    assert expected_fusion(story.spec, story.state, "Why?", {}).seconds is None


def used_here(
    model: str, *tokens: int, seconds: float = 4, origin: str = Origin.PAGE, **fields: object
) -> None:
    run = Run.objects.create(prompt="?", messages=[], spec={}, preset_name="", origin=origin)
    sent = timezone.now()
    for number, count in enumerate(tokens, 1):
        Call.objects.create(
            **{
                "run": run,
                "key": f"panel-0-{number}",
                "step": "panel",
                "number": number,
                "cause": "first",
                "panelist": {"model": model, "credential": "openrouter"},
                "status": "completed",
                "usage": {"output_tokens": count},
                "sent_at": sent,
                "finished_at": sent + timedelta(seconds=seconds),
            }
            | fields
        )


@pytest.mark.database
@pytest.mark.django_db
def test_what_calls_used_is_read_of_the_finished_ones_of_each_model_and_step() -> None:
    cache.clear()
    used_here("a", 100, 200, 300, 400, 500)
    used_here("a", 9_000, 9_000, 9_000, step="synthesis")
    used_here("few", 100, 200)
    used_here("failed", 1, 2, 3, status="failed")
    used_here("sample", 1, 2, 3, origin=Origin.SAMPLE)
    used_here("uncounted", 1, 2, 3, usage={})
    assert habits() == {
        ("panel", "openrouter", "a"): Used(200, 400, 4.0),
        ("synthesis", "openrouter", "a"): Used(9_000, 9_000, 4.0),
    }
    cache.clear()
