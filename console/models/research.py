"""What the sources of a run say, by their numbers in its pool (`Run.research`). A text is as long
as a page, so it stands in no row that lists and pages read."""

from __future__ import annotations

from django.db import models

from .runs import Run


class SourceText(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="source_texts")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="source_of_run")]

    def __str__(self) -> str:
        return f"Source {self.number}"
