"""What a run will cost, said before it is sent: over runs of drawn lengths, and in what it says of
prices that nobody knows, of limits and of contexts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from statistics import median
from typing import Any

import pytest
from django.core.cache import cache as caches

from console.engine.calls.window import tokens_in
from console.engine.spec import Panelist, Research, Spec
from console.engine.state import Step
from console.engine.usage import Price
from console.fragments.quoted import quote_view
from console.models import Call, Fusion, Run
from console.money.shares import part
from console.record import rows
from console.services.estimates import usual_budget
from console.services.habits import History, Used, history, of_recent_calls
from console.services.quote import RunQuote, quote, quote_of, usually_at_most
from console.services.whole_calls import whole_calls
from tests import lengths
from tests.console.story import a_spec
from tests.lengths import Drawn, drawn

# 400 runs are carried out and half of them saved: nobody waits for a clock, but for a machine.
pytestmark = pytest.mark.timeout(900)
HISTORY, TRIED = 20, 20  # runs of each preset, 200 tried in all
NOTHING_KNOWN = History()


@cache
def tried(preset: int) -> tuple[Drawn, ...]:
    return tuple(drawn(preset, TRIED, seed=2))


def keep(runs: Iterable[Drawn]) -> None:
    """On record, as a worker would have saved them."""
    for one in runs:
        run = Run.objects.create(
            prompt=one.prompt, messages=[], spec=one.spec.to_dict(), preset=one.spec.preset,
            preset_name="", **rows.run_fields(one.state),
        )  # fmt: skip
        fusions = {
            number: rows.fusion_row(run.pk, one.state, fusion)
            for number, fusion in one.state.fusions.items()
        }
        Fusion.objects.bulk_create(fusions.values())
        calls = []
        for call in one.state.calls.values():
            row = rows.call_row(run.pk, call)
            row.fusion = fusions[call.fusion] if call.fusion else None
            calls.append(row)
        Call.objects.bulk_create(calls)


def of(run: Drawn, past: History) -> RunQuote:
    return quote(run.spec, tokens_in(run.prompt), past)


def held(quotes: list[tuple[RunQuote, Drawn]]) -> tuple[float, list[float]]:
    """(how many of the costs lie within, high / low of each)."""
    within, ratios = 0, []
    for said, run in quotes:
        assert said.low and said.high
        within += said.low <= run.cost <= said.high
        ratios.append(float(said.high / said.low))
    return within / len(quotes), ratios


def test_of_200_runs_that_nothing_is_known_of_nine_in_ten_cost_what_was_said() -> None:
    runs = [run for preset in lengths.PRESETS for run in tried(preset)]
    assert len(runs) == 200
    within, ratios = held([(of(run, NOTHING_KNOWN), run) for run in runs])
    assert within >= 0.9
    assert max(ratios) <= 10


def test_the_usual_budget_pays_for_each_of_them_and_every_share_for_its_call() -> None:
    runs = [run for preset in lengths.PRESETS for run in tried(preset)]
    for run in runs:
        said = of(run, NOTHING_KNOWN)
        budget = usual_budget(said.at_most, said.at_most, whole_calls(run.spec, [run.prompt]))
        usually = quote_of(run.spec, [run.prompt], NOTHING_KNOWN).at_most
        assert usually_at_most(run.spec, [run.prompt]) == usually
        assert budget and run.cost * 10**9 < budget.limit
        costs = [(call.cost or 0, part(call.step, call.seat)) for call in run.state.calls.values()]
        assert all(cost * 10**9 <= budget.shares[of_part] for cost, of_part in costs)


@pytest.mark.database
@pytest.mark.django_db
def test_after_20_runs_of_a_preset_it_is_said_more_closely() -> None:
    quotes = []
    for preset in lengths.PRESETS:
        Run.objects.all().delete()
        keep(drawn(preset, HISTORY, seed=1))
        past = of_recent_calls()
        for run in tried(preset):
            said = of(run, past)
            assert said.runs == HISTORY
            quotes.append((said, run))
    within, ratios = held(quotes)
    assert len(quotes) == 200
    assert 0.85 <= within <= 0.97
    assert median(ratios) <= 4


# ---- what it says ----

PRICE = Price(Decimal(10), Decimal(20))
FREE = Price(Decimal(0), Decimal(0))


def priced(price: Price | None = PRICE, *models: str, **options: object) -> Spec:
    spec = a_spec(*models)
    panel = tuple(replace(p, price=price) for p in spec.panel)
    judge = replace(spec.judge, price=price)
    return replace(spec, panel=panel, judge=judge, **options)  # type: ignore[arg-type]


def test_its_parts_add_up_to_the_whole_and_shares_to_one() -> None:
    said = quote(priced(), 100, NOTHING_KNOWN)
    assert [(part.role, part.name) for part in said.parts] == [
        *(("panel", "A"), ("panel", "B"), ("panel", "C")),
        *(("judge", "alpha"), ("writer", "alpha")),
    ]
    for end in (0, 1):
        parts = [said.of(role) for role in ("panel", "judge", "writer")]
        assert sum(part[end] or 0 for part in parts if part) == (said.low, said.high)[end]
    assert abs(sum(part.share or 0 for part in said.parts) - 1) < 0.01
    assert said.alone and said.alone.high and said.high and said.alone.high < said.high / 3


@pytest.mark.parametrize(
    ("stop", "roles"),
    [
        ("panel", {"panel"}),
        ("analysis", {"panel", "judge"}),
        ("", {"panel", "judge", "writer"}),
    ],
)
def test_it_ends_where_the_run_does(stop: str, roles: set[str]) -> None:
    said = quote(priced(stop_after=stop), 100, NOTHING_KNOWN)
    assert {part.role for part in said.parts} == roles


def test_one_answer_is_judged_by_nobody_and_words_are_asked_of_nobody() -> None:
    assert quote(priced(PRICE, "maker/alpha"), 100, NOTHING_KNOWN).of("judge") is None
    by_words = priced()
    by_words = replace(by_words, judge=replace(by_words.judge, judges=False))
    assert {part.role for part in quote(by_words, 100, NOTHING_KNOWN).parts} == {"panel"}


@pytest.mark.parametrize("unknown", ["judge", "seat", "both", "all"])
def test_a_price_that_nobody_knows_is_named_and_never_nothing(unknown: str) -> None:
    spec = priced(None if unknown == "all" else PRICE)
    if unknown in ("judge", "both"):
        spec = replace(spec, judge=Panelist("own/judge", "gone"))
    if unknown in ("seat", "both"):
        spec = replace(spec, panel=(*spec.panel[:2], Panelist("own/seat", "gone")))
    said = quote(spec, 100, NOTHING_KNOWN)
    assert (said.low, said.high) == (None, None) and not said.is_free
    named = {
        "judge": ["own/judge"],
        "seat": ["own/seat"],
        "both": ["own/seat", "own/judge"],
        "all": ["maker/alpha", "maker/beta", "maker/gamma"],
    }
    assert [who.model for who in said.unknown] == named[unknown]
    assert (said.known[0] > 0) == (unknown != "all")
    view = quote_view(said)
    assert view.cost == "Price not known"
    assert not re.search(r"\$0(\.0+)?(?![\d.])", view.notes[0])
    assert named[unknown][0].split("/")[1] in view.notes[0]


def test_what_is_free_is_called_so() -> None:
    said = quote(priced(FREE), 100, NOTHING_KNOWN)
    assert (said.low, said.high) == (0, 0) and quote_view(said).cost == "Free"
    assert not quote_view(said).parts and not quote_view(said).alone


@pytest.mark.parametrize("asked", [0, 10, 1_000, 100_000])
def test_a_longer_prompt_costs_more_and_is_known_more_closely(asked: int) -> None:
    said, longer = (quote(priced(), tokens, NOTHING_KNOWN) for tokens in (asked, asked * 2 + 500))
    assert said.low and said.high and longer.low and longer.high
    assert said.low < longer.low and said.high < longer.high
    assert longer.high / longer.low < said.high / said.low <= 10


def test_nobody_writes_more_than_the_limits_allow() -> None:
    free, limited = priced(), priced()
    limited = replace(limited, panel=tuple(replace(p, max_output_tokens=50) for p in limited.panel))
    most = quote(limited, 0, NOTHING_KNOWN).of("panel")
    assert most and most[1] == Decimal(50) * 20 * 3 / 1_000_000
    asks = replace(free, request={"max_output_tokens": 50})
    assert quote(asks, 0, NOTHING_KNOWN).high < quote(free, 0, NOTHING_KNOWN).high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("context", "asked", "fits"),
    [(None, 10**6, None), (200_000, 100, True), (8_000, 7_500, False), (200_000, 199_000, False)],
)
def test_it_says_whether_the_prompt_fits(context: int | None, asked: int, fits: bool) -> None:
    spec = priced()
    panel = (replace(spec.panel[0], context_length=context), *spec.panel[1:])
    said = quote(replace(spec, panel=panel), asked, NOTHING_KNOWN)
    assert [part.fits for part in said.parts][:2] == [fits, None]
    notes = quote_view(said).notes
    assert bool(notes) == (fits is False)
    if context and notes:
        assert notes == (f"Too long for A (alpha), which reads {context:,} tokens.",)


def test_what_calls_used_here_moves_it_and_says_how_long() -> None:
    spec = priced()
    who = spec.judge.credential, spec.judge.model
    habits = {("panel", c, m): Used(90, 110, 4.0, 100) for c, m in
              ((p.credential, p.model) for p in spec.panel)}  # fmt: skip
    habits |= {("analysis", *who): Used(400, 400, 8.0), ("synthesis", *who): Used(120, 120, 6.0)}
    said = quote(spec, 100, History(habits))
    usual = quote(spec, 100, NOTHING_KNOWN)
    assert said.high and usual.high and said.high < usual.high
    assert said.seconds == 18.0 and usual.seconds is None
    assert quote_view(said).took == "18 s"


def test_answers_from_elsewhere_cost_only_their_reading() -> None:
    spec = priced()
    with_one = replace(spec, panel=(*spec.panel, Panelist("", "", label="Mine", brought_by="")))
    said, more = (quote(with_one, 100, NOTHING_KNOWN, answers=[tokens]) for tokens in (10, 100_000))
    assert len(said.parts) == 5 and said.of("panel") == more.of("panel")
    judged, read = said.of("judge"), more.of("judge")
    assert judged and read and judged[0] and read[0] and read[0] > judged[0]
    texts = quote_of(with_one, ["Why?"], NOTHING_KNOWN, ["A text."])
    assert texts == quote(with_one, 1, NOTHING_KNOWN, answers=[2])


@pytest.mark.database
@pytest.mark.django_db
def test_runs_of_others_models_and_those_that_failed_or_were_not_counted_say_nothing() -> None:
    caches.clear()
    runs = [*drawn(8, 4, seed=1)]
    keep(runs)
    assert of(runs[0], history()).runs == 4
    assert of(tried(7)[0], history()).runs == 0
    harder = replace(runs[0].spec.panel[0], reasoning_effort="high")
    other = replace(runs[0].spec, panel=(harder, *runs[0].spec.panel[1:]))
    assert quote(other, 10, history()).runs == 0
    caches.clear()
    first, second = Run.objects.all()[:2]
    Run.objects.filter(pk=first.pk).update(status="failed")
    Call.objects.filter(run=second, step="synthesis").update(usage={})
    assert history().runs == {}, "two are too few"
    caches.clear()


def test_what_is_looked_up_on_the_web_is_in_it_with_the_judges_queries() -> None:
    spec = priced(PRICE, "maker/a", "maker/b")
    prompts = replace(spec.prompts, queries="Write queries.")
    searched = replace(spec, prompts=prompts, research=Research())
    without, said = (quote(one, 100, NOTHING_KNOWN) for one in (spec, searched))
    assert [part.role for part in said.parts] == ["panel", "panel", "judge", "judge", "writer"]
    # The panel, judge and writer each read 6,000 tokens more.
    read = [part for n, part in enumerate(said.parts) if n != 2]
    more = [(a.high or 0) - (b.high or 0) for a, b in zip(read, without.parts, strict=True)]
    assert more == [Decimal(6000) * PRICE.input / 1_000_000] * 4
    assert quote(replace(searched, stop_after="panel"), 100, NOTHING_KNOWN).of("judge")


def test_what_is_doubtful_and_looked_up_before_the_writing_is_in_it(settings: Any) -> None:
    settings.SEARCH_ENGINES = {"brave": ("key", "")}
    spec = replace(priced(PRICE, "maker/a", "maker/b"), research=Research(queries=3))
    wished = replace(spec, research=Research(queries=3, claims=True))
    without, said = (quote(one, 100, NOTHING_KNOWN) for one in (spec, wished))
    steps = [part.step for part in said.parts]
    steps.remove(Step.LOOKUP)
    assert steps == [part.step for part in without.parts]
    (looks,) = (part for part in said.parts if part.step is Step.LOOKUP)
    # At most four claims, for each of which the judge reads 6,000 tokens and writes 1,500.
    assert looks.low and looks.high and 0 < looks.low < looks.high
    most = 4 * (6_200 * PRICE.input + 1_500 * PRICE.output) / 1_000_000
    assert looks.high <= most and looks.role == "judge"
    assert said.web == (Decimal("0.005"), Decimal("0.075"))  # and twelve searches
    usually = quote_of(wished, ["Why?"], NOTHING_KNOWN, ["A text."]).at_most
    assert usually_at_most(wished, ["Why?"], ["A text."]) == usually and usually.web
    alone = replace(wished, stop_after="analysis")
    assert all(p.step is not Step.LOOKUP for p in quote(alone, 100, NOTHING_KNOWN).parts)


def test_what_the_engine_costs_is_in_it_and_of_a_model_that_searches_itself_at_its_high_end(
    settings: Any,
) -> None:
    settings.SEARCH_ENGINES = {"brave": ("key", "")}
    spec = replace(priced(PRICE, "maker/a", "maker/b"), research=Research(queries=3))
    said, free = quote(spec, 100, NOTHING_KNOWN), quote_with(settings, spec, brave=Decimal(0))
    assert said.web == (Decimal("0.005"), Decimal("0.015")) and free.web is None
    assert said.low and said.high and free.low and free.high
    assert (said.low - free.low, said.high - free.high) == said.web
    assert ("web", "$0.005–0.015") in quote_view(said).parts
    assert "web" not in dict(quote_view(free).parts)
    online = quote(priced(PRICE, "maker/a:online", "maker/b"), 100, NOTHING_KNOWN)
    plain = quote(priced(PRICE, "maker/a", "maker/b"), 100, NOTHING_KNOWN)
    assert online.low == plain.low
    searching = sum(part.who.model.endswith(":online") for part in online.parts)
    assert (online.high or 0) - (plain.high or 0) == searching * Decimal("0.05") > 0


def quote_with(settings: Any, spec: Spec, **prices: Decimal) -> RunQuote:
    settings.SEARCH_PRICES = settings.SEARCH_PRICES | prices
    try:
        return quote(spec, 100, NOTHING_KNOWN)
    finally:
        settings.SEARCH_PRICES = settings.SEARCH_PRICES | {"brave": Decimal("0.005")}


def test_a_seat_that_looks_up_by_itself_costs_the_turns_that_it_takes() -> None:
    spec = priced(PRICE, "maker/a", "maker/b")
    own = replace(spec, research=Research(way="own"))
    without, said = (quote(one, 100, NOTHING_KNOWN) for one in (spec, own))
    # It reads its question three times, the tools with it, and what was found once and a half.
    more = (said.parts[0].high or 0) - (without.parts[0].high or 0)
    read = 2 * 100 + 3 * 450 + Decimal("1.5") * 12_000
    assert more >= read * PRICE.input / 1_000_000
    assert [part.role for part in said.parts] == ["panel", "panel", "judge", "writer"]
    # For who cannot the judge writes queries.
    seats = (replace(own.panel[0], takes_tools=False), own.panel[1])
    prompts = replace(spec.prompts, queries="Write queries.")
    mixed = quote(replace(own, panel=seats, prompts=prompts), 100, NOTHING_KNOWN)
    assert [part.role for part in mixed.parts] == ["panel", "panel", "judge", "judge", "writer"]
    theirs = replace(
        spec,
        panel=tuple(replace(p, searches=True) for p in spec.panel),
        research=Research(way="provider"),
    )
    found = quote(theirs, 100, NOTHING_KNOWN).parts[0]
    assert (found.low or 0) > (without.parts[0].low or 0) + Decimal("0.024")
