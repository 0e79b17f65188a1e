"""What the results so far say: answers of every arm, their grades, and who beats whom.

Steps are named here, and only here. Grades go by the answer's text, so equal
answers are graded once and alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from console.engine.spec import Spec
from console.engine.usage import total_cost

from .arms import MATCHED, PRESET, SAME_MODEL, SOLO, Solo, samples_bought, solos_of
from .exact import exact_score, majority
from .grading import FIRST, SECOND, TIE, agreed, rubric_score
from .tasks import Grader, Task

BEST = "best solo"
OTHER_RESEARCH = "other research"


class PairOutcome(StrEnum):
    """Of one answer against another."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    UNPARSED = "unparsed"


@dataclass(frozen=True)
class ArmAnswer:
    """`text` is empty where there is none; `tokens` are output tokens."""

    text: str
    cost: Decimal | None
    cost_is_partial: bool
    tokens: int | None
    seconds: float | None
    calls: int
    error: str = ""
    run: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any], run: str = "") -> ArmAnswer:
        cost = entry.get("cost")
        return cls(
            text=entry["answer"],
            cost=None if cost is None else Decimal(cost),
            cost_is_partial=entry["cost_is_partial"],
            tokens=entry["tokens"],
            seconds=entry["seconds"],
            calls=entry["calls"],
            error=entry["error"],
            run=run or entry["run"],
        )


@dataclass(frozen=True)
class Samples:
    """The answers a solo model gave for what the preset's run cost, and on what that rests."""

    answers: list[ArmAnswer]
    wanted: int
    basis: str


