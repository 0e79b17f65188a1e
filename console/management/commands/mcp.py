"""`manage.py mcp`: Fusion's tools for a desktop client, over standard input and output."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from console.mcp.callers import Shell


class Command(BaseCommand):
    help = "Serve Fusion's tools to an MCP client over standard input and output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="whose runs they are; default: nobody's, for the team")

    def handle(self, *args: Any, **options: Any) -> None:
        from console.mcp.server import make_server

        user = None
        if options["user"]:
            user = User.objects.filter(username=options["user"], is_active=True).first()
            if user is None:
                raise CommandError(f"There is no active user “{options['user']}”.")
        server = make_server(lambda context: Shell(user))
        try:
            asyncio.run(server.run_stdio_async())
        except KeyboardInterrupt:
            pass  # the client has gone
