"""How people keep their runs in order: tags, stars, what is put aside, and what was deleted."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from .runs import Run

STAR, ARCHIVE = "star", "archive"
KEPT_DAYS = 7  # in which what was deleted may be put back


class RunTag(models.Model):
    """Its owner's word for a run, for whoever may read it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="tag_of_run")]
        indexes = [models.Index(fields=["name", "run"], name="tag_named")]

    def __str__(self) -> str:
        return self.name


class RunMark(models.Model):
    """A person's own of a run that they may read, whosever it is: a star, or that it is put
    aside."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="marks")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="run_marks"
    )
    kind = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "run"], name="mark_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class RunDeletion(models.Model):
    """A run that was deleted and may still be put back.

    Until it is really gone the run itself has no owner, no team, no link and no token: there is
    no door left through which a list, a search or an address could come upon it, whichever is
    built later. What it had of them is `kept` here, for who puts it back.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="deletion")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField(db_index=True)
    # Of runs that were deleted by one act, the same: they are put back by one.
    act = models.UUIDField(default=uuid.uuid4, db_index=True)
    kept = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "pk"]

    def __str__(self) -> str:
        return f"Deletion {self.pk}"


class LookedAt(models.Model):
    """When others last did something to a person's runs, and until when that person has seen it:
    one row each, so that the head of a page asks for nothing more."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="looked_at"
    )
    at = models.DateTimeField(null=True)
    news_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id}, who looked {self.at}"


class DailyWork(models.Model):
    """What is done once a day by one worker, whoever comes first: a row that is updated where it
    is old enough."""

    name = models.CharField(max_length=40, unique=True)
    done_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
