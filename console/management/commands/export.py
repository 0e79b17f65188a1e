"""`manage.py export RUN`: a run as a file, on standard output."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.management.base import BaseCommand, CommandError
from django.http import Http404

from console import access
from console.engine.spec_versions import SpecUnreadable
from console.export import FORMS, ended_in_thread, export_runs
from console.models.runs import is_sample
from console.record.portable import Unfinished, Unwritable

SAMPLE = "sample"


class Command(BaseCommand):
    help = "Writes a run that has ended to standard output, to be taken along."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help=f"its id, as in its address; or “{SAMPLE}”")
        parser.add_argument("--format", choices=FORMS, default="json", help="default: json")
        parser.add_argument(
            "--thread", action="store_true", help="with what it goes on from, and what follows it"
        )
        parser.add_argument(
            "--user", help="whose runs are looked at, too; default: those of the team alone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        reader: User | AnonymousUser = AnonymousUser()
        readable = access.runs_of_the_team()
        if name := options["user"]:
            found = User.objects.filter(username=name, is_active=True).first()
            if found is None:
                raise CommandError(f"There is nobody named “{name}”.")
            reader, readable = found, access.runs_visible_to(found)
        try:
            run = access.one_of(readable, _id(options["run"]))
            runs = ended_in_thread(run, readable) if options["thread"] else [run]
            taken = export_runs(runs, options["format"], lambda one: access.shown_to(reader, one))
        except Http404:
            raise CommandError("There is no such run, or it may not be read from here.") from None
        except (Unfinished, Unwritable, SpecUnreadable) as why:
            raise CommandError(str(why)) from None
        if (raw := getattr(self.stdout, "buffer", None)) is not None:
            raw.write(taken.body)  # as they are, whatever the terminal's encoding
            raw.flush()
        else:
            self.stdout.write(taken.body.decode(), ending="")


def _id(text: str) -> uuid.UUID:
    if text == SAMPLE:
        for sample in access.runs_of_the_team().filter(is_sample(), follows=None):
            return sample.pk
        raise CommandError("This site has no sample.")
    try:
        return uuid.UUID(text)
    except ValueError:
        raise CommandError(f"“{text}” is no id of a run.") from None
