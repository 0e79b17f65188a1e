"""`manage.py evaluate TASKS.jsonl --preset SLUG`: is the preset worth it, on one's own prompts?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.engine.spec import Panelist, Research, Spec
from console.evaluation.asking import Asker, Deleted
from console.evaluation.evaluation import Evaluation
from console.evaluation.report import as_table, make_report
from console.evaluation.results import BadResults, Results
from console.evaluation.spending import LimitReached, SpendingLimits, spent
from console.evaluation.tasks import BadTasks, fingerprint, load_tasks
from console.models import Preset
from console.services.build_spec import build
from console.services.errors import Refused
from console.services.presets import preset_lacks, preset_spec
from console.services.web import OFF, SHARED, limits_of_web, research_for
from console.services.wish import Wish
from console.worker.health import has_worker, is_up


class Command(BaseCommand):
    help = (
        "Answer tasks by each model of a preset's panel alone, by the best of them sitting as a "
        "whole panel, and by the preset; grade the answers and report what fusing was worth. "
        "Starting again with the same results file goes on where it ended and buys nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tasks", type=Path, help="one JSON object a line: docs/evaluation.md")
        parser.add_argument("--preset", required=True, help="a preset's slug")
        parser.add_argument("--grader", help="MODEL or CREDENTIAL:MODEL; default: preset's judge")
        parser.add_argument(
            "--match-cost",
            action="store_true",
            help="also give the best solo model as many samples as the preset's cost buys",
        )
        parser.add_argument(
            "--research",
            action="store_true",
            help="also answer as the preset does without what it looks up on the web, or with it",
        )
        parser.add_argument("--max-cost", type=_money, help="dollars; asked before each step")
        parser.add_argument("--max-calls", type=_count, help="model calls; asked before each step")
        parser.add_argument("--at-once", type=_count, default=1, help="runs side by side; 1")
        parser.add_argument("--out", type=Path, help="results file; default: in var/evaluations/")
        parser.add_argument("--json", type=Path, help="write the report there as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tasks = load_tasks(options["tasks"])
            spec = _spec(options["preset"])
            grader = _grader(options["grader"]) if options["grader"] else spec.judge
            research = _research(options["preset"]) if options["research"] else None
        except (BadTasks, Refused) as refusal:
            raise CommandError(str(refusal)) from None
        if not is_up():
            raise CommandError("Fusion is not running here. Start it: python3 manage.py up")
        if not has_worker():
            raise CommandError("No worker is running. Start it: python3 manage.py up")
        out = options["out"] or _usual_file(options["tasks"], options["preset"])
        header: dict[str, Any] = {
            "tasks": fingerprint(tasks),
            "preset": options["preset"],
            "grader": {"model": grader.model, "credential": grader.credential},
            "grader_options": grader.to_dict(),
            "spec": spec.to_dict(),
        }
        try:
            with Results(out, header) as results:
                # As it was when this evaluation began, whatever became of the preset since.
                spec = Spec.from_dict(results.header["spec"])
                grader = Panelist.from_dict(results.header["grader_options"])
                self._warn(spec, grader, results)
                limits = SpendingLimits(options["max_cost"], options["max_calls"])
                asker = Asker(results, limits, at_once=options["at_once"], say=self.stderr.write)
                evaluation = Evaluation(tasks, spec, grader, results, asker)
                stopped = self._carry_out(evaluation, research, options)
                report = make_report(evaluation.book, results.header, stopped=stopped)
                self._warn_of_unknown_cost(results, limits)
        except BadResults as bad:
            raise CommandError(str(bad)) from None
        self.stdout.write(as_table(report))
        if options["json"]:
            _write(options["json"], report)
        if stopped:
            sys.exit(1)

    def _carry_out(
        self, evaluation: Evaluation, research: Research | None, options: dict[str, Any]
    ) -> str:
        """ "" when all is done, else why not."""
        try:
            evaluation.carry_out(match_cost=options["match_cost"], research=research)
        except LimitReached as limit:
            return f"{limit} Start again with a higher limit to go on."
        except (Deleted, Refused) as refusal:
            return f"{refusal} Start again to go on."
        except KeyboardInterrupt:
            # What is under way is paid for: it goes on, and is found when started again.
            self.stderr.write("Stopped. Start again to go on; nothing is bought twice.")
            sys.exit(130)
        return ""

    def _warn(self, spec: Spec, grader: Panelist, results: Results) -> None:
        if results.steps:
            self.stderr.write(f"Going on with {results.path}: {len(results.steps)} steps are done.")
        if grader.model in {p.model for p in (*spec.panel, spec.writer)}:
            self.stderr.write(
                f"{grader.model} grades answers it had a part in, and may favour them: "
                "--grader names another model."
            )
        if not grader.can_judge:
            self.stderr.write(
                f"{grader.short_name} is too small to judge: its grades say little. "
                "--grader names another model."
            )

    def _warn_of_unknown_cost(self, results: Results, limits: SpendingLimits) -> None:
        unknown = spent(results.steps).unknown
        if unknown and limits.max_cost is not None:
            self.stderr.write(
                f"Of {unknown} steps the cost is not known: --max-cost could not count them. "
                "--max-calls limits those too."
            )


def _spec(slug: str) -> Spec:
    """Raises Refused."""
    preset = Preset.objects.filter(slug=slug, enabled=True).first()
    if preset is None:
        known = ", ".join(Preset.objects.filter(enabled=True).values_list("slug", flat=True))
        raise Refused(f"There is no preset “{slug}”. Presets: {known or 'none'}.")
    if lacks := preset_lacks(preset):
        raise Refused(lacks)
    return preset_spec(preset)


def _research(slug: str) -> Research | None:
    """As the preset would look things up. Raises Refused where nobody can."""
    preset = Preset.objects.get(slug=slug)
    return research_for(SHARED, OFF, limits_of_web(preset))


def _grader(name: str) -> Panelist:
    """Raises Refused."""
    return build(Wish(panel=[name], judge=name)).judge


def _usual_file(tasks: Path, preset: str) -> Path:
    return Path(settings.VAR_DIR) / "evaluations" / f"{tasks.stem}-{preset}.jsonl"


def _write(path: Path, report: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None


def _money(text: str) -> Decimal:
    try:
        money = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise ArgumentTypeError(f"{text} is no sum of dollars") from None
    if not money.is_finite() or money < 0:
        raise ArgumentTypeError(f"{text} is no sum of dollars")
    return money


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is no number from 1 on")
    return int(text)
