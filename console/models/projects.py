"""Projects: named sets of runs that the whole team sees, each with what every run in it is told."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from .files import File
from .money import NANO


class Project(models.Model):
    """`made_by` and admins change it; whoever is on the team asks in it. A run keeps the context
    that it was asked with (`Run.context`)."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    context = models.TextField(blank=True)
    # The slug of the preset that is offered first in it: the site's, or one that a member offers.
    preset = models.CharField(max_length=40, blank=True)
    # What each of its runs may cost at most; a day's and a month's budget are purses.
    run_budget_nano = models.BigIntegerField(null=True, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def run_budget(self) -> Decimal | None:
        return None if self.run_budget_nano is None else Decimal(self.run_budget_nano) / NANO


class ProjectFile(models.Model):
    """A file that runs of the project may look things up in. Its words are entries of the search,
    of a kind of their own (`search/of_files.py`)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="files")
    file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="project_uses")
    name = models.CharField(max_length=200)
    # Where it is looked at, as this site was reached when it was added.
    address = models.CharField(max_length=500, blank=True, default="", db_default="")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "file"], name="file_of_project"),
        ]

    def __str__(self) -> str:
        return f"File {self.pk}"
