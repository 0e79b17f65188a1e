"""A local web of 200 pages, and answers that quote what stands there and what does not: 104 true
quotes are found, 104 false ones marked, whichever way the pages were come by."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from console.engine.pool import with_wanted
from console.engine.spec import Panelist, Research
from console.models import Run
from console.record.pooled import pooled
from console.record.public import run_object
from console.research import researcher
from console.research.reading import Reader
from console.services.source_reads import source_read
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.test_own_research import piece, start, streamed  # noqa: F401
from tests.realtime.test_run_way import rows
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PAGES, GROUP, SENTENCES = 200, 7, 8
OF_SEATS = (7, 6)  # pages of group 1 and of group 2 that are opened
Body = dict[str, Any]


def facts(page: int) -> list[str]:
    return [
        f"In the year {1900 + n} the gauge of station {page} held {page * 100 + n * 7 + 3} litres"
        for n in range(SENTENCES)
    ]


@pytest.fixture
def web(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    reader = Reader(seconds=120)  # of this worker's loop
    monkeypatch.setattr(researcher, "_reader", lambda: reader)
    with Web() as web:
        for page in range(PAGES):
            said = [
                f"{fact} of rain, as its keeper wrote down every evening." for fact in facts(page)
            ]
            web.add(f"/stations/{page}", f"Station {page} group-{page // GROUP}", *said)
        settings.SEARCH_ENGINES = {"searxng": ("", web.url)}
        settings.FETCH_ALLOW = [web.place]
        yield web


def quoting(told: str) -> Script:
    """Of every source that it was told, by the number it has there: what it says, and as many
    quotes that are wrong in a figure."""
    said = []
    for number, page in re.findall(r"SOURCE (\d+) ===\nStation (\d+) group", told):
        for fact in facts(int(page)):
            litres = fact.split()[-2]
            false = fact.replace(f"held {litres}", f"held {litres}9")
            said.append(f"“{fact}” [{number}]. Others have “{false}” [{number}].")
    return Script(text="\n\n".join(dict.fromkeys(said)))


def looks(group: int, count: int) -> Callable[[Body], Script]:
    def chosen(body: Body) -> Script:
        told = str([m["content"] for m in body["messages"]]).replace("\\n", "\n")
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        if turn == 0:
            return streamed(piece("web_search", json.dumps({"query": f"group-{group}"}), index=0))
        found = re.findall(r"http://\S+/stations/\d+", told)
        if turn == 1:
            calls = (piece("web_fetch", json.dumps({"url": url}), index=n, id=f"c{n}")
                     for n, url in enumerate(found[:count]))  # fmt: skip
            return streamed(*calls)
        return quoting(told)

    return chosen


@pytest.mark.parametrize("way", ["own", "shared"])
def test_true_quotes_are_found_and_false_ones_marked(
    worker: Worker,
    upstream: Upstream,
    web: Web,
    start: Callable[..., Run],  # noqa: F811
    way: Literal["own", "shared"],
) -> None:
    queries = json.dumps({"queries": ["group-1", "group-2"]})
    upstream.script("judge", Script(text="Fused.", judge=Script(text=queries)))
    if way == "own":
        for group, count in enumerate(OF_SEATS, 1):
            upstream.script(f"seat-{group}", looks(group, count))
    else:
        for seat in ("seat-1", "seat-2"):
            upstream.script(seat, lambda body: quoting(str(body["messages"]).replace("\\n", "\n")))
    pages = sum(OF_SEATS) if way == "own" else GROUP
    research = Research(way=way, pages=pages, queries=3, seconds=300)
    run = start("seat-1", "seat-2", research=research)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed", state.error
    failures = [s["failure"] for s in state.research["sources"] if "failure" in s]
    assert len(web.read) == len(set(web.read)) == pages, failures
    answers = [state.answer(seat) for seat in range(2)]
    assert all(answers), [call.error for call in state.calls.values()]
    cited = [one for answer in answers if answer for one in answer.citations]
    counts = [tuple(map(int, one["found"].split(" of "))) for one in cited]
    assert set(counts) == {(SENTENCES, 2 * SENTENCES)}
    assert sum(found for found, _ in counts) >= 100
    told = run_object(run, run.frozen_spec, state).model_dump(mode="json")["research"]["sources"]
    assert {source["number"] for source in told} == set(range(1, pages + 1))


def test_so_they_are_of_pages_that_providers_named_once_these_are_read(
    worker: Worker,
    upstream: Upstream,
    web: Web,
    start: Callable[..., Run],  # noqa: F811
) -> None:
    """Each by the number that its provider gave it; no model is asked for that."""
    panel, urls = [], []
    for group, count in enumerate(OF_SEATS, 1):
        pages = range(group * GROUP, group * GROUP + count)
        named = [f"{web.url}/stations/{page}" for page in pages]
        told = "\n".join(f"SOURCE {n} ===\nStation {p} group" for n, p in enumerate(pages, 1))
        said = quoting(told)
        upstream.script(f"seat-{group}", replace(said, chunk={"citations": named}))
        panel.append(Panelist(f"seat-{group}", "test", searches=True))
        urls += named
    run = start(*panel, research=Research(way="provider"))
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed" and not web.read
    asked = len(upstream.calls)
    run.refresh_from_db()
    wanted = run.research
    for url in urls[1:]:
        wanted = with_wanted(wanted, url, "")
    Run.objects.filter(pk=run.pk).update(research=wanted)
    run.refresh_from_db()
    source_read(run=run, url=urls[0])
    carry_out(worker, str(run.pk))
    sources = pooled(rows(run))
    assert [source.was_read for source in sources] == [True] * sum(OF_SEATS)
    assert {(s.found, s.quotes) for s in sources} == {(SENTENCES, 2 * SENTENCES)}
    assert sum(source.found for source in sources) >= 100
    assert all(len(source.cited_by) == 1 for source in sources)
    assert len(upstream.calls) == asked
