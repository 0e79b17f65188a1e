"""What a page of a long text costs: once what its texts cost, and then hardly anything."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils.safestring import SafeString, mark_safe

from console.api.openai import shapes
from console.engine.findings import provenance
from console.engine.state import Step
from console.fragments.renderings import Renderings
from console.markdown import StreamRenderer
from console.models import Run, ShareLink
from console.templatetags import kept
from tests.growth import BOUND, growth
from tests.stack import until

from .story import Story

# Each repeated makes one part of what is done with a fused answer dear.
HOSTILE = ["`` `[^A] ``", "[^A]", "word [^own]. ", "| a [^own] |", "a [^own]\n\n", "> [^A]\n", "` "]
HOSTILE += ["```\n[^A]\n```\n", "[^A]: x\n", "[^A,B] [^own] ", "~~~\n[^A]\n", "- [^B]\n", "[^"]


class Made:
    """Renderings that count what they make."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, text: str, **beside: Any) -> SafeString:
        self.texts.append(text)
        self.go_on.wait(60)
        return mark_safe(f"<p>{text}</p>")


def shared_run(alice: User, text: str) -> Run:
    story = Story().whole()
    [*_, fused] = [c for c in story.state.calls.values() if c.step is Step.SYNTHESIS]
    fused.text = text
    return story.save(alice, visibility="link", share_token="x" * 43)


def shown(client: Client, path: str) -> str:
    return str(client.get(path).content.decode())


