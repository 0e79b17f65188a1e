"""`manage.py local_servers`: model servers on this machine; `up` asks at its terminal by it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.services.errors import Refused
from console.services.nearby import Offer, server_decline, server_use, servers_near


class Command(BaseCommand):
    help = (
        "Lists the model servers found on this machine. Before --use they are asked for their "
        "lists of models and for nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--use", metavar="URL", help="make a preset of its models")
        act.add_argument("--not-now", metavar="URL", help="do not offer it any more")
        act.add_argument(
            "--unanswered", action="store_true", help="those nobody has said yes or no to, as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if url := options["use"]:
                preset = server_use(url=url)
                self.stdout.write(f"{preset.name} asks them now. {preset.description}")
            elif url := options["not_now"]:
                server_decline(url=url)
                self.stdout.write("They stay at hand under Provider keys.")
            else:
                self._list(is_for_up=options["unanswered"])
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def _list(self, *, is_for_up: bool) -> None:
        offers = servers_near()
        if is_for_up:
            told = [{"url": o.server.url, "question": _question(o)} for o in offers if o.is_open]
            self.stdout.write(json.dumps(told))
            return
        for offer in offers:
            state = " (in use)" if offer.is_used else ""
            models = ", ".join(model.name for model in offer.server.models)
            self.stdout.write(f"{offer.server.url}  {offer.server.name}{state}: {models}")
        if not offers:
            self.stdout.write("No model server was found.")


def _question(offer: Offer) -> str:
    count, names = len(offer.server.models), ", ".join(offer.chosen)
    models = "1 model" if count == 1 else f"{count} models"
    return (
        f"{offer.server.name} was found {offer.where}: {models}. Make the Local preset of {names}? "
        f"Nothing was sent to {'it' if count == 1 else 'them'} yet."
    )
