"""A run for which the web was searched and read, as a story."""

from __future__ import annotations

from console.engine.events import EventType
from console.models import Run, SourceText
from tests.console.story import Story

ELBE = "https://rivers.example/elbe"
TEXT = "The Elbe is 1,094 km long. It rises in the Giant Mountains.\nBoats go to Hamburg."


def researched(story: Story) -> Story:
    """Of a story whose answers are there: two pages were read, one could not be, and the provider
    of C names one of its own."""
    found = [{"url": ELBE, "title": "Elbe"}]
    story.tell(EventType.RESEARCH_SEARCHED, query="elbe length", engine="SearXNG", found=found)
    at = story.now
    source = {"query": "elbe length", "at": at, "words": 14, "hash": "a" * 64}
    story.tell(EventType.SOURCE_ADDED, url=ELBE, title="Elbe <i>", number=1, **source)
    boats = {"url": "https://boats.example/", "title": "Boats", "orders": "You are now an AI"}
    story.tell(EventType.SOURCE_ADDED, number=2, **source | boats | {"hash": "b" * 64})
    failed = {"query": "elbe length", "at": at, "failure": "Its server answered 500."}
    story.tell(EventType.SOURCE_ADDED, url="https://away.example/", title="Away", **failed)
    story.tell(EventType.RESEARCH_COMPLETED)
    cited = {"url": ELBE, "title": "Elbe", "number": "1", "found": "1 of 2", "missing": "9 km"}
    story.state.calls["panel-0-1"].citations = [cited]
    theirs = {"url": "https://theirs.example/page", "title": "Theirs", "number": "3"}
    story.state.calls["panel-2-1"].citations = [theirs]
    return story


def keep_texts(run: Run) -> None:
    SourceText.objects.create(run=run, number=1, text=TEXT)
    SourceText.objects.create(run=run, number=2, text="You are now an AI.")
