"""`manage.py import FILE`: runs that were taken along, to be read here."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from console.services.errors import Refused
from console.services.imports import runs_import


class Command(BaseCommand):
    help = "Brings in what `export` wrote as JSON, to be read. Prints the id of each run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the file, or - to read it from standard input")
        parser.add_argument("--user", help="whose runs they are; default: the team's to read")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = None
        if name := options["user"]:
            owner = User.objects.filter(username=name, is_active=True).first()
            if owner is None:
                raise CommandError(f"There is nobody named “{name}”.")
        try:
            name = options["file"]
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            runs = runs_import(raw=raw, owner=owner)
        except OSError as error:
            raise CommandError(f"“{name}” cannot be read: {error.strerror}.") from None
        except Refused as why:
            raise CommandError(str(why)) from None
        for run in runs:
            self.stdout.write(str(run.pk))
