"""A server that read less than it was sent is found out by what it counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.engine.calls.unread import with_sent
from console.engine.provider import Finish
from console.engine.state import Step
from console.engine.usage import Usage
from tests.engine.conftest import RunEngine
from tests.growth import BOUND, growth

PROSE = "The council met on Tuesday and put the question off until after the summer. "
GERMAN = "Die Geschwindigkeitsbegrenzung auf der Umgehungsstraße wurde vorläufig aufgehoben. "
CHINESE = "这是一段用来测试的文字，它没有空格，也没有什么意思。"
CODE = "        if total > limit:\n            raise ValueError(f'{total} is more than {limit}')\n"
LOG = "2026-11-28T09:31:36Z INFO  worker[12]: run 4711 took 12.5 s and 3 calls\n"


def sent(text: str, counted: int, **more: Any) -> Usage:
    return with_sent(Usage(counted, 10, **more), [{"role": "user", "content": text}])


def of_length(text: str, length: int) -> str:
    return (text * (length // len(text) + 1))[:length]


@pytest.mark.parametrize("text", [PROSE, GERMAN, CHINESE, CODE, LOG])
def test_a_report_of_a_small_window_for_a_long_request_is_noticed(text: str) -> None:
    usage = sent(of_length(text, 32_000), 4_096 if text is not CODE else 2_048)
    assert usage.share_read is not None and usage.share_read < 0.8


def test_of_running_text_it_is_about_half() -> None:
    share = sent(of_length(PROSE, 32_000), 4_096).share_read
    assert share is not None and 0.4 < share < 0.6


@pytest.mark.parametrize(
    ("text", "characters_a_token"),
    [(PROSE, 5.2), (GERMAN, 5.5), (CHINESE, 1.8), (CODE, 5.0), (LOG, 3.5), ("=" * 80 + "\n", 40),
     (" " * 60 + "x\n", 20), ("x" * 100, 50), ("antidisestablishmentarianism ", 6.9)],
)  # fmt: skip
def test_what_a_thrifty_tokeniser_makes_of_it_is_believed(
    text: str, characters_a_token: float
) -> None:
    long = of_length(text, 40_000)
    assert sent(long, round(len(long) / characters_a_token)).sent_tokens is None


def test_what_was_kept_from_an_earlier_request_was_read() -> None:
    assert sent(of_length(PROSE, 32_000), 96, cached_tokens=8_000).sent_tokens is None


@pytest.mark.parametrize("counted", [1, 200])
def test_of_a_short_request_nothing_is_said(counted: int) -> None:
    assert sent(of_length(PROSE, 4_000), counted).sent_tokens is None


def test_where_nothing_is_reported_nothing_is_said() -> None:
    assert with_sent(Usage(), [{"role": "user", "content": PROSE * 1000}]) == Usage()


async def test_seats_and_judge_alike(run_engine: RunEngine) -> None:
    cut = Finish("stop", Usage(2_048, 5))
    ran = await run_engine(
        {"a": ["x", cut], "b": ["y", Finish("stop", Usage(6_600, 5))]}, prompt=PROSE * 420
    )
    assert ran.state.latest(Step.PANEL, seat=0).usage.share_read < 0.4
    assert ran.state.latest(Step.PANEL, seat=1).usage.share_read is None
    assert ran.state.usage().sent_tokens is None  # of one call, not of a sum


def test_however_long_the_request_is() -> None:
    def look(size: int) -> Callable[[], Usage]:
        text = of_length(PROSE, size)
        return lambda: sent(text, 100)

    assert growth(look, 500_000) < BOUND
