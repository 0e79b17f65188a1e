"""What a trace of a page says of its script."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.script import read


def event(name: str, ts: float, dur: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "ph": "X", "pid": 1, "tid": 7, "ts": ts, "dur": dur} | more


def message(ts: float) -> dict[str, Any]:
    return {"name": "WebSocketReceive", "ph": "I", "pid": 1, "tid": 7, "ts": ts}


def test_script_counts_for_the_message_before_it_once_and_by_the_processor_s_clock() -> None:
    trace = read(
        [
            event("FunctionCall", 5, 10, tdur=9),  # before the first message
            message(100),
            event("FunctionCall", 110, 4000, tdur=3000),
            event("FunctionCall", 200, 1000, tdur=900),  # within it
            event("Layout", 5000, 2000),
            message(9000),
            event("RunMicrotasks", 9100, 500, tdur=400),
            event("FunctionCall", 9800, 500, tdur=100),
            event("FunctionCall", 9100, 9000, tdur=9000, tid=8),  # of another thread
        ]
    )
    assert trace.per_message == [3.0, 0.5] and not trace.forced


def test_a_layout_in_the_middle_of_script_was_forced() -> None:
    trace = read(
        [
            message(100),
            event("FunctionCall", 110, 4000),
            event("UpdateLayoutTree", 200, 10),
            event("Layout", 300, 10),
            event("Layout", 4110, 10),
        ]
    )
    assert trace.forced == ["UpdateLayoutTree", "Layout"]
