"""`manage.py create_token USER`: an API token, alone on its line, for scripts to read."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.management.dollars import dollars
from console.management.terms import add_terms
from console.models.terms import TERMS
from console.models.tokens import Scope
from console.services.errors import Refused
from console.services.token_defaults import FANOUTS, TokenDefaults
from console.services.tokens import DEFAULT_DAYS, token_create


class Command(BaseCommand):
    help = "Makes an API token for a person and prints it, alone on its line. It is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        every = ",".join(Scope.values)
        parser.add_argument(
            "user",
            nargs="?",
            help="whose token it is: a username; may be left out while there is one person only",
        )
        parser.add_argument("--name", default="", help="what its owner knows it by")
        parser.add_argument("--scopes", default=every, help=f"default: {every}")
        parser.add_argument(
            "--expires-days",
            type=int,
            default=DEFAULT_DAYS,
            help=f"default: {DEFAULT_DAYS}; 0: never",
        )
        parser.add_argument("--requests-per-minute", type=int, default=120, help="0: no limit")
        parser.add_argument("--concurrent-runs", type=int, default=20, help="0: no limit")
        parser.add_argument("--spending-per-day", help="US dollars; default: no limit")
        parser.add_argument("--spending-per-run", help="US dollars; default: what is usual")
        parser.add_argument("--preset", default="", help="slug; where a request says none")
        parser.add_argument(
            "--visibility",
            choices=["private", "team"],
            default="private",
            help="of its runs, where a request says nothing; default: private",
        )
        parser.add_argument("--project", default="", help="slug; where a request says none")
        parser.add_argument(
            "--fanout",
            choices=FANOUTS,
            default="once",
            help="of an agent's turns, where a request says nothing; default: once",
        )
        parser.add_argument(
            "--cancel-on-disconnect",
            action="store_true",
            help="a run is stopped when its client goes, where a request says nothing",
        )
        add_terms(parser, "with each of its requests")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = _person(options["user"])
        days = options["expires_days"]
        if not 0 <= days <= 36500:
            raise CommandError("--expires-days is a number of days, or 0 for never.")
        try:
            _, secret = token_create(
                owner=owner,
                name=options["name"],
                scopes=[s.strip() for s in options["scopes"].split(",") if s.strip()],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
                requests_per_minute=_limit(options["requests_per_minute"]),
                concurrent_runs=_limit(options["concurrent_runs"]),
                spending_per_day=dollars("--spending-per-day", options["spending_per_day"]),
                spending_per_run=dollars("--spending-per-run", options["spending_per_run"]),
                defaults=TokenDefaults(
                    preset=options["preset"],
                    visibility=options["visibility"],
                    fanout=options["fanout"],
                    project=options["project"],
                    cancel_on_disconnect=options["cancel_on_disconnect"],
                ),
                **{name: options[name] for name in TERMS},
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(secret)


def _person(name: str | None) -> User:
    if name is None:
        people = list(User.objects.filter(is_active=True)[:2])
        if len(people) == 1:
            return people[0]
        raise CommandError(
            "Name the person: create_token USER"
            if people
            else "Nobody has an account yet: open the one-time link that `up` printed."
        )
    owner = User.objects.filter(username=name).first()
    if owner is None:
        raise CommandError(f"There is nobody named “{name}”.")
    return owner


def _limit(number: int) -> int | None:
    if number < 0:
        raise CommandError("A limit is a number, or 0 for none.")
    return number or None
