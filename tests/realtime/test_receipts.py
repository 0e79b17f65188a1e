"""A run's receipt beside the upstream's own books: equal to the token where it told what it
counted, marked and near where it told nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.engine.usage import Price
from console.models import Credential, Hold, Run, Window
from console.money.receipt import PaidCall, receipt_of
from console.providers.secret import Secret
from console.services import runs as services
from console.services.fusions import run_fuse
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.prose import words
from tests.realtime.conftest import PATIENT
from tests.realtime.test_run_way import in_background, rows, wait_for
from tests.upstream import Script, Upstream
from tests.upstream.book import Book, Counted

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

PRICE = Price(Decimal(3), Decimal(15), Decimal("0.3"))
PROMPT = words(900, of="asked")
LONG = words(600)
# An OpenAI-like server's words for what it counted.
CACHED = {
    "prompt_tokens": 2_013,
    "completion_tokens": 311,
    "prompt_tokens_details": {"cached_tokens": 1_537},
}
THOUGHT = {
    "prompt_tokens": 1_999,
    "completion_tokens": 4_007,
    "completion_tokens_details": {"reasoning_tokens": 3_811},
}
SEARCHED = {
    "prompt_tokens": 6_151,
    "completion_tokens": 287,
    "server_tool_use_details": {"web_search_requests": 3},
    "citation_tokens": 907,
    "cost": 0.07713,
}
ANTHROPICS = {
    "input_tokens": 401,
    "cache_read_input_tokens": 1_603,
    "cache_creation_input_tokens": 97,
    "output_tokens": 219,
}


def start(*models: str, **more: Any) -> Run:
    def who(model: str) -> Panelist:
        slug = "claude" if model == "anthropics" else "test"
        return Panelist(model, slug, price=PRICE, max_output_tokens=4_096, limit_is_chosen=True)

    spec = Spec(
        panel=tuple(map(who, models)),
        judge=who("judge"),
        synthesizer=who("writer"),
        prompts=prompts.load(),
        policy=PATIENT,
    )
    owner = User.objects.get_or_create(username="alice")[0]
    return services.run_start(owner=owner, prompt=PROMPT, spec=spec, **more)


@pytest.fixture
def book(upstream: Upstream, credential: Credential) -> Book:
    claude = Credential(slug="claude", name="Claude", kind="anthropic", base_url=upstream.url)
    claude.secret = Secret("sk-ant-api03-of-a-test")
    claude.save()
    book = Book(upstream)
    told = {"prompt_tokens": 3_301, "completion_tokens": 517}
    book.opened("judge", Script(usage=told))
    book.opened("writer", Script(text="Fused.", usage=told | {"cost": 0.0221}))
    return book


def beside(run: Run, book: Book) -> list[tuple[PaidCall, Counted]]:
    """Each line with what the upstream has of it; both have every call that went out."""
    lines: dict[str, list[PaidCall]] = defaultdict(list)
    for line in receipt_of(run, rows(run)):
        if line.held is not None:
            lines[line.model].append(line)
    counted: dict[str, list[Counted]] = defaultdict(list)
    for entry in book.entries():
        counted[entry.model].append(entry)
    assert {m: len(found) for m, found in lines.items()} == {m: len(f) for m, f in counted.items()}
    return [pair for model in lines for pair in zip(lines[model], counted[model], strict=True)]


def has_come(run: Run, upstream: Upstream, *models: str) -> bool:
    """All that the upstream has sent before it holds on is on record."""
    kept = {call.panelist["model"]: call for call in rows(run).calls.values()}
    sent = {asked.model: asked for asked in upstream.calls}
    held = {model: kept[model].text for model in models if model in kept and kept[model].text}
    return len(held) == len(models) and all(
        text == sent[model].text_sent.strip() or text == sent[model].text_sent
        for model, text in held.items()
    )


def assert_agrees(run: Run, book: Book) -> dict[str, list[PaidCall]]:
    """By hand: nothing of the product's own arithmetic is asked."""
    by_kind: dict[str, list[PaidCall]] = defaultdict(list)
    for line, entry in beside(run, book):
        if entry.is_refused:
            assert (line.booked, line.is_estimated, line.input_tokens) == (0, False, None), line
            by_kind["refused"].append(line)
        elif entry.told is None:
            millionths = entry.input_tokens * 3 + entry.output_tokens * 15
            booked = int((line.booked or 0) * 10**6)
            assert line.is_estimated and line.cost is None, line
            assert millionths * 0.85 <= booked <= millionths * 1.15, (line, entry)
            by_kind["estimated"].append(line)
        else:
            assert_told(line, entry.told)
            by_kind["told"].append(line)
    booked = sum((line.booked or Decimal(0) for line, _ in beside(run, book)), Decimal(0))
    for window in Window.objects.all():
        assert (window.held_nano, Decimal(window.spent_nano) / 10**9) == (0, booked)
    assert not Hold.objects.filter(settled_nano=None).exists()
    return by_kind


