"""The order of things: preset, grades, the best solo, it as a whole panel, grades, matched cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from statistics import fmean
from typing import Any

from console.engine.spec import MAX_SEATS, Panelist, Research, Spec
from console.models import Visibility

from .arms import (
    MATCHED,
    PRESET,
    SAME_MODEL,
    Solo,
    one_answer_spec,
    other_research,
    preset_spec_for_evaluation,
    same_model_spec,
    samples_spec,
)
from .asking import Asker, Purchase
from .book import BEST, OTHER_RESEARCH, ArmAnswer, Book, PairOutcome
from .grading import Question, Unparsed, pairwise_question, rubric_question, select_question
from .results import Entry, Results
from .tasks import Grader, Task

GRADE_TOKENS = 2000  # reasoning counts as output
_TOKENS_PER_CRITERION = 12
_POINTS = {PairOutcome.LOSS: 1.0, PairOutcome.TIE: 0.5, PairOutcome.WIN: 0.0}


class Evaluation:
    def __init__(
        self, tasks: list[Task], spec: Spec, grader: Panelist, results: Results, asker: Asker
    ) -> None:
        self.book = Book(tasks, spec, results.steps)
        self._tasks, self._spec, self._grader = tasks, spec, grader
        self._results, self._asker = results, asker

    def carry_out(self, *, match_cost: bool, research: Research | None = None) -> None:
        """Whatever the results show undone. `research`: what the preset looks up where it is
        asked to without it, or the other way round. Raises LimitReached, Refused, Deleted."""
        book = self.book
        self._asker.buy(
            "preset",
            (self._run(PRESET, t, preset_spec_for_evaluation(self._spec)) for t in self._tasks),
        )
        answers = [(t, book.answer(PRESET, t)) for t in self._tasks]
        answers += [(t, book.solo(solo, t)) for solo in book.solos for t in self._tasks]
        self._grade(answers)
        if research:
            self._compare_research(research)
        best = self._choose()
        again = same_model_spec(self._spec, best.panelist)
        self._asker.buy("same model", (self._run(SAME_MODEL, t, again) for t in self._tasks))
        self._grade([(t, book.answer(SAME_MODEL, t)) for t in self._tasks])
        if match_cost:
            self._match(best)

    # ---- answers

    def _run(self, arm: str, task: Task, spec: Spec) -> Purchase:
        calls = len(spec.panel) + (2 if len(spec.panel) > 1 else 1)
        step = self.book.run_step(arm, task)
        return Purchase(step, task.prompt, spec, calls, visibility=Visibility.TEAM)

    def _compare_research(self, research: Research) -> None:
        if self.book.other_research is None:
            self._results.add(OTHER_RESEARCH, arm=other_research(self._spec, None)[0],
                              limits=asdict(research))  # fmt: skip
        begun = Research(**self._results.steps[OTHER_RESEARCH]["limits"])
        arm, spec = other_research(self._spec, begun)
        self._asker.buy("research", (self._run(arm, t, spec) for t in self._tasks))
        self._grade([(t, self.book.answer(arm, t)) for t in self._tasks])

    def _choose(self) -> Solo:
        """Once chosen it stays, or starting again could buy another panel."""
        if (best := self.book.best_solo) is None:
            best = max(self.book.solos, key=self._worth)  # the first of equals
            self._results.add(BEST, seat=best.seat, name=best.name)
        return best

    def _worth(self, solo: Solo) -> float:
        """Its mean score; on a pairwise task what it took from the preset."""
        points = []
        for task in self._tasks:
            answer, preset = self.book.solo(solo, task), self.book.answer(PRESET, task)
            if not answer or not preset:
                continue
            if task.is_scored:
                score = self.book.score(task, answer.text)
            else:
                score = _POINTS.get(self.book.outcome(task, preset.text, answer.text))
            if score is not None:
                points.append(score)
        return fmean(points) if points else 0.0

    def _match(self, best: Solo) -> None:
        round_ = 1
        while missing := list(self._samples(best, round_)):
            self._asker.buy("samples", missing)
            round_ += 1
        self._asker.buy("choose", self._selections())
        self._grade([(t, self.book.answer(MATCHED, t)) for t in self._tasks])

    def _samples(self, best: Solo, number: int) -> Iterator[Purchase]:
        """What the preset's cost buys beyond the answers that are there already."""
        for task in self._tasks:
            samples = self.book.samples(task)
            step = self.book.sample_step(task, number)
            if samples is None or step in self._results.steps:
                continue
            if (lacking := samples.wanted - len(samples.answers)) > 0:
                done = len(samples.answers)
                spec = samples_spec(self._spec, best.panelist, lacking, after=done)
                yield Purchase(step, task.prompt, spec, min(lacking, MAX_SEATS))

    def _selections(self) -> Iterator[Purchase]:
        for task in self._tasks:
            samples = self.book.samples(task)
            if samples is None or task.grader is Grader.EXACT:
                continue
            given = [a.text for a in samples.answers if a.text]
            if len(set(given)) > 1:
                step = self.book.select_step(task, given)
                yield self._judgement(step, select_question(task, given, self._mark(step)))

    # ---- grades

    def _grade(self, answers: Iterable[tuple[Task, ArmAnswer | None]]) -> None:
        self._asker.buy(
            "grade", (p for task, a in answers if a for p in self._grades(task, a.text))
        )

    def _grades(self, task: Task, text: str) -> Iterator[Purchase]:
        """Of one answer: by the rubric, or against the preset's."""
        if not self.book.is_graded(task, text):
            step = self.book.grade_step(task, text)
            yield self._judgement(step, rubric_question(task, text, self._mark(step)))
        preset = self.book.answer(PRESET, task)
        for first, second in self.book.unasked_orders(task, preset.text, text) if preset else ():
            step = self.book.pair_step(task, first, second)
            yield self._judgement(step, pairwise_question(task, first, second, self._mark(step)))

    def _mark(self, step: str) -> str:
        """Unguessable for whoever wrote an answer: the evaluation's name is random."""
        return f"{self._results.header['evaluation']}:{step}"

    def _judgement(self, step: str, question: Question) -> Purchase:
        room = GRADE_TOKENS + _TOKENS_PER_CRITERION * len(question.schema["properties"])
        grader = replace(
            self._grader,
            label="grader",
            temperature=0.0,
            max_output_tokens=self._grader.max_output_tokens or room,
            system_prompt=question.system,
            response_schema=question.schema,
            fallback=None,
        )

        def read(entry: Entry) -> Entry:
            try:
                if not entry["answer"]:
                    raise Unparsed(entry["error"])
                verdict: Any = question.read(entry["answer"])
            except Unparsed as unparsed:
                return {"verdict": None, "problem": f"unparsed: {unparsed}"}
            return {"verdict": verdict}

        return Purchase(step, question.user, one_answer_spec(self._spec, grader), 1, read)
