"""`manage.py fuse "PROMPT"`: a run from the shell, through worker and log like any other."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.http import Http404

from console import access
from console.api.openai import shapes
from console.api.runs.quoted import quote_reply
from console.catalog.listings import all_models
from console.catalog.near import did_you_mean
from console.engine.errors import Reason
from console.engine.findings.given import fused_answer
from console.engine.given_files import lacked
from console.engine.spec import Spec, letter
from console.engine.state import RunState, Step
from console.engine.steps.condense import condensing_of
from console.engine.terms import NobodyLeft
from console.engine.usage import money
from console.fragments.quoted import quote_view
from console.management.dollars import dollars
from console.management.terms import add_terms, terms_of
from console.models import Preset, Project, Run
from console.record.by_words import compared, put_together
from console.record.follow import until_final
from console.record.public import run_object
from console.record.told import Seat
from console.services.attaching import ToAttach, file_bring, without
from console.services.brought import Brought, brought, largest_file, name_of_file, read_file
from console.services.build_spec import build
from console.services.errors import Refused
from console.services.habits import history
from console.services.own_presets import own_wish
from console.services.presets import default_preset_slug, preset_lacks, preset_wish, usual_wish
from console.services.project_files import looked_into
from console.services.projects import offered_first, project_of_preset
from console.services.quote import quote_of
from console.services.runs import run_cancel, run_start
from console.services.site import reference
from console.services.wait_for import read_wait_for
from console.services.wish import Wish, judge_writes
from console.worker.health import is_up

AT_A_TIME = 1_000_000  # bytes of a file
UNPAID = 3  # the exit status where a budget did not pay for all of it


class Command(BaseCommand):
    help = (
        "Ask a panel one prompt and print the answers, the analysis and the fused answer. The exit "
        "status is 1 where that failed, 3 where a budget did not pay for all of it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="the prompt, or - to read it from standard input")
        parser.add_argument("--preset", help="a preset's slug; default: as on the page")
        parser.add_argument("--panel", help="MODEL,MODEL,… (1 to 8), instead of a preset")
        parser.add_argument("--judge", help="with --panel; default: the panel's first model")
        parser.add_argument(
            "--answer",
            metavar="FILE",
            action="append",
            default=[],
            help="an answer from elsewhere, a Markdown or text file; can be given several times",
        )
        parser.add_argument(
            "--attach",
            metavar="FILE",
            action="append",
            default=[],
            help="a picture, PDF, Office document or text the prompt is about; several times",
        )
        parser.add_argument(
            "--answers-only", action="store_true", help="nobody else answers: --answer's are fused"
        )
        parser.add_argument(
            "--wait-for",
            metavar="WHOM",
            help="everyone, all_but_one, at_least:2 or first:2; default: as the preset says",
        )
        parser.add_argument(
            "--web",
            choices=("shared", "own", "provider", "off"),
            default="",
            help="shared: search the web before the panel is asked; own: each seat searches and "
            "reads with tools; provider: its provider searches; default: as the preset says",
        )
        parser.add_argument("--policy", help="NAME=VALUE,… for this run, as in retries=0,grace=3")
        parser.add_argument(
            "--compare-first", action="store_true", help="stop after the panel; fuse later"
        )
        parser.add_argument(
            "--cheap-writer", action="store_true", help="the judge writes the fused answer, too"
        )
        parser.add_argument(
            "--max-cost", metavar="DOLLARS", help="the most that its calls may cost together"
        )
        parser.add_argument(
            "--project", default="", help="that it belongs to, by its name in addresses"
        )
        parser.add_argument(
            "--quote", action="store_true", help="say what it will probably cost; ask nobody"
        )
        add_terms(parser, "of whoever is sent the prompt")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["quote"] or is_up()):
            raise CommandError("Fusion is not running here. Start it: python3 manage.py up")
        max_cost = dollars("--max-cost", options["max_cost"])
        prompt = sys.stdin.read() if options["prompt"] == "-" else options["prompt"]
        try:
            project = _project(options["project"])
            if project and project.preset and not (options["preset"] or options["panel"]):
                options["preset"] = project.preset
            wish = self._wish(options)
            spec = build(wish)
            project = project or project_of_preset(spec.preset)
            spec = looked_into(spec, project)
            if options["quote"]:
                told = [project.context, prompt] if project and project.context else [prompt]
                self._quote(spec, told, wish, as_json=options["json"])
                return
            files = [_attached(path) for path in options["attach"]]
            for sentence in without(spec, files):
                self.stderr.write(sentence)
            run = run_start(
                owner=None,
                prompt=prompt,
                spec=spec,
                answers=wish.answers,
                origin="shell",
                visibility="team",
                max_cost=max_cost,
                files=files,
                project=project,
            )
        except (Refused, NobodyLeft) as refusal:
            raise CommandError(str(refusal)) from None
        try:
            # The shell acts for nobody in particular: it reads what the team reads.
            may = partial(access.run_of_the_team, run.pk)
            state = asyncio.run(until_final(run, self.stderr.write, may, or_answered=True))
            close_old_connections()  # it may have been away meanwhile
            run.refresh_from_db()
        except KeyboardInterrupt:
            # Nobody reads on: it must not go on costing money.
            run_cancel(run=run)
            self.stderr.write(f"Stopped. What had arrived is kept in run {run.pk}.")
            sys.exit(130)
        except Run.DoesNotExist:
            raise CommandError(f"Run {run.pk} was deleted.") from None
        except Http404:
            if not Run.objects.filter(pk=run.pk).exists():
                raise CommandError(f"Run {run.pk} was deleted.") from None
            raise CommandError(f"Run {run.pk} may not be read from here any more.") from None
        if options["json"]:
            self.stdout.write(json.dumps(as_object(run, spec, state), ensure_ascii=False, indent=2))
        else:
            self._print(run, spec, state)
        failed = shapes.failed(spec, state, run_id=str(run.pk))
        if failed and failed.code == shapes.UNPAID:
            sys.exit(UNPAID)
        if state.outcome != "completed":
            sys.exit(1)

    def _quote(self, spec: Spec, told: list[str], wish: Wish, *, as_json: bool) -> None:
        answers = [answer.text for answer in wish.answers]
        quote = quote_of(spec, told, history(), answers, reference())
        if as_json:
            reply = quote_reply(quote).model_dump(mode="json")
            self.stdout.write(json.dumps(reply, ensure_ascii=False, indent=2))
            return
        view = quote_view(quote)
        first = (view.cost, view.took, view.rests_on)
        self.stdout.write(" · ".join(filter(None, first)))
        for name, cost in view.parts:
            self.stdout.write(f"  {name} {cost}")
        for line in filter(None, (view.alone, *view.notes)):
            self.stdout.write(f"  {line}")

    def _wish(self, options: dict[str, Any]) -> Wish:
        pairs = [p.partition("=") for p in (options["policy"] or "").split(",") if p.strip()]
        chosen = {name.strip(): value.strip() for name, _, value in pairs}
        for name, value in chosen.items():
            if not value:
                raise CommandError(f"--policy: “{name}” has no value. As in retries=0,grace=3.")
        answers = [_read(number, path) for number, path in enumerate(options["answer"])]
        if options["answers_only"]:
            wish = self._without_a_panel(options, answers)
        else:
            wish = replace(self._panel_wish(options), answers=answers)
        if options["cheap_writer"]:
            wish = judge_writes(wish)
        return replace(
            wish,
            terms=wish.terms.and_also(terms_of(options)),
            policy=chosen,
            wait_for=read_wait_for(options["wait_for"]),
            web=options["web"],
            stop_after="panel" if options["compare_first"] else "",
        )

    def _without_a_panel(self, options: dict[str, Any], answers: Sequence[Brought]) -> Wish:
        """Judged by whom is named, or as the preset judges; where nobody can, by nobody."""
        if not answers:
            raise CommandError("--answers-only goes with --answer FILE.")
        if options["panel"]:
            raise CommandError("Give either --panel or --answers-only.")
        if options["judge"]:
            wish = Wish(judge=options["judge"])
        elif options["preset"]:
            wish = self._panel_wish(options)
        else:
            wish = usual_wish() or Wish()
        return replace(wish, panel=(), answers=answers)

    def _panel_wish(self, options: dict[str, Any]) -> Wish:
        if options["panel"]:
            if options["preset"]:
                raise CommandError("Give either --preset or --panel.")
            panel = [name.strip() for name in options["panel"].split(",") if name.strip()]
            return Wish(panel=panel, judge=options["judge"] or (panel or [""])[0])
        if options["judge"]:
            raise CommandError("--judge goes with --panel, or with --answers-only.")
        slug = options["preset"] or default_preset_slug()
        if slug == "custom":
            offered = ", ".join(m.model for m in all_models()[0][:8]) or "none is listed"
            raise CommandError(f"Name a panel: --panel MODEL,MODEL,… Models: {offered}.")
        preset = Preset.objects.filter(slug=slug, enabled=True).first()
        of_member = None if preset else offered_first(_project(options["project"]))
        if of_member and of_member.slug == slug:
            return own_wish(of_member)
        if preset is None:
            known = ", ".join(Preset.objects.filter(enabled=True).values_list("slug", flat=True))
            near = did_you_mean(slug, known.split(", "))
            raise CommandError(
                f"There is no preset “{slug}”.{near} Presets: {known}; or use --panel."
            )
        if lacks := preset_lacks(preset):
            raise Refused(lacks)
        return preset_wish(preset)

    def _print(self, run: Run, spec: Spec, state: RunState) -> None:
        write = self.stdout.write
        for seat, name in enumerate(spec.seat_names()):
            call = state.latest(Step.PANEL, seat=seat)
            write(f"=== {letter(seat)} · {name} ===")
            write(call.text.strip() if call else "")
            if call and call.error:
                write(f"[{call.error}]")
            for one in lacked(call.files) if call else ():
                write(f"[{one}]")
            write("")
        fusion = state.fusion
        for note in _condensing(state):
            write(f"[{note}]\n")
        if fusion and fusion.analysis:
            write("=== Analysis ===")
            if by_words := compared(fusion):
                write(f"[{by_words}]\n")
            write(_analysis(fusion.analysis) + "\n")
        elif fusion and fusion.analysis_error:
            write(f"=== Analysis ===\n[{fusion.analysis_error}]\n")
        if text := fused_answer(state):
            title = "Best single answer" if fusion and fusion.best else "Fused answer"
            write(f"=== {title} ===\n{text.strip()}\n")
            if how := put_together(state, fusion):
                write(f"[{how}]\n")
        if state.started_at and state.finished_at:
            seconds = state.finished_at - state.started_at
            write(f"{state.status} in {seconds:.1f} s, cost {money(*state.cost())}")
        if state.is_answered:
            on = ", ".join(letter(c.seat) for c in state.going_on if c.seat is not None)
            write(f"{on} still writes. Fuse with it, too, when it has ended: run {run.pk}")
        if state.error:
            self.stderr.write(state.error)


def _project(slug: str) -> Project | None:
    if not slug:
        return None
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        near = did_you_mean(slug, [*Project.objects.values_list("slug", flat=True)])
        raise CommandError(f"There is no project “{slug}”.{near}")
    return project


def _attached(path: str) -> ToAttach:
    """Raises Refused."""
    try:
        with open(path, "rb") as file:
            return file_bring(name=path, data=iter(partial(file.read, AT_A_TIME), b""))
    except OSError as error:
        raise Refused(f"--attach {path}: {error.strerror or error}.") from None


def _read(number: int, path: str) -> Brought:
    """Raises Refused."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            most = largest_file()
            # What has no size, as a pipe, is read no further than that.
            read = None if size > most else file.read(most + 1)
    except OSError as error:
        raise Refused(f"--answer {path}: {error.strerror or error}.") from None
    if read is not None:
        size = max(size, len(read))
    text = read_file(number=number, name=path, size=size, read=read)
    return brought(number=number, name=name_of_file(path), text=text)


