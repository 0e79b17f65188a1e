"""A seat is given what is attached as it can take it, and asked again without where it cannot."""

from __future__ import annotations

from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.given_files import FileData, GivenFiles
from console.engine.provider import Request
from console.engine.spec import Panelist

PICTURE = FileData("a.png", "image/png", b"bytes", tokens=1000)
ASKED = [{"role": "user", "content": [{"type": "file", "hash": "abc"}]}]
AS_TEXT = [{"role": "user", "content": "What is it? [a picture]"}]


class Attached:
    def __init__(self) -> None:
        self.refused: set[str] = set()

    async def give(self, panelist: Panelist, messages: Any) -> GivenFiles:
        if panelist.model in self.refused:
            told = {"name": "a.png", "given": "not_given", "why": "it takes no pictures"}
            return GivenFiles(AS_TEXT, {}, (told,))
        return GivenFiles(ASKED, {"abc": PICTURE}, ({"name": "a.png", "given": "as_it_is"},))

    def was_refused(self, panelist: Panelist) -> None:
        self.refused.add(panelist.model)


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
    assert "[a picture]" in str(judged.messages) and not judged.files
