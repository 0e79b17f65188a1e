"""Rows about the installation itself."""

from __future__ import annotations

from django.db import models

from .credentials import Credential


class Heartbeat(models.Model):
    """One row per living worker process; health is read from its age."""

    worker = models.CharField(max_length=100, unique=True)
    beat_at = models.DateTimeField()
    # The longest time, in ms, the worker's event loop stood still since the last beat.
    stall_ms = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.worker


class InstallClaim(models.Model):
    """The one-time right to create the first admin; only the token's hash is stored."""

    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"claim of {self.created_at:%Y-%m-%d %H:%M}"


class Seed(models.Model):
    """Something the site starts with and was once given: never made again if it is deleted."""

    name = models.CharField(max_length=80, unique=True)

    def __str__(self) -> str:
        return self.name


class SiteChoices(models.Model):
    """What admins have chosen for the whole site: one row, or none while nobody has."""

    # The model that runs are compared with: what it alone would cost stands beside the price.
    reference_credential = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reference_model = models.CharField(max_length=200, blank=True, default="", db_default="")
    runs_have_budget = models.BooleanField(default=True, db_default=True)

    # Before a question is asked: whether something like it was asked before.
    tells_like = models.BooleanField(default=True, db_default=True)

    class Meta:
        verbose_name = "choice for the site"
        verbose_name_plural = "choices for the site"

    def __str__(self) -> str:
        return "Choices for the site"
