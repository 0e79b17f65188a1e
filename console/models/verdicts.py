"""What a person found best of a run's answers: one verdict of each who may read it, to be changed.

It holds what was judged and what was seen of it, since a verdict on other answers, or with names
that were hidden, says something else: `answers` are the calls by seat, `seen` is `names` (whether
models were named), `order` (the letters as they stood) and `look` (what filled the window; "" of a
program).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .runs import Run


class Verdict(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="verdicts")
    # NULL: it came with a run that was taken along, and whose it was stayed there.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="verdicts"
    )
    # A letter, "tie" or "all_bad".
    best = models.CharField(max_length=40)
    note = models.TextField(blank=True)
    answers = models.JSONField(default=dict, blank=True)
    seen = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "person"], name="verdict_of_person"),
        ]

    def __str__(self) -> str:
        return f"Verdict {self.pk}"
