"""Prompts that people keep, with blanks to fill in, and what they said before they were changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PromptTemplate(models.Model):
    """A member's own: seen by its owner alone, until it is offered to the team."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prompt_templates"
    )
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    text = models.TextField()  # services/prompt_text.py reads it
    version = models.PositiveIntegerField(default=1)
    offered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class PromptVersion(models.Model):
    """The text as somebody left it: what a run names that was asked with it."""

    template = models.ForeignKey(PromptTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="version_of_prompt")
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