def test_a_page_that_many_read_is_rendered_once_for_all_of_them(
    alice: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made()
    monkeypatch.setattr("console.fragments.rendered", Renderings(made))
    run = shared_run(alice, "What all of them read.")
    for _ in range(5):
        assert "What all of them read." in shown(client, f"/fusion/shared/{run.share_token}")
    client.force_login(alice)
    assert "What all of them read." in shown(client, f"/fusion/runs/{run.pk}")
    assert made.texts.count("What all of them read.") == 1


@pytest.fixture
def parts_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the templates of those parts that are kept, each time one is made."""
    made: list[str] = []

    def counted(name: str, given: dict[str, Any]) -> SafeString:
        made.append(name)
        return render_to_string(name, given)

    monkeypatch.setattr(kept, "render_to_string", counted)
    monkeypatch.setattr(kept, "_parts", kept._store(kept.KEPT))
    return made


def test_columns_and_map_of_a_run_that_has_ended_are_made_once(
    alice: User, client: Client, parts_made: list[str]
) -> None:
    run = shared_run(alice, "Fused.")
    seats = len(run.frozen_spec.panel)
    for _ in range(3):
        shown(client, f"/fusion/shared/{run.share_token}")
    pages = [name for name in parts_made if name == "console/run/_main.html"]
    assert len(pages) < 3, "the last is the one before"
    parts = sorted(name for name in parts_made if name not in pages)
    assert parts == ["console/run/_map.html"] + ["console/run/_seat.html"] * seats
    Run.objects.filter(pk=run.pk).update(status="running")
    parts_made.clear()
    shown(client, f"/fusion/shared/{run.share_token}")
    assert parts_made == [], "what still grows is not kept"


def test_nobody_is_shown_a_part_that_was_made_for_somebody_else_or_before(
    alice: User, bob: User, client: Client, parts_made: list[str]
) -> None:
    """Read after others, a page is what it is for its first reader."""
    run = shared_run(alice, "Fused.")
    changing = re.compile(
        r'nonce="[^"]*|csrfmiddlewaretoken" value="\w+|[0-9a-f-]{36}|data-now="[^"]*'
    )
    readers = [(alice, "private"), (bob, "team"), (None, "link")]

    def read(*, each_first: bool = False) -> list[str]:
        pages = []
        for who, visibility in readers:
            Run.objects.filter(pk=run.pk).update(visibility=visibility)
            client.force_login(who) if who else client.logout()
            if each_first:
                kept._parts = kept._store(kept.KEPT)
            path = f"runs/{run.pk}" if who else f"shared/{run.share_token}"
            pages.append(changing.sub("", shown(client, f"/fusion/{path}")))
        return pages

    def changes() -> Iterator[None]:
        yield
        ShareLink.objects.filter(run=run).update(hides=["costs", "models"])
        yield
        fusion = run.fusions.get(number=1)
        ruled = {"on": 1, "claim": "consensus-1", "text": "It was so.", "verdict": "wrong"}
        fusion.wish = {"rulings": [ruled | {"note": "Not so.", "stances": []}]}
        fusion.save()
        run.calls.filter(step="panel").update(text="Another text.")
        yield

    before: list[str] = []
    for _ in changes():
        read()
        warm = read()
        assert warm == read(each_first=True)
        assert warm != before
        before = warm


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"text": "a"}, {"text": "b"}),
        ({"text": "a"}, {"text": "a", "sources": "A"}),
        ({"text": "a", "sources": "A"}, {"text": "a", "sources": "AB"}),
        ({"text": "a"}, {"text": "a", "cited": {1: "https://a.example"}}),
        (
            {"text": "a", "cited": {1: "https://b.example"}},
            {"text": "a", "cited": {1: "https://a.example"}},
        ),
        ({"text": "[]\0a"}, {"text": "a"}),
        ({"text": "\ud800"}, {"text": "\ud801"}),
    ],
)
def test_what_differs_in_anything_is_another_rendering(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    made = Made()
    rendered = Renderings(made)
    for _ in range(2):
        rendered(**one)
        rendered(**other)
    assert made.texts == [one["text"], other["text"]]


def test_who_asks_while_it_is_made_waits_for_it() -> None:
    made = Made()
    made.go_on.clear()
    rendered = Renderings(made)
    asking = [threading.Thread(target=rendered, args=("a text",)) for _ in range(8)]
    for thread in asking:
        thread.start()
    until(lambda: made.texts)
    made.go_on.set()
    for thread in asking:
        thread.join()
    assert made.texts == ["a text"]


def test_one_that_cannot_be_made_hinders_nobody() -> None:
    def fail(text: str, **beside: Any) -> SafeString:
        raise ValueError(text)

    rendered = Renderings(fail)
    for _ in range(2):
        with pytest.raises(ValueError):
            rendered("a text")


def test_what_is_kept_is_bounded_and_the_least_asked_for_goes_first() -> None:
    made = Made()
    rendered = Renderings(made, most=100)
    for text in (
        "a" * 13,
        "b" * 13,
        "a" * 13,
        "c" * 13,
        "d" * 13,
        "e" * 13,
        "f" * 13,
        "a" * 13,
        "b" * 13,
    ):
        rendered(text)
    assert [text[0] for text in made.texts] == list("abcdefb")
    for _ in range(2):
        rendered("long" * 10)
    assert made.texts.count("long" * 10) == 2, "what takes more than its share is not kept"


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_page_reads_a_long_answer_once(
    alice: User, client: Client, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marks are looked for by nothing but one reading of the whole: not by every part of the
    page, and not again for the next reader."""
    looked = []
    stretches = provenance._stretches

    def counted(text: str) -> Any:
        looked.append(len(text))
        return stretches(text)

    monkeypatch.setattr(provenance, "_stretches", counted)
    provenance.plain.cache_clear()
    text = (unit * 300_000)[:300_000]
    run = shared_run(alice, text)
    for _ in range(3):
        page = shown(client, f"/fusion/shared/{run.share_token}")
        assert "too long to be looked through" in page
    assert sum(looked) <= len(text) * 1.1


@pytest.mark.parametrize("unit", HOSTILE)
def test_marks_are_taken_out_in_time_that_grows_with_the_text(unit: str) -> None:
    def prepare(size: int) -> Callable[[], object]:
        provenance.plain.cache_clear()
        text = (unit * size)[:size]
        return lambda: provenance.plain(text)

    assert growth(prepare, 40_000) < BOUND


@pytest.mark.parametrize("unit", [*HOSTILE, "word "])
def test_a_line_that_does_not_end_costs_what_it_grows_by(unit: str) -> None:
    """Live, at every step: not all of it anew."""

    def prepare(size: int) -> Callable[[], object]:
        text = (unit.replace("\n", " ") * size)[:size]
        renderer = StreamRenderer(sources="AB")

        def write() -> None:
            for end in range(1000, size + 1, 1000):
                renderer.feed(text[:end])

        return write

    assert growth(prepare, 60_000) < BOUND


@pytest.mark.parametrize("length", [1, 3, 700])
def test_a_long_line_is_shown_without_its_marks_however_it_comes(length: int) -> None:
    text = "A sentence that goes on [^A,B] and on [^own]. " * 200
    renderer = StreamRenderer(sources="AB")
    shown = ""
    for end in range(0, len(text), length):
        renderer.feed(text[:end])
        assert "[^" not in renderer.line and renderer.line.startswith(shown[:3000])
        shown = renderer.line
    renderer.feed(text + "\nThe next line [^A")
    assert "[^" not in renderer.line
    assert renderer.line.endswith("The next line")


async def test_a_program_s_long_answer_is_read_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[str] = []
    stretches = provenance._stretches

    def counted(text: str) -> Any:
        threads.append(threading.current_thread().name)
        return stretches(text)

    monkeypatch.setattr(provenance, "_stretches", counted)
    for size, is_aside in [(1_000, False), (300_000, True)]:
        provenance.plain.cache_clear()
        threads.clear()
        story = Story().whole()
        [*_, fused] = [c for c in story.state.calls.values() if c.step is Step.SYNTHESIS]
        fused.text = ("word [^A]. " * size)[:size]
        answer = await shapes.answer_aside(story.spec, story.state)
        assert answer and "[^" not in answer.text[:-10]
        here = threading.current_thread().name
        assert threads and (here not in threads) == is_aside


def test_a_long_line_without_marks_is_told_as_it_comes() -> None:
    """To programs: nothing is looked for in a line that has nothing to be taken out."""
    stream = provenance.PlainStream()
    said = ""
    for n in range(5_000):
        said += stream.feed(f"`word{n}` ")
        assert len(said) > n * 5
    assert said + stream.end() == "".join(f"`word{n}` " for n in range(5_000))