def as_object(run: Run, spec: Spec, state: RunState) -> dict[str, Any]:
    """The run as every program is told it, and the same in the words this command began with."""
    public_run = run_object(run, spec, state)
    fusion = state.fusion
    failed = shapes.failed(spec, state, run_id=public_run.id)
    return public_run.model_dump(mode="json", exclude={"seats"}) | {
        "error_code": failed.code if failed else None,
        "answers": [
            {
                "seat": number,
                "model": seat.model,
                "text": seat.text,
                "finish_reason": seat.finish_reason,
                "error": _error(seat),
            }
            for number, seat in enumerate(public_run.seats)
        ],
        "analysis": fusion.analysis if fusion else None,
        "analysis_error": (fusion.analysis_error or None) if fusion else None,
        "condensing": _condensing(state),
        "fused_answer": fused_answer(state) or None,
        "usage": state.usage().to_dict(),
    }


def _condensing(state: RunState) -> list[str]:
    condensing = condensing_of(state, state.fusion.number) if state.fusion else None
    sentences = []
    if condensing and condensing.condensed:
        sentences.append(
            f"Condensed before judging: {', '.join(map(letter, condensing.condensed))}."
        )
    if condensing:
        sentences += [
            f"{letter(s)} was too long and left out. {why}"
            for s, why in condensing.left_out.items()
        ]
    return sentences


def _error(seat: Seat) -> dict[str, Any] | None:
    if seat.call is None:
        return {"reason": Reason.CANCELLED.value, "message": "It was never asked."}
    return {"reason": seat.reason, "message": seat.error or ""} if seat.reason else None


def _analysis(analysis: dict[str, Any]) -> str:
    from console.engine.findings.analysis import analysis_with_notes

    return analysis_with_notes(analysis)
