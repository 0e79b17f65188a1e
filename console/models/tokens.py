"""An API token: what a program shows to act for its owner.

The token itself is shown once and not kept: a row holds its SHA-256 (it is
long and random, so a plain hash is enough) and its first characters, by which
its owner knows it. A limit that is empty does not apply.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from .money import DAY, NANO, TOKEN, Purse
from .terms import AskedTerms


class Scope(models.TextChoices):
    RUN = "run", "Start runs"
    READ = "read", "Read runs"
    MODELS = "models", "List models"


def all_scopes() -> list[str]:
    return list(Scope.values)


def known_scopes(scopes: Any) -> None:
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(Scope.values):
        raise ValidationError(f"Scopes are a list of {', '.join(Scope.values)}.")


class ApiToken(AskedTerms):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=all_scopes, validators=[known_scopes])
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, default=120, validators=[MinValueValidator(1)]
    )
    concurrent_runs = models.PositiveIntegerField(
        null=True, blank=True, default=20, validators=[MinValueValidator(1)]
    )
    # What a request need not say (`services/token_defaults.py`); NULL: nothing. No column here may
    # be other than empty: SQLite would make the table anew, and lose one that older processes read.
    defaults = models.JSONField(null=True, blank=True)
    # The most that a run may cost which it starts, whatever a request says.
    run_budget_nano = models.BigIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def spending_per_day(self) -> Decimal | None:
        """Its budget of a day, in US dollars."""
        purse = Purse.objects.filter(kind=TOKEN, subject=str(self.pk), period=DAY).first()
        return purse.limit if purse else None

    @property
    def spending_per_run(self) -> Decimal | None:
        """In US dollars."""
        return None if self.run_budget_nano is None else Decimal(self.run_budget_nano) / NANO

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
