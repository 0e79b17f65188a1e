"""Addresses by which a run is read without an account, as far as each lets it be read.

The address itself is shown once, to whoever made it: a row holds its SHA-256 (it is long and
random, so a plain hash is enough). Of a run one is open at a time; those before it stay as rows,
so that who has one is told that it has ended.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings
from django.db import models

from .runs import Run
from .shown import HIDEABLE, Shown


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class ShareLink(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    # NULL: whoever made it is gone, or it is from before this was kept.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Of `shown.HIDEABLE`.
    hides = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Link {self.pk}"

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def hidden(self) -> list[str]:
        """In words."""
        return [words for name, words in HIDEABLE.items() if name in self.hides]

    @property
    def shown(self) -> Shown:
        return Shown(
            costs="costs" not in self.hides,
            models="models" not in self.hides,
            prompt="prompt" not in self.hides,
            people=False,
            notes=False,
            earlier=False,
            inner=False,
        )
