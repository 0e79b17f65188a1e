"""Room for files that were brought and that nobody has asked about or put into a project: so much
for a person, and so much for all. A day after they came they are taken away
(`store.remove_unused`)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet, Sum

from ..models import File, FileBringer
from .refused import FileRefused


def must_have_room(person: User | None) -> None:
    """Before another one is taken. Raises FileRefused."""
    unasked = File.objects.filter(uses=None, project_uses=None, answers=None)
    if person and _size(unasked.filter(bringers__person=person)) >= settings.UNASKED_BYTES:
        raise FileRefused(
            f"You have attached {_megabytes(settings.UNASKED_BYTES)} of files that nothing was "
            "asked about. Ask about some of them first; the others are gone a day after they came."
        )
    if _size(unasked) >= settings.UNASKED_SITE_BYTES:
        raise FileRefused(
            "No file can be attached now: the room for files that nothing was asked about yet is "
            "taken. It is free again a day after they came, or when an admin makes it larger."
        )


def brought_by(person: User | None, file: File) -> None:
    if person:
        FileBringer.objects.get_or_create(person=person, file=file)


def _size(files: QuerySet[File]) -> int:
    return files.aggregate(size=Sum("size"))["size"] or 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
