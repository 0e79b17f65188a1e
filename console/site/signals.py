"""After every migration (and after a flush), give the site what it starts with; before a run
is deleted, give those that follow it what they asked."""

from __future__ import annotations

from typing import Any

from django.apps import apps as today
from django.apps.registry import Apps
from django.db import transaction
from django.db.models.signals import post_migrate, pre_delete
from django.dispatch import receiver

from ..catalog import built_in
from ..catalog import seed_data as starters
from ..models import Run
from ..record.asked import hand_down


@receiver(post_migrate, dispatch_uid="console.starters")
def give_starters(sender: Any, using: str, apps: Apps = today, **_: Any) -> None:
    if sender.label != "console":
        return
    from .sample import sample_give  # what reads it, no worker needs

    try:
        for name in ("Seed", "Credential", "Preset", "PresetPanelist", "Run", "Fusion", "Call"):
            apps.get_model("console", name)
    except LookupError:
        return  # migrated back to before these tables
    with transaction.atomic(using=using):
        starters.give(apps, using)
        built_in.follow(apps, using)
        sample_give(apps, using)


@receiver(pre_delete, sender=Run, dispatch_uid="console.followers")
def leave_followers_their_messages(instance: Run, **_: Any) -> None:
    hand_down(instance)
