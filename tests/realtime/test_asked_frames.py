"""Who asks for frames of a run that cannot be read just now is told to ask again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import AsyncRequestFactory

from console.live import views
from console.models import Run
from console.models.shown import ALL

# Whatever the tests before it left open is looked at, as before every answer.
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class AWatch:
    """As far as a view asks of it."""

    is_ready: bool = False
    ended: bool = False
    failed: bool = False
    resumed: str = ""

    async def changed(self) -> None:
        await asyncio.sleep(0)

    def resume(self, cursor: Any, position: str) -> None:
        self.resumed = position

    async def frame(self, cursor: Any) -> str:
        return '{"at":3'


@dataclass
class TheWatch:
    of: AWatch

    @asynccontextmanager
    async def watch(self, *_: Any) -> AsyncIterator[AWatch]:
        yield self.of


@pytest.mark.parametrize(
    ("watch", "status", "body"),
    [
        (AWatch(), 503, ""),
        (AWatch(ended=True, failed=True), 503, ""),
        (AWatch(is_ready=True, ended=True, failed=True), 503, ""),
        (AWatch(is_ready=True), 200, '{"at":3}'),
        (AWatch(is_ready=True, ended=True), 200, '{"at":3,"end":true}'),
    ],
    ids=["never read", "failed at once", "failed later", "read", "at its end"],
)
async def test_a_run_that_is_not_read_in_time_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, watch: AWatch, status: int, body: str
) -> None:
    monkeypatch.setattr(views, "watches", TheWatch(watch))
    monkeypatch.setattr(views, "PATIENCE", 0.01)
    asked = AsyncRequestFactory().get("/", {"after": "ab-2"})
    answer = await views._answer(asked, lambda: (Run(), ALL))
    assert (answer.status_code, answer.content.decode()) == (status, body)
    assert answer.headers.get("Retry-After") == ("2" if status == 503 else None)
    assert watch.resumed == ("" if status == 503 else "ab-2")