def assert_told(line: PaidCall, told: dict[str, Any]) -> None:
    if "prompt_tokens" in told:
        given, made = told["prompt_tokens"], told["completion_tokens"]
        cached = told.get("prompt_tokens_details", {}).get("cached_tokens")
        thought = told.get("completion_tokens_details", {}).get("reasoning_tokens")
    else:
        cached, made, thought = told["cache_read_input_tokens"], told["output_tokens"], None
        given = told["input_tokens"] + cached + told["cache_creation_input_tokens"]
    searches = told.get("server_tool_use_details", {}).get("web_search_requests")
    assert (line.input_tokens, line.output_tokens) == (given, made)
    assert (line.cached_tokens, line.reasoning_tokens) == (cached, thought)
    assert (line.searches, line.search_tokens) == (searches, told.get("citation_tokens"))
    cost = Decimal(str(told["cost"])) if "cost" in told else None
    if cost is None:
        cost = Decimal((given - (cached or 0)) * 30 + (cached or 0) * 3 + made * 150) / 10**7
    assert line.cost == line.booked == cost and line.is_estimated is False
    assert line.cost_source == ("reported" if "cost" in told else "computed")


def test_every_kind_of_call_is_on_the_receipt_as_the_upstream_counted_it(
    worker: Worker, upstream: Upstream, book: Book
) -> None:
    book.opened("cached", Script(usage=CACHED))
    book.opened("thinking", Script(reasoning="Let me think. ", usage=THOUGHT))
    book.opened("searched", Script(usage=SEARCHED))
    book.opened("anthropics", Script(usage=ANTHROPICS))
    book.opened("repeated", Script(status=503), Script(text=LONG))
    book.opened("refused", Script(status=401))
    book.opened("mute", Script(text=LONG, usage={}), characters=3.7)
    book.opened("cut", Script(text=LONG, cut_after=500), characters=4.5)
    models = "cached", "thinking", "searched", "anthropics", "repeated", "refused", "mute", "cut"
    run = start(*models, max_cost=Decimal(5))
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    found = assert_agrees(run, book)
    assert {kind: len(lines) for kind, lines in found.items()} == {
        "told": 7,  # of five seats, the judge and the writer
        "refused": 2,
        "estimated": 2,
    }
    # Fused again: the same books go on.
    run_fuse(run=run)
    carry_out(worker, str(run.pk))
    assert len(assert_agrees(run, book)["told"]) >= 8


def test_what_is_stopped_in_mid_answer_is_marked_and_near(
    worker: Worker, upstream: Upstream, book: Book
) -> None:
    book.opened("held", Script(text=LONG, hold_after=400), characters=4.2)
    book.opened("thinks", Script(reasoning=LONG, text="On and on", hold_after=1), characters=3.7)
    book.opened("done", Script(usage=CACHED))
    run = start("held", "thinks", "done")  # from its usual budget
    thread = in_background(worker, run)
    wait_for(lambda: has_come(run, upstream, "held", "thinks"))
    wait_for(lambda: rows(run).calls["panel-2-1"].is_usable)
    services.run_cancel(run=run)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "cancelled")
    thread.join(60)
    found = assert_agrees(run, book)
    assert {kind: len(lines) for kind, lines in found.items()} == {"told": 1, "estimated": 2}


def test_a_lost_worker_s_calls_and_those_made_anew_are_both_on_the_receipt(
    worker: Worker, upstream: Upstream, book: Book
) -> None:
    book.opened("lost", Script(text=LONG, hold_after=300), Script(usage=THOUGHT), characters=3.7)
    book.opened("done", Script(usage=CACHED))
    run = start("lost", "done")
    thread = in_background(worker, run)
    wait_for(lambda: has_come(run, upstream, "lost"))
    wait_for(lambda: rows(run).calls["panel-1-1"].is_usable)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "lost")
    thread.join(60)
    Run.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    found = assert_agrees(run, book)
    assert {kind: len(lines) for kind, lines in found.items()} == {"told": 4, "estimated": 1}
    assert [line.call for line in found["estimated"]] == ["panel-0-1"]
