"""All that can be found is read anew from the runs: by workers, a few at a time, or at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ...search.filling import begin_anew, claim_fill, fill


class Command(BaseCommand):
    help = "Read the words of every run into the search anew; workers do it, the newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="do it here and wait for its end")

    def handle(self, *args: Any, **options: Any) -> None:
        begin_anew()
        if not options["now"]:
            self.stdout.write("Workers read it, the newest first. Nothing is missing meanwhile.")
            return
        read = 0
        while claim_fill():
            read += fill()
        self.stdout.write(f"{read:,} runs can be found by what they say.")
