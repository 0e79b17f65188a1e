"""Files that people attach: what is in one, once, and which runs use it.

The bytes stand outside the database, by their hash (`console/files/store.py`).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .runs import Run


class File(models.Model):
    hash = models.CharField(max_length=64, primary_key=True)
    type = models.CharField(max_length=100)  # by its content
    size = models.BigIntegerField()
    # What was found when it was read (`console/files/reading.py`): pages, width, height,
    # characters; `error` where it could not be, as one sentence.
    read = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(auto_now_add=True)
    # Somebody is about to use it: it is not taken away at once.
    touched_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return self.hash[:12]


class FileBringer(models.Model):
    """Who has brought it: what nobody asks about counts for them, until it is taken away."""

    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="bringers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    brought_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "file"], name="file_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.file_id[:12]} of {self.person_id}"


class RunPicture(models.Model):
    """A picture that came with an answer of the run: it stays as long as the run does."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="pictures")
    file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="answers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "file"], name="picture_of_run"),
        ]

    def __str__(self) -> str:
        return self.file_id[:12]


class RunFile(models.Model):
    """A file as a run has it: its name is that run's."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="files")
    file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="uses")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    # Of the conversation before: a follow-up is asked with it, and was not given it itself.
    is_earlier = models.BooleanField(default=False, db_default=False)
    # Seats that are given its text, whatever they take: somebody chose that.
    as_text = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="file_of_run"),
        ]

    def __str__(self) -> str:
        return f"File {self.number}"
