"""What people save for themselves, and what presets were before they were changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .presets import Preset


class OwnPreset(models.Model):
    """A member's own: seen by its owner alone, until it is offered to the team.

    `content` names models as people type them (services/panel_content.py), so that no key is
    kept from being removed by what somebody has saved with it.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="own_presets"
    )
    # Of one namespace with the site's: it is what programs and addresses name.
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    content = models.JSONField()
    # Where runs with it belong, unless they say otherwise.
    project = models.ForeignKey(
        "console.Project",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    offered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class PresetVersion(models.Model):
    """A preset as somebody left it: the site's, or a member's own."""

    preset = models.ForeignKey(
        Preset, on_delete=models.CASCADE, null=True, blank=True, related_name="versions"
    )
    own = models.ForeignKey(
        OwnPreset, on_delete=models.CASCADE, null=True, blank=True, related_name="versions"
    )
    number = models.PositiveIntegerField()
    content = models.JSONField()
    # Nobody: the site itself, as where places are filled anew.
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["preset", "number"],
                condition=Q(preset__isnull=False),
                name="version_of_preset",
            ),
            models.UniqueConstraint(
                fields=["own", "number"], condition=Q(own__isnull=False), name="version_of_own"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
