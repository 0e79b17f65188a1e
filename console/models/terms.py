"""The terms that presets, seats and tokens ask for, as columns."""

from __future__ import annotations

from django.db import models

from ..engine.terms import Terms

# The columns of `AskedTerms`.
TERMS = ("zero_retention", "no_training", "only_local", "only_providers")


def provider_names(text: str) -> tuple[str, ...]:
    """As people write them: with commas or spaces between, each once."""
    return tuple(dict.fromkeys(text.casefold().replace(",", " ").split()))


class AskedTerms(models.Model):
    zero_retention = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Only where nothing is kept of what is sent and answered.",
    )
    no_training = models.BooleanField(
        default=False, db_default=False, help_text="Only where no model is trained on it."
    )
    only_local = models.BooleanField(
        "only on this machine",
        default=False,
        db_default=False,
        help_text="Only models of which the text goes to nobody else.",
    )
    only_providers = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Only these providers, by OpenRouter's names: azure, openai. Empty: any.",
    )

    class Meta:
        abstract = True

    @property
    def terms(self) -> Terms:
        return Terms(
            only_local=self.only_local,
            zero_retention=self.zero_retention,
            no_training=self.no_training,
            only_providers=provider_names(self.only_providers),
        )
