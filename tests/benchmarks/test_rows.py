"""What a table says of readings: medians, the scaled figure, whether a gate is held."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.benchmarks.rows import Asked, Machine, Sample, make, markdown, told

QUIET = Machine([320, 330])


@pytest.mark.parametrize(
    ("better", "scales", "readings", "floor", "verdict"),
    [
        ("lower", False, [90, 100, 300], 320, "held"),
        ("lower", False, [90, 101, 300], 320, "missed"),
        ("lower", True, [180, 190, 200], 640, "held"),  # a machine half as quick
        ("lower", False, [180, 190, 200], 640, "missed"),  # a ratio counts as it is
        ("lower", True, [80], 160, "missed"),
        ("higher", False, [100], 320, "held"),
        ("higher", False, [99], 320, "missed"),
        ("higher", True, [60], 640, "held"),
    ],
)
def test_a_gate_asks_the_median_and_of_an_absolute_figure_the_scaled_one(
    better: Literal["lower", "higher"],
    scales: bool,
    readings: list[float],
    floor: float,
    verdict: str,
) -> None:
    asked = Asked("latency", "one", "ms", gate=100, better=better, scales=scales)
    samples = [Sample(asked, value, machine=floor) for value in readings]
    [row] = make(samples, QUIET)
    assert row.verdict == verdict
    assert row.spread == (min(readings), max(readings))


@pytest.mark.parametrize(
    "machine", [Machine([320, 401]), Machine([300, 320, 380]), Machine([320], foreign=0.31)]
)
def test_on_a_machine_that_is_too_busy_no_gate_is_told(machine: Machine) -> None:
    asked = Asked("latency", "one", "ms", gate=100)
    [row] = make([Sample(asked, 50)], machine)
    assert row.verdict == "too busy to tell"
    assert "too busy to tell" in markdown([row], machine, {}, {})


def test_a_repetition_is_as_slow_as_the_middle_one_of_its_readings() -> None:
    hiccup = Machine.of([[126, 163, 130], [128, 131]], 0.03)
    assert hiccup.floors == [130, 129.5] and not hiccup.is_too_busy
    assert "Floors: 130, 130 CPU-ms per 1,000 tokens (single readings 126 to 163)" in told(hiccup)
    assert Machine.of([[120, 126], [125, 160, 163]]).is_too_busy


def test_a_single_repetition_that_has_become_slower_tells_nothing() -> None:
    assert Machine.of([[120, 400]]).is_too_busy
    assert Machine.of([[120, 126, 118, 160, 163, 158]]).is_too_busy
    assert not Machine.of([[120, 163, 126, 128, 121, 130]]).is_too_busy


def test_what_is_told_in_floors_is_told_in_those_of_its_repetitions() -> None:
    asked = Asked("cpu", "one", "", gate=2, in_floors=True)
    samples = [Sample(asked, 300, machine=150), Sample(asked, 240, machine=100)]
    [row] = make(samples, QUIET)
    assert (row.spread, row.scaled, row.verdict) == ((2.0, 2.4), 2.2, "missed")


def test_what_could_not_be_measured_says_why_and_is_never_held() -> None:
    asked = Asked("pass-through", "peer", "", gate=1)
    [row] = make([Sample(asked, None, why="there is no LiteLLM")], QUIET)
    assert row.verdict == "not measured"
    assert "not measured: there is no LiteLLM" in markdown([row], QUIET, {}, {})


def test_another_commit_stands_beside_and_decides_nothing() -> None:
    asked = Asked("wall", "one", "", gate=1.1)
    [row] = make([Sample(asked, 1.05), Sample(asked, 2.0, at="abc1234")], QUIET)
    assert (row.verdict, row.before) == ("held", 2.0)
    table = markdown([row], QUIET, {}, {"wall": "Wall"}, against="abc1234")
    assert "| Wall | one | 1.05 | 1.05 | ≤ 1.1 | – | – | – | 2 | held |" in table
