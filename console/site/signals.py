"""After every migration (and after a flush), give the site what it starts with."""

from __future__ import annotations

from typing import Any

from django.apps import apps as today
from django.apps.registry import Apps
from django.db import transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from ..catalog import seed_data as starters


@receiver(post_migrate, dispatch_uid="console.starters")
def give_starters(sender: Any, using: str, apps: Apps = today, **_: Any) -> None:
    if sender.label != "console":
        return
    try:
        for name in ("Seed", "Credential", "Preset", "PresetPanelist"):
            apps.get_model("console", name)
    except LookupError:
        return  # migrated back to before these tables
    with transaction.atomic(using=using):
        starters.give(apps, using)