class Book:
    def __init__(self, tasks: Sequence[Task], spec: Spec, steps: Mapping[str, Any]) -> None:
        self.tasks, self.spec, self.steps = tasks, spec, steps
        self.solos = solos_of(spec)

    # ---- names of steps

    @staticmethod
    def run_step(arm: str, task: Task) -> str:
        return f"run/{arm}/{task.id}"

    @staticmethod
    def sample_step(task: Task, number: int) -> str:
        return f"samples/{number}/{task.id}"

    @staticmethod
    def grade_step(task: Task, text: str) -> str:
        return f"grade/{_mark(text)}/{task.id}"

    @staticmethod
    def pair_step(task: Task, first: str, second: str) -> str:
        return f"pair/{_mark(first)}-{_mark(second)}/{task.id}"

    @staticmethod
    def select_step(task: Task, answers: Iterable[str]) -> str:
        return f"select/{_mark(chr(0).join(answers))}/{task.id}"

    # ---- answers; None where the step is not done yet

    def answer(self, arm: str, task: Task) -> ArmAnswer | None:
        if arm == SOLO:
            best = self.best_solo
            return self.solo(best, task) if best else None
        if arm == MATCHED:
            return self.matched(task)
        entry = self.steps.get(self.run_step(arm, task))
        return ArmAnswer.of(entry) if entry else None

    def solo(self, solo: Solo, task: Task) -> ArmAnswer | None:
        entry = self.steps.get(self.run_step(PRESET, task))
        return ArmAnswer.of(entry["seats"][solo.seat], entry["run"]) if entry else None

    @property
    def best_solo(self) -> Solo | None:
        entry = self.steps.get(BEST)
        return next((s for s in self.solos if entry and s.seat == entry["seat"]), None)

    @property
    def other_research(self) -> str | None:
        """The arm in which the preset looks up what it does not otherwise, or the reverse."""
        entry = self.steps.get(OTHER_RESEARCH)
        return entry["arm"] if entry else None

    def samples(self, task: Task) -> Samples | None:
        """The solo answer itself, the same-model panel's, then the samples bought besides."""
        preset, solo = self.answer(PRESET, task), self.answer(SOLO, task)
        same = self.steps.get(self.run_step(SAME_MODEL, task))
        if not preset or not solo or not same:
            return None
        wanted, basis = samples_bought(
            None if preset.cost_is_partial else preset.cost,
            None if solo.cost_is_partial else solo.cost,
            preset.tokens,
            solo.tokens,
        )
        samples = [solo, *(ArmAnswer.of(seat, same["run"]) for seat in same["seats"])]
        number = 1
        while entry := self.steps.get(self.sample_step(task, number)):
            samples += [ArmAnswer.of(seat, entry["run"]) for seat in entry["seats"]]
            number += 1
        return Samples(samples[:wanted], wanted, basis)

    def matched(self, task: Task) -> ArmAnswer | None:
        """One answer out of the samples: by majority, or as the grader chose."""
        samples = self.samples(task)
        if samples is None or len(samples.answers) < samples.wanted:
            return None
        given = [a for a in samples.answers if a.text]
        if not given:
            return samples.answers[0]
        parts = list(samples.answers)
        chosen = 0
        if task.grader is Grader.EXACT:
            chosen = majority([a.text for a in given])
        elif len({a.text for a in given}) > 1:
            entry = self.steps.get(self.select_step(task, [a.text for a in given]))
            if entry is None:
                return None
            # Where the choice could not be read it is the first, as if nothing had been chosen.
            chosen = entry["verdict"] or 0
            parts.append(ArmAnswer.of(entry))
        cost, partial = total_cost(a.cost for a in parts)
        return ArmAnswer(
            text=given[chosen].text,
            cost=cost,
            cost_is_partial=partial or any(a.cost_is_partial for a in parts),
            tokens=sum(a.tokens or 0 for a in parts),
            # Samples are asked for side by side, the choice afterwards.
            seconds=max(a.seconds or 0 for a in samples.answers)
            + sum(a.seconds or 0 for a in parts[len(samples.answers) :]),
            calls=sum(a.calls for a in parts),
            run=given[chosen].run,
        )

    # ---- grades

    def is_graded(self, task: Task, text: str) -> bool:
        asks = task.grader is Grader.RUBRIC and bool(text)
        return not asks or self.grade_step(task, text) in self.steps

    def score(self, task: Task, text: str) -> float | None:
        """0 to 1; None where the grader's words could not be read. No answer scores 0."""
        if not text:
            return 0.0
        if task.grader is Grader.EXACT:
            return exact_score(text, task.answers)
        met = self.steps[self.grade_step(task, text)]["verdict"]
        return None if met is None else rubric_score(met, task.criteria)

    def unasked_orders(self, task: Task, one: str, other: str) -> list[tuple[str, str]]:
        """Which pairs (first, second) the grader has still to be shown."""
        if task.is_scored or not one or not other or one == other:
            return []
        orders = [(one, other), (other, one)]
        return [o for o in orders if self.pair_step(task, *o) not in self.steps]

    def outcome(self, task: Task, one: str, other: str) -> PairOutcome:
        """Of `one` against `other`, once both are graded."""
        if task.is_scored:
            return _by_score(self.score(task, one), self.score(task, other))
        if not one or not other or one == other:
            return _by_score(float(bool(one)), float(bool(other)))
        as_asked, swapped = self.verdicts(task, one, other)
        if as_asked is None or swapped is None:
            return PairOutcome.UNPARSED
        says = {FIRST: PairOutcome.WIN, SECOND: PairOutcome.LOSS, TIE: PairOutcome.TIE}
        return says[agreed(as_asked, swapped)]

    def verdicts(self, task: Task, one: str, other: str) -> tuple[str | None, str | None]:
        return (
            self.steps[self.pair_step(task, one, other)]["verdict"],
            self.steps[self.pair_step(task, other, one)]["verdict"],
        )


def _by_score(one: float | None, other: float | None) -> PairOutcome:
    if one is None or other is None:
        return PairOutcome.UNPARSED
    if abs(one - other) < 1e-9:
        return PairOutcome.TIE
    return PairOutcome.WIN if one > other else PairOutcome.LOSS


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
