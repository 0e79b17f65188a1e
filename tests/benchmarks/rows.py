"""A figure, what is asked of it, and the table that says whether it is held.

Before every group of figures a floor is measured: CPU-ms that a bare stock httpx reader takes for
1,000 tokens of 30 long streams. Absolute figures are scaled to a floor of 320, so that a machine
that is slow today is not the product's fault; gates ask the scaled figure. Ratios count as they
are. A repetition's floor is the middle one of its readings, since ten seconds tell little of a
quarter of an hour; all its figures are scaled by that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

FLOOR = 320.0
WANDERS = 1.25  # the floor's largest ÷ its smallest: beyond that nothing is told
FOREIGN = 0.3  # cores that others use meanwhile: the same

Verdict = Literal["held", "missed", "not measured", "too busy to tell", ""]


@dataclass(frozen=True)
class Asked:
    """What is asked of a figure. Without a gate it is only told."""

    figure: str
    case: str
    unit: str
    gate: float | None = None
    aim: float | None = None
    better: Literal["lower", "higher"] = "lower"
    scales: bool = False  # an absolute figure
    in_floors: bool = False  # measured as the floor is, and told as so many of it


@dataclass(frozen=True)
class Sample:
    """One repetition's reading; `value` is None where it could not be taken, `why` says it."""

    asked: Asked
    value: float | None
    floor: float | None = None  # the same of who does nothing but read
    peer: float | None = None  # of a program that does the like
    why: str = ""
    at: str = ""  # of which commit; "" is this checkout
    machine: float = FLOOR  # the repetition's floor
    repetition: int = 0


@dataclass(frozen=True)
class Machine:
    """What the repetitions' floors were, and how many cores others used during a reading."""

    floors: Sequence[float]
    foreign: float = 0.0
    readings: Sequence[Sequence[float]] = ()  # of each repetition

    @classmethod
    def of(cls, readings: Sequence[Sequence[float]], foreign: float = 0.0) -> Machine:
        return cls([median(of_one) for of_one in readings], foreign, readings)

    @property
    def wander(self) -> float:
        """Between repetitions; within a single one between its halves."""
        floors = self.floors
        if len(self.readings) == 1 and len(read := self.readings[0]) > 1:
            floors = [median(read[: len(read) // 2]), median(read[len(read) // 2 :])]
        return max(floors) / min(floors) if floors else 1.0

    @property
    def is_too_busy(self) -> bool:
        return self.wander > WANDERS or self.foreign > FOREIGN


@dataclass(frozen=True)
class Row:
    figure: str
    case: str
    unit: str
    value: float | None  # as measured, the median
    spread: tuple[float, float] | None
    scaled: float | None  # what the gate asks
    gate: float | None
    aim: float | None
    better: Literal["lower", "higher"]
    floor: float | None
    peer: float | None
    before: float | None  # the same of the commit measured against, scaled
    verdict: Verdict
    why: str = ""
    readings: Sequence[float] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def make(samples: Iterable[Sample], machine: Machine) -> list[Row]:
    """A row per figure and case, in the order in which they were first measured."""
    here: dict[Asked, list[Sample]] = {}
    before: dict[Asked, list[Sample]] = {}
    for sample in samples:
        (before if sample.at else here).setdefault(sample.asked, []).append(sample)
    return [_row(asked, taken, before.get(asked, []), machine) for asked, taken in here.items()]


def _row(asked: Asked, taken: list[Sample], before: list[Sample], machine: Machine) -> Row:
    values = [value for s in taken if (value := value_of(s)) is not None]
    scaled = _median(taken, _scaled)
    return Row(
        figure=asked.figure,
        case=asked.case,
        unit=asked.unit,
        value=median(values) if values else None,
        spread=(min(values), max(values)) if values else None,
        scaled=scaled,
        gate=asked.gate,
        aim=asked.aim,
        better=asked.better,
        floor=_median(taken, lambda s: s.floor),
        peer=_median(taken, lambda s: s.peer),
        before=_median(before, _scaled),
        verdict=_verdict(asked, scaled, machine),
        why=next((s.why for s in taken if s.why), ""),
        readings=tuple(values),
    )


def _verdict(asked: Asked, scaled: float | None, machine: Machine) -> Verdict:
    if scaled is None:
        return "not measured"
    if asked.gate is None:
        return ""
    if machine.is_too_busy:
        return "too busy to tell"
    held = scaled <= asked.gate if asked.better == "lower" else scaled >= asked.gate
    return "held" if held else "missed"


def value_of(sample: Sample) -> float | None:
    if sample.value is None or not sample.asked.in_floors:
        return sample.value
    return sample.value / sample.machine


def _scaled(sample: Sample) -> float | None:
    if sample.value is None or not sample.asked.scales:
        return value_of(sample)
    slowness = sample.machine / FLOOR
    return sample.value / slowness if sample.asked.better == "lower" else sample.value * slowness


def _median(samples: Iterable[Sample], of: Callable[[Sample], float | None]) -> float | None:
    values = [v for s in samples if (v := of(s)) is not None]
    return median(values) if values else None


# ---- as a table

_HEAD = ("Figure", "Case", "Measured [min–max]", "Scaled", "Gate", "Aim", "Floor", "Peer")


def markdown(
    rows: Sequence[Row],
    machine: Machine,
    notes: Mapping[str, str],
    titles: Mapping[str, str],
    *,
    against: str = "",
) -> str:
    """`notes`: what the table is of, name by name; `titles`: of figures."""
    head = [*_HEAD, *([f"At {against}"] if against else []), ""]
    lines = [f"{name}: {said}  " for name, said in notes.items()]
    lines += [
        told(machine),
        "",
        _line(head),
        _line(["---"] * 2 + ["---:"] * (len(head) - 3) + ["---"]),
    ]
    for row in rows:
        cells = [
            titles.get(row.figure, row.figure),
            row.case,
            _measured(row),
            shown(row.scaled),
            _bound(row, row.gate),
        ]
        cells += [_bound(row, row.aim), shown(row.floor), shown(row.peer)]
        cells += [shown(row.before)] if against else []
        lines.append(_line([*cells, row.verdict + (f": {row.why}" if row.why else "")]))
    return "\n".join(lines) + "\n"


def told(machine: Machine) -> str:
    floors = ", ".join(f"{floor:.0f}" for floor in machine.floors) or "not measured"
    said = f"Floors: {floors} CPU-ms per 1,000 tokens"
    if read := [floor for of_one in machine.readings for floor in of_one]:
        said += f" (single readings {min(read):.0f} to {max(read):.0f})"
    said += f"; others used {machine.foreign:.2f} cores."
    return said + (" **The machine is too busy to tell.**" if machine.is_too_busy else "")


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _measured(row: Row) -> str:
    if row.value is None or row.spread is None:
        return "–"
    low, high = row.spread
    spread = f" [{shown(low)}–{shown(high)}]" if low != high else ""
    return f"{shown(row.value)}{spread}{f' {row.unit}' if row.unit else ''}"


def _bound(row: Row, bound: float | None) -> str:
    if bound is None:
        return "–"
    return f"{'≤' if row.better == 'lower' else '≥'} {shown(bound)}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
