"""Fusion and Call: the rows of what a run's models were asked and answered.

Panel answers never change once given. A `Fusion` is one judging of them; a run
may have none, one (the usual) or many. A `Call` is one request to one model:
another try is another call, it never overwrites one.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .runs import UNFINISHED, Run


class Fusion(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="fusions")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=40)
    judge = models.JSONField()
    synthesizer = models.JSONField()
    criteria = models.TextField(blank=True)
    # Seats a reader chose to fuse; empty: all.
    seats = models.JSONField(default=list, blank=True)
    judged = models.JSONField(default=list, blank=True)
    # Calls that were still writing then and went on beside it.
    without = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    analysis = models.JSONField(null=True, blank=True)
    # "words": no judge compared the answers (engine/findings/by_words.py).
    analysis_by = models.CharField(max_length=40, blank=True, default="", db_default="")
    analysis_reason = models.CharField(max_length=40, blank=True)
    analysis_error = models.TextField(blank=True)
    # Key of the answer that stands in where no fused answer could be written.
    best = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True)
    # Whether the fused answer says something else than the best single one (engine/worth.py).
    changed = models.BooleanField(null=True, blank=True)
    # A turn of an agent: what has been said since the writer called for tools (engine.state).
    turn = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )
    # What a reader asked of it: rulings, facts, an instruction, a way (engine.state).
    wish = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )
    # The number of the first tool call its writer made: by that the results find it again.
    called = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Panelists' preferences between their own answer and this one, asked on demand.
    poll = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Of one that a program asked for, as with a run: with which token, and what it asked.
    token = models.ForeignKey(
        "console.ApiToken",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="fusions",
    )
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - NULL: none was sent
    request_hash = models.CharField(max_length=64, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="fusion_number"),
            models.UniqueConstraint(fields=["token", "idempotency_key"], name="fusion_idempotency"),
        ]
        indexes = [
            models.Index(fields=["called"], name="fusion_called", condition=~Q(called="")),
            models.Index(fields=["token"], name="fusion_unfinished", condition=UNFINISHED),
            models.Index(fields=["token", "request_hash"], name="fusion_asked"),
        ]

    def __str__(self) -> str:
        return f"Fusion {self.number}"


class Call(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="calls")
    fusion = models.ForeignKey(
        Fusion, on_delete=models.CASCADE, related_name="calls", null=True, blank=True
    )
    # The key of `engine.state`: step, seat or fusion, and number.
    key = models.CharField(max_length=40)
    step = models.CharField(max_length=40)
    seat = models.PositiveSmallIntegerField(null=True, blank=True)
    number = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=40)
    panelist = models.JSONField()
    status = models.CharField(max_length=40)
    text = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - NULL: it did not say
    reason = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    tool_calls = models.JSONField(default=list, blank=True)
    unreadable = models.PositiveSmallIntegerField(default=0, db_default=0)
    citations = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    attachments = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    # It ended in calls of tools of ours: what goes back with its next turn (engine/receipt.py).
    goes_on = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )
    output_limit = models.PositiveIntegerField(null=True, blank=True)
    # How each file was given to it (engine/given_files.py).
    files = models.JSONField(
        default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    usage = models.JSONField(default=dict)
    cost = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    # Who said so (engine/receipt.py); nobody knows of a call that ended before this was kept.
    cost_source = models.CharField(max_length=40, blank=True, default="", db_default="")
    model = models.CharField(max_length=200, blank=True)
    provider = models.CharField(max_length=200, blank=True)
    generation_id = models.CharField(max_length=200, blank=True)
    # Of an answer that was taken over: run and key of the call that was paid for (engine.state).
    taken_from = models.CharField(max_length=100, blank=True, default="", db_default="")
    # Another call follows this failed one, at this time and for this cause.
    retry_at = models.DateTimeField(null=True, blank=True)
    retry_cause = models.CharField(max_length=40, blank=True)
    # Written before the first byte goes out: an unrecorded bill cannot happen.
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_token_at = models.DateTimeField(null=True, blank=True)
    first_text_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="call_key")]
        indexes = [models.Index(fields=["started_at"], name="call_started")]

    def __str__(self) -> str:
        return self.key
