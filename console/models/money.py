"""Purse, Window and Hold: what may be spent, what was, and what calls under way may still cost.

Amounts are whole nano-dollars. A purse belongs to an owner, which is a kind and an id (`run`,
`usual`, `person`, `token`, `project`, or `site`, which has none), and has a limit for each run, day
or month. `run` is what somebody said that a run may cost, `usual` what one may of which nobody said
so, until somebody who has seen what it cost asks it for more; its `shares` are what each of its
calls may count on. A window is one such day or month in the site's time zone. A hold is the money
of one call: taken from its windows in the transaction that marks the call as sent, settled in the
one that saves its end. It stays as the ledger: what a window has spent is the sum of what its holds
were settled at. So does that of a search by the site's own engine (`engine`), which is no call: it
is made whether or not a budget concerns it, since nothing else says when it was paid.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Replace

RUN, USUAL, PERSON, TOKEN, SITE = "run", "usual", "person", "token", "site"
PROJECT = "project"
FOR_A_RUN, DAY, MONTH = "run", "day", "month"
# The order in which windows are locked, by everybody: the one that most calls share comes last
# and is held for the shortest time.
OF_A_RUN = (RUN, USUAL)
RANKS = {RUN: 0, USUAL: 0, TOKEN: 1, PERSON: 2, PROJECT: 3, SITE: 4}

NANO = 1_000_000_000
MOST_DOLLARS = Decimal(1_000_000_000)


class Purse(models.Model):
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=40, blank=True, default="")
    period = models.CharField(max_length=40)
    limit_nano = models.BigIntegerField(validators=[MinValueValidator(0)])
    shares = models.JSONField(null=True, blank=True)  # money/shares.py
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "subject", "period"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "period"], name="purse_of_owner"),
        ]
        verbose_name = "budget"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip() + f", {self.period}"

    @property
    def limit(self) -> Decimal:
        return Decimal(self.limit_nano) / NANO


class Window(models.Model):
    purse = models.ForeignKey(Purse, on_delete=models.CASCADE, related_name="windows")
    rank = models.PositiveSmallIntegerField()
    starts = models.DateField()
    spent_nano = models.BigIntegerField(default=0)
    held_nano = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["rank", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["purse", "starts"], name="window_of_purse"),
            models.CheckConstraint(condition=Q(held_nano__gte=0), name="window_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.purse_id} from {self.starts}"


class Hold(models.Model):
    run = models.ForeignKey(
        "console.Run", on_delete=models.SET_NULL, null=True, related_name="holds"
    )
    call = models.CharField(max_length=40)  # its key
    # Whom the site paid for a search of the web; "" of a call to a model.
    engine = models.CharField(max_length=40, blank=True, default="", db_default="")
    attempt = models.PositiveIntegerField()
    amount_nano = models.BigIntegerField()
    windows = models.JSONField(default=list)
    # Its input by an estimate, and prices of a million tokens: by these a call is settled whose
    # provider never said what it cost.
    input_tokens = models.PositiveIntegerField()
    input_price_nano = models.BigIntegerField()
    output_price_nano = models.BigIntegerField()
    # "list", or "worst_case" where nobody knows what the model costs.
    priced_by = models.CharField(max_length=40)
    # The output limit it went out with where the usual one could not be paid.
    output_limit = models.PositiveIntegerField(null=True, blank=True)
    settled_nano = models.BigIntegerField(null=True, blank=True)
    is_estimated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "call", "attempt"], name="hold_of_call"),
        ]
        indexes = [
            models.Index(fields=["run"], name="hold_open", condition=Q(settled_nano=None)),
            models.Index(fields=["created_at"], name="hold_of_search", condition=~Q(engine="")),
        ]

    def __str__(self) -> str:
        return f"{self.call} of {self.run_id}"


def run_subject(run_id: Any) -> str:
    """A run's id as its purse has it: the same on both databases."""
    return str(run_id).replace("-", "")


def has_purse() -> Exists:
    """Of a run: whether any budget may concern it. Asked within a query that is made anyway, so
    that a site without budgets asks nothing more."""
    own = Replace(Cast(OuterRef("pk"), CharField()), Value("-"), Value(""))
    project = Cast(OuterRef("project_id"), CharField())
    its = Q(kind__in=OF_A_RUN, subject=own) | Q(kind=PROJECT, subject=project)
    return Exists(Purse.objects.filter(Q(kind__in=(PERSON, TOKEN, SITE)) | its))
