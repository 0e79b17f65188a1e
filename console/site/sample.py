"""The sample: a finished run that a new site opens on, so that one sees what a run is before
anything is asked or paid.

Nobody was asked it: its panel is made up, its answers were written for it. It is given once, to
a site where nothing has been asked; who removes it does not get it again (`Seed`).
"""

from __future__ import annotations

from pathlib import Path

from django.apps import apps as today
from django.apps.registry import Apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction

from ..models import Run, Seed, Visibility
from ..models.runs import Origin
from ..record.portable import bring_in, read

FILE = Path(__file__).with_name("sample.json")
SEED = "sample:1"


def sample_give(apps: Apps = today, using: str = DEFAULT_DB_ALIAS) -> None:
    if not settings.SAMPLE or using != DEFAULT_DB_ALIAS or not _is_of_today(apps):
        return
    if not Seed.objects.get_or_create(name=SEED)[1] or Run.objects.exists():
        return
    document = read(FILE.read_bytes())
    bring_in(document, owner=None, visibility=Visibility.TEAM, origin=Origin.SAMPLE)


def sample_remove() -> None:
    with transaction.atomic():
        Run.objects.filter(origin=Origin.SAMPLE).delete()


def _is_of_today(apps: Apps) -> bool:
    """A database that was migrated back has not the columns that are written here."""
    return all(
        _columns(apps, name) == _columns(today, name) for name in ("Run", "Fusion", "Call", "Seed")
    )


def _columns(apps: Apps, name: str) -> set[str]:
    return {field.name for field in apps.get_model("console", name)._meta.fields}
