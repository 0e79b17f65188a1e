from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.models import Heartbeat


class Command(BaseCommand):
    help = "Fails unless a worker on this host has a fresh heartbeat; for health checks."

    def handle(self, *args: Any, **options: Any) -> None:
        here = f"{socket.gethostname()[:60]}:"
        fresh = timezone.now() - timedelta(seconds=3 * settings.HEARTBEAT_SECONDS)
        if not Heartbeat.objects.filter(worker__startswith=here, beat_at__gt=fresh).exists():
            raise CommandError("No worker on this host has a fresh heartbeat.")
