"""A preset: a named, editable configuration that yields a spec."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from ..engine.spec import MAX_SEATS
from .credentials import Credential

_TEMPERATURE = [MinValueValidator(0.0), MaxValueValidator(2.0)]


class Effort(models.TextChoices):
    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Preset(models.Model):
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower comes first.")
    enabled = models.BooleanField(default=True)

    judge_model = models.CharField(max_length=200)
    judge_credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, related_name="judged_presets"
    )
    synthesizer_model = models.CharField(
        max_length=200, blank=True, help_text="Empty: the judge also writes the fused answer."
    )
    synthesizer_credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        related_name="written_presets",
        null=True,
        blank=True,
    )

    # Limits; empty means the site's default.
    first_token_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text="Seconds."
    )
    stall_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text="Seconds."
    )
    total_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text="Seconds."
    )
    analysis_max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    synthesis_max_output_tokens = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class PresetPanelist(models.Model):
    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="panelists")
    seat = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(MAX_SEATS - 1)], help_text="0 is the first column."
    )
    model = models.CharField(max_length=200)
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT)
    label = models.CharField(max_length=30, blank=True)
    temperature = models.FloatField(null=True, blank=True, validators=_TEMPERATURE)
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    seed = models.PositiveIntegerField(null=True, blank=True)
    reasoning_effort = models.CharField(max_length=10, choices=Effort, blank=True)
    system_prompt = models.TextField(blank=True)

    class Meta:
        ordering = ["seat", "id"]
        verbose_name = "panelist"

    def __str__(self) -> str:
        return self.model
