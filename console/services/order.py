"""A run's title and tags, which are its owner's, and what each reader keeps for themselves of it:
a star, and that it is archived, out of their list."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction

from ..engine.text import storable
from ..models import Run, RunMark, RunTag
from ..models.order import ARCHIVE, STAR
from ..record.questions import whole
from ..search import index
from .errors import Refused

LONGEST_TITLE, LONGEST_TAG, MOST_TAGS = 200, 40, 20
KINDS = (STAR, ARCHIVE)
_BETWEEN = re.compile(r"[,;\n]")


def run_title(*, run: Run, title: str) -> None:
    """Without one it is called by its first sentence again."""
    title = _in_one_line(title)
    if len(title) > LONGEST_TITLE:
        raise Refused(f"A title has at most {LONGEST_TITLE} characters; this one {len(title)}.")
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(title=title)
        index(run.pk)
    run.title = title


def tags_typed(text: str) -> list[str]:
    """As people write them in one line, with commas between."""
    return _BETWEEN.split(text)


def clean_tags(names: Iterable[str]) -> list[str]:
    """Each once, however it is capitalised; "#" is only a way to write one."""
    found: dict[str, str] = {}
    for name in names:
        tag = _in_one_line(name).lstrip("#").strip()
        if len(tag) > LONGEST_TAG:
            raise Refused(f"A tag has at most {LONGEST_TAG} characters: “{tag[:LONGEST_TAG]}…”.")
        if _BETWEEN.search(tag):
            raise Refused("A tag has no comma in it.")
        if tag:
            found.setdefault(tag.casefold(), tag)
    if len(found) > MOST_TAGS:
        raise Refused(f"A question has at most {MOST_TAGS} tags.")
    return [*found.values()]


def run_tags(*, run: Run, names: Iterable[str]) -> None:
    """In the place of those that it had."""
    tags = clean_tags(names)
    with transaction.atomic():
        Run.objects.select_for_update().filter(pk=run.pk).first()
        had = {*run.tags.values_list("name", flat=True)}
        run.tags.filter(name__in=had - {*tags}).delete()
        RunTag.objects.bulk_create(RunTag(run=run, name=tag) for tag in tags if tag not in had)
        index(run.pk)


def runs_tag(*, runs: Sequence[Run], names: Iterable[str]) -> None:
    """Beside those that each has."""
    tags = clean_tags(names)
    if not tags:
        raise Refused("Write a tag first.")
    with transaction.atomic():
        for run in runs:
            run_tags(run=run, names=[*run.tags.values_list("name", flat=True), *tags])


def runs_mark(*, runs: Collection[Run], person: User, kind: str, on: bool) -> None:
    if kind not in KINDS:
        raise Refused("A question is starred or archived.")
    with transaction.atomic():
        if on:
            marks = (RunMark(run=run, person=person, kind=kind) for run in runs)
            RunMark.objects.bulk_create(marks, ignore_conflicts=True)
        else:
            RunMark.objects.filter(run__in=runs, person=person, kind=kind).delete()
        for run in runs:
            index(run.pk)


def question_goes_on(*, of: Run) -> None:
    """What was put aside is back in its readers' lists when something is asked on it."""
    if not RunMark.objects.filter(run=of, kind=ARCHIVE).exists():
        return
    aside = RunMark.objects.filter(run__in=whole([of], Run.objects.all()), kind=ARCHIVE)
    run_ids = {*aside.values_list("run", flat=True)}
    aside.delete()
    for run_id in run_ids:
        index(run_id)


def _in_one_line(text: str) -> str:
    return " ".join(storable(text).split())
