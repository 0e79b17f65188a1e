"""A preset: a named, editable configuration that yields a spec.

Where a model is to be named, a *place* may stand instead, as `anthropic/strongest`
(catalog/places.py). Model and credential are then what it was filled with, and stay so until
they are gone or somebody has it filled anew.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from ..engine.spec import MAX_SEATS
from .credentials import Credential
from .terms import AskedTerms

# Bounds of a seat's options, wherever they are given.
MAX_TEMPERATURE = 2.0
MAX_OUTPUT_TOKENS = 10_000_000
MAX_SYSTEM_PROMPT = 20_000  # characters
MOST_REUSE_MINUTES = 60 * 24 * 30
LEAST_BUDGET = 0.0001
_TEMPERATURE = [MinValueValidator(0.0), MaxValueValidator(MAX_TEMPERATURE)]


class Effort(models.TextChoices):
    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Preset(AskedTerms):
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower comes first.")
    enabled = models.BooleanField(default=True)

    judge_place = models.CharField(
        "place to fill", max_length=40, blank=True, default="", db_default=""
    )
    judge_model = models.CharField(max_length=200, blank=True)
    judge_credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, related_name="judged_presets"
    )
    synthesizer_place = models.CharField(
        "place to fill", max_length=40, blank=True, default="", db_default=""
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

    judge_writes = models.BooleanField(
        "cheap writer too",
        default=False,
        db_default=False,
        help_text="The judge writes the fused answer, whoever is named as synthesizer. It costs "
        "less; with a cheap judge most of what fusing gains is lost.",
    )
    # Of which servers the places were filled, as services/places.py writes it.
    filled_from = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )

    judge_fallback_model = models.CharField(
        max_length=200, blank=True, help_text="Asked when the judge fails for good."
    )
    judge_fallback_credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    synthesizer_fallback_model = models.CharField(
        max_length=200, blank=True, help_text="Writes the fused answer when the synthesizer fails."
    )
    synthesizer_fallback_credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    criteria = models.TextField(
        blank=True,
        max_length=2000,
        help_text="What the judge weighs beyond the usual, in your words: “weigh legal risk”.",
    )

    # What the writer is told of the form: SHAPES of engine/steps/prompts.
    shape = models.CharField(
        "fused answer",
        max_length=40,
        blank=True,
        default="",
        db_default="",
        choices=[("", "full"), ("short", "short"), ("memo", "decision memo")],
        help_text="What whoever writes it is told of its form, unless the prompt asks for another.",
    )

    # Policy; empty means the usual.
    # As `services.wait_for` writes it: everyone, all_but_one, at_least:2, first:2.
    wait_for = models.CharField(max_length=40, blank=True, default="", db_default="")
    quorum = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_SEATS)],
        help_text="“At least”, as a number: used where the field above is empty.",
    )
    grace = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Seconds the silent have once enough answers are in; slow panels get more.",
    )
    panel_timeout = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1)],
        help_text="Seconds for the whole panel.",
    )
    retries = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(10)],
        help_text="Further tries of a call that failed before its first token, unbilled.",
    )
    repeat_unconfirmed = models.BooleanField(
        default=False,
        help_text="Repeat a request that vanished after it was sent, though it may have been "
        "billed.",
    )
    max_calls = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Per run."
    )
    max_tokens = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Per run, in and out."
    )
    run_budget = models.FloatField(
        "budget of a run",
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_BUDGET)],
        help_text="US dollars that no run with it costs more than, until its owner says go on.",
    )

    # So long the answer to the very same question stands.
    reuse_minutes = models.PositiveIntegerField(
        "same question",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_REUSE_MINUTES)],
        help_text="Minutes for which the very same question is offered the answer that is there, "
        "instead of being asked again. Empty: never.",
    )

    project = models.ForeignKey(
        "console.Project",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Runs with it belong there, unless they say otherwise.",
    )

    # Research, where a search engine is configured or a provider has one.
    web = models.CharField(
        "web",
        max_length=40,
        blank=True,
        default="",
        db_default="",
        choices=[
            ("", "as usual"),
            ("shared", "search before the panel is asked, the same for every seat"),
            ("own", "each seat searches and reads by itself"),
            ("provider", "each seat's provider searches"),
            ("off", "off"),
        ],
        help_text="As usual: on for Quality, off for the others. Only where a search engine is "
        "configured, but for a provider's own. Who cannot search gets what is looked up for all.",
    )
    web_queries = models.PositiveSmallIntegerField(
        "web: queries",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(8)],
    )
    web_pages = models.PositiveSmallIntegerField(
        "web: pages",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    web_seconds = models.FloatField(
        "web: seconds",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
    )

    web_claims = models.BooleanField(
        "web: doubtful claims",
        default=False,
        db_default=False,
        help_text="Where the web is searched, the judge also looks up contradictions and what only "
        "one answer says, at most four, before the fused answer is written.",
    )

    # Limits of every call; empty means the site's default.
    first_token_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text="Seconds."
    )
    stall_timeout = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1)], help_text="Seconds."
    )
    alive_timeout = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1)],
        help_text="Seconds without a word while its server sends signs of life.",
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

    @property
    def has_writer(self) -> bool:
        """Whether another model than the judge writes the fused answer."""
        return self.writer_model != self.judge_model

    @property
    def writer_model(self) -> str:
        return ("" if self.judge_writes else self.synthesizer_model) or self.judge_model


class PresetPanelist(AskedTerms):
    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="panelists")
    seat = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(MAX_SEATS - 1)], help_text="0 is the first column."
    )
    place = models.CharField("place to fill", max_length=40, blank=True, default="", db_default="")
    model = models.CharField(max_length=200, blank=True)
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT)
    label = models.CharField(max_length=30, blank=True)
    temperature = models.FloatField(null=True, blank=True, validators=_TEMPERATURE)
    max_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    seed = models.PositiveIntegerField(null=True, blank=True)
    reasoning_effort = models.CharField(max_length=10, choices=Effort, blank=True)
    system_prompt = models.TextField(blank=True)
    fallback_model = models.CharField(
        max_length=200, blank=True, help_text="Asked when the model fails for good."
    )
    fallback_credential = models.ForeignKey(
        Credential,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="Empty: the seat's own.",
    )

    class Meta:
        ordering = ["seat", "id"]
        verbose_name = "panelist"

    def __str__(self) -> str:
        return self.model
