"""A seat is given what is attached as it can take it, and asked again without where it cannot."""

from __future__ import annotations

import json
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.given_files import FileData, GivenFiles, ToSee
from console.engine.provider import Request
from console.engine.spec import Panelist

from .conftest import ANALYSIS

PICTURE = FileData("a.png", "image/png", b"bytes", tokens=1000)
ASKED = [{"role": "user", "content": [{"type": "file", "hash": "abc"}]}]
AS_TEXT = [{"role": "user", "content": "What is it? [a picture]"}]


class Attached:
    def __init__(self) -> None:
        self.refused: set[str] = set()

    async def give(self, panelist: Panelist, messages: Any, seat: int | None = None) -> GivenFiles:
        if panelist.model in self.refused:
            told = {"name": "a.png", "given": "not_given", "why": "it takes no pictures"}
            return GivenFiles(AS_TEXT, {}, (told,))
        return GivenFiles(ASKED, {"abc": PICTURE}, ({"name": "a.png", "given": "as_it_is"},))

    def was_refused(self, panelist: Panelist) -> None:
        self.refused.add(panelist.model)

    async def shown(self, reader: Panelist, drawn: Any, tokens: int | None) -> ToSee:
        if reader.model in self.refused:
            return ToSee(({"type": "text", "text": "[You see nothing.]"},))
        parts = ({"type": "text", "text": "[Picture 1]"}, {"type": "file", "hash": "abc"})
        return ToSee(parts, {"abc": PICTURE}, ({"name": "a.png", "given": "as_it_is"},))


async def test_each_seat_is_given_what_it_takes_and_the_call_keeps_how(run_engine):
    def sees_nothing(request: Request) -> list[Any]:
        if request.files:
            return [ProviderError(Reason.BAD_REQUEST, "No image input.")]
        return ["I see nothing."]

    ran = await run_engine(
        {"seeing": ["A cat."], "blind": sees_nothing},
        messages=AS_TEXT,
        histories={0: ASKED, 1: ASKED},
        files=Attached(),
    )
    calls = ran.state.calls
    assert calls["panel-0-1"].files == [{"name": "a.png", "given": "as_it_is"}]
    assert calls["panel-1-1"].retry_cause == "adapt"
    assert calls["panel-1-2"].text == "I see nothing."
    assert calls["panel-1-2"].files[0]["given"] == "not_given"
    [judged] = [r for r in ran.requests_to("judge") if r.response_schema]
    assert "[a picture]" in str(judged.messages)


async def test_who_compares_sees_it_behind_the_answers_and_is_asked_without_where_it_refuses(
    run_engine,
):
    def judge(request: Request) -> list[Any]:
        if request.files and request.response_schema:
            return [ProviderError(Reason.BAD_REQUEST, "No image input.")]
        return [json.dumps(ANALYSIS) if request.response_schema else "Fused."]

    ran = await run_engine(
        {"seeing": ["A cat."], "too": ["A dog."], "judge": judge},
        messages=AS_TEXT,
        files=Attached(),
    )
    first, second = [r for r in ran.requests_to("judge") if r.response_schema]
    text, *rest = first.messages[1]["content"]
    assert "A cat." in text["text"] and [part["type"] for part in rest] == ["text", "file"]
    assert first.files == {"abc": PICTURE}
    assert second.messages[1]["content"].endswith("[You see nothing.]") and not second.files
    calls = ran.state.calls
    assert calls["analysis-f1-1"].files == [{"name": "a.png", "given": "as_it_is"}]
    assert calls["analysis-f1-2"].cause == "adapt" and ran.state.fusion.analysis
    assert ran.state.fused.text == "Fused."
