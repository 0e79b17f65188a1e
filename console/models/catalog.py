"""The catalog: which models each credential's server lists, and what it tells of them.

Rows, so that every process reads the same and knows them after a restart. A model that a
list has no longer is *gone* and stays, since runs, presets and prices go on naming it.
What a server does not tell is None.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from django.conf import settings
from django.db import models

from ..engine.usage import Price
from .credentials import Credential

# Prices are kept in nano-dollars per million tokens: whole numbers, and finer than any price.
NANO = 1_000_000_000
LARGEST = 2**63 - 1


class CatalogList(models.Model):
    """One credential's list: of which server it is, and when it was asked for and read last."""

    credential = models.OneToOneField(
        Credential, models.CASCADE, primary_key=True, related_name="catalog_list"
    )
    # Where the rows are from: behind another address are other models.
    address = models.CharField(max_length=300, blank=True)
    # Of the address and key that it was asked for with last; holds no secret.
    mark = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    # Why it could not be read when it was last asked for, as one sentence.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"List of {self.credential_id}"


class CatalogModel(models.Model):
    credential = models.ForeignKey(Credential, models.CASCADE, related_name="catalog")
    model = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    # In its server's order, and after it whatever an admin has named.
    position = models.PositiveIntegerField(default=100_000, editable=False)
    context_length = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField("longest output", null=True, blank=True)
    input_price = models.BigIntegerField(null=True, blank=True)
    output_price = models.BigIntegerField(null=True, blank=True)
    cached_input_price = models.BigIntegerField(null=True, blank=True)
    inputs = models.JSONField(null=True, blank=True)  # text, image, file, audio, …
    outputs = models.JSONField(null=True, blank=True)
    reasons = models.BooleanField(null=True, blank=True)
    takes_tools = models.BooleanField(null=True, blank=True)
    # Of one that its maker moves on from model to model: where it leads now.
    alias_of = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    first_seen_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    # What it cost before its list told another price; None: it told none before.
    price_changed_at = models.DateTimeField(null=True, blank=True)
    former_input_price = models.BigIntegerField(null=True, blank=True)
    former_output_price = models.BigIntegerField(null=True, blank=True)
    # What is really paid for it, as an admin says: it goes before every other price.
    own_input_price = models.BigIntegerField(null=True, blank=True)
    own_output_price = models.BigIntegerField(null=True, blank=True)
    own_price_at = models.DateTimeField(null=True, blank=True)
    # An admin's word, which no list has; None: nobody has said.
    can_judge = models.BooleanField(
        null=True,
        blank=True,
        help_text="No: answers are compared by words instead of by this model.",
    )

    class Meta:
        ordering = ["credential", "position", "model"]
        verbose_name = "model"
        constraints = [
            models.UniqueConstraint(fields=["credential", "model"], name="model_at_credential")
        ]

    def __str__(self) -> str:
        return self.model

    @property
    def credential_slug(self) -> str:
        return self.credential.slug

    @property
    def price(self) -> Price | None:
        if self.input_price is None or self.output_price is None:
            return None
        cached = self.cached_input_price
        return Price(
            dollars(self.input_price),
            dollars(self.output_price),
            None if cached is None else dollars(cached),
        )

    @property
    def own_price(self) -> Price | None:
        return _price(self.own_input_price, self.own_output_price)

    @property
    def former_price(self) -> Price | None:
        return _price(self.former_input_price, self.former_output_price)


class FavouriteModel(models.Model):
    """A model that somebody has given a star. Named, not linked: a list that is read anew, or a key
    that is made again, takes no star away."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="favourite_models"
    )
    credential = models.CharField(max_length=40)  # its slug
    model = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "credential", "model"], name="favourite_of_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.credential}:{self.model}"


def _price(given: int | None, made: int | None) -> Price | None:
    return None if given is None or made is None else Price(dollars(given), dollars(made))


def dollars(nano: int) -> Decimal:
    return Decimal(nano) / NANO


def nano_dollars(amount: Decimal | None) -> int | None:
    """A price that cannot be kept is not known; a fraction of a nano-dollar is rounded up."""
    if amount is None or not amount.is_finite():
        return None
    nano = int((amount * NANO).to_integral_value(ROUND_CEILING))
    return nano if 0 <= nano <= LARGEST else None
