from __future__ import annotations

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.worker.health import workers


class Command(BaseCommand):
    help = "Fails unless a worker on this host has a fresh heartbeat; for health checks."

    def handle(self, *args: Any, **options: Any) -> None:
        here = f"{socket.gethostname()[:60]}:"
        if not workers().filter(worker__startswith=here).exists():
            raise CommandError("No worker on this host has a fresh heartbeat.")
