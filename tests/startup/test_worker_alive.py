from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from console.models import Heartbeat

pytestmark = pytest.mark.django_db


def beat(host: str, seconds_ago: float) -> None:
    then = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.create(worker=f"{host}:1", beat_at=then)


def test_a_worker_of_this_host_that_beats_is_alive() -> None:
    beat(socket.gethostname()[:60], 1)
    call_command("worker_alive")


def test_neither_an_old_beat_nor_another_host_counts() -> None:
    beat(socket.gethostname()[:60], 60)
    beat("elsewhere", 1)
    with pytest.raises(CommandError, match="fresh heartbeat"):
        call_command("worker_alive")
