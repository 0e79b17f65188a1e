"""Run: the row that is the truth about what was asked, as those in calls.py are about what was
answered.

What a later version may know more of (steps, causes, origins, states) has no choices and room
for 40 characters, so that a new one is no migration.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, F, Func, Q

from ..engine.spec import Spec
from ..engine.state import RunStatus
from ..engine.unnamed import Unnamed


class Visibility(models.TextChoices):
    PRIVATE = "private", "Only me"
    TEAM = "team", "Everyone on the team"
    LINK = "link", "Anyone with the link"


# Of a run, too, but no value of that column: the team may read it, as long as it is in its project.
PROJECT = "project"


class Origin(models.TextChoices):
    PAGE = "page"
    SHELL = "shell"
    API = "api"
    # Came with the site to be read: nobody was asked, nothing was spent, and no figure counts it.
    SAMPLE = "sample"
    # By `manage.py evaluate`: nobody's question, so it stands in no list of people's.
    EVALUATION = "evaluation"
    # On its way out: `order.RunDeletion` has whose it was, and what it came from.
    DELETED = "deleted"
    # Brought along from another site, to be read: as with a sample, no figure counts it.
    IMPORTED = "imported"


# Of these no figure is made: nobody was asked here, or they are on their way out.
READ_ONLY = (Origin.SAMPLE, Origin.IMPORTED, Origin.DELETED)


UNFINISHED = Q(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

# Conditions of the indexes below, with their values in the SQL itself: SQLite uses a partial
# index where it can see that its condition holds, and of a parameter it sees nothing.


def is_unfinished(status: str = "status") -> Func:
    """Of a run or a fusion; `status` is the way to its column."""
    return _as_in_index(status, f"IN ('{RunStatus.QUEUED.value}', '{RunStatus.RUNNING.value}')")


def is_sample(origin: str = "origin") -> Func:
    return _as_in_index(origin, f"= '{Origin.SAMPLE.value}'")


def is_evaluation(origin: str = "origin") -> Func:
    return _as_in_index(origin, f"= '{Origin.EVALUATION.value}'")


def has_called() -> Func:
    """Of a fusion: that its writer has called a tool."""
    return Func(F("called"), template="NOT (%(expressions)s = '')", output_field=BooleanField())


def _as_in_index(column: str, is_so: str) -> Func:
    return Func(F(column), template=f"%(expressions)s {is_so}", output_field=BooleanField())


class Run(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="runs"
    )
    origin = models.CharField(max_length=40, default=Origin.PAGE)
    # A form posted twice makes one run.
    client_run_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    # Of a run from the API: which token started it, and what was asked, so that the same
    # request again is answered with the same run.
    token = models.ForeignKey(
        "console.ApiToken", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - NULL: none was sent
    request_hash = models.CharField(max_length=64, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)  # that request had its whole reply
    # The client of that request, or of a turn's, went away before that.
    left_at = models.DateTimeField(null=True, blank=True)
    # That request came again after the run had failed, and was told so (api/planning/failures.py).
    failure_repeated_at = models.DateTimeField(null=True, blank=True)
    # Its owner's; "": the first sentence of the prompt.
    title = models.CharField(max_length=200, blank=True, default="", db_default="")
    prompt = models.TextField()
    messages = models.JSONField()
    spec = models.JSONField()
    preset = models.CharField(max_length=40)
    preset_name = models.CharField(max_length=60)
    # Which of the preset's versions it was; NULL: no preset's, or asked before they were counted.
    preset_version = models.PositiveIntegerField(null=True, blank=True)
    # What it belongs to, and what that said to every run in it when this one was asked.
    project = models.ForeignKey(
        "console.Project",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        db_index=False,
    )
    context = models.TextField(blank=True, default="", db_default="")
    # The template its prompt was filled in from: key, name, version and values, as
    # services/prompts.py writes it. NULL: written freely.
    template = models.JSONField(null=True, blank=True)

    status = models.CharField(max_length=40, default=RunStatus.QUEUED)
    reason = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    # Where in the event log it says as much as these rows do: "<attempt>-<number of a batch>".
    log_position = models.CharField(max_length=60, default="", db_default="", blank=True)
    # Attempts up to this one ended in order, with an earlier opening or handed back by a
    # worker that was stopped: the rows hold all that the log said of them.
    reopened_after = models.PositiveIntegerField(default=0)
    # What readers ask of a run under way; the worker looks.
    fuse_requested_at = models.DateTimeField(null=True, blank=True)
    stopped_seats = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    idle_seconds = models.FloatField(default=0)
    grace_until = models.DateTimeField(null=True, blank=True)
    # Copied from the calls when the run ends, so that lists need not add up.
    cost = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    cost_is_partial = models.BooleanField(default=False)

    # What it was expected to cost as it was started (services/estimates.py). NULL: nobody said.
    estimate = models.JSONField(null=True, blank=True)
    # Once its first fusion's calls have cost so much nobody else is asked, since nobody said how
    # much it may cost (nano-dollars). NULL: no such limit, or somebody has gone on.
    usual_budget_nano = models.BigIntegerField(null=True, blank=True)

    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PRIVATE)
    # Of one that the team may read: only as long as it is in its project.
    leaves_with_project = models.BooleanField(default=False, db_default=False)
    # Always NULL: addresses are `links`, by their hashes. For web processes of the version before.
    share_token = models.CharField(max_length=64, unique=True, null=True, blank=True)

    # The run it goes on from, and from which of its answers: "fused", "seat-<n>" or "own"
    # (each seat from its own). `follows_calls` names the very calls (`record.asked`), and its
    # messages are built from those; NULL: `messages`, and `histories` (seat -> its own), are
    # stored.
    follows = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="followed_by"
    )
    follows_from = models.CharField(max_length=40, blank=True)
    follows_calls = models.JSONField(null=True, blank=True)
    histories = models.JSONField(default=dict, blank=True)

    # The run whose question it asks again.
    again_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="asked_again",
    )

    # What was searched and read for it (engine/pool.py); what the pages say is in SourceText.
    research = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )

    # Of one that was imported: `asked_at`, when it was asked where it was, and what of its
    # document this version does not know (record/portable/unknown.py).
    imported = models.JSONField(null=True, blank=True)

    # Not of the row: whether a budget may concern it, as its worker has found.
    has_purse: bool = False
    # Not of the row: `record.turns` notes it for who reads the run.
    queue_place: int | None = None
    # Not of the row: of one that is read without names of models, what takes them away.
    unnamed: Unnamed | None = None
    # Not of the row: it is read without what was asked.
    is_unasked: bool = False

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["visibility", "-created_at"]),
            models.Index(
                fields=["status", "lease_until"],
                name="run_unfinished",
                condition=UNFINISHED,
            ),
            models.Index(fields=["token"], name="run_of_token_unfinished", condition=UNFINISHED),
            models.Index(fields=["owner"], name="run_of_owner_unfinished", condition=UNFINISHED),
            models.Index(fields=["token", "-created_at"]),
            # The same request again.
            models.Index(fields=["token", "request_hash", "-created_at"], name="run_asked"),
            # The admin's list and what it can be narrowed by, without a look at the rows, which
            # are large.
            models.Index(fields=["-created_at", "status", "preset", "origin"], name="run_listed"),
            models.Index(fields=["origin"], name="run_sample", condition=Q(origin="sample")),
            # What goes on from a run: few do, and with the many that do not in it SQLite takes
            # this for an index that finds nothing.
            models.Index(
                fields=["follows", "created_at"],
                name="run_followed_by",
                condition=Q(follows__isnull=False),
            ),
            models.Index(
                fields=["again_of"], name="run_asked_again", condition=Q(again_of__isnull=False)
            ),
            models.Index(
                fields=["project", "-created_at"],
                name="run_of_project",
                condition=Q(project__isnull=False),
            ),
            models.Index(
                fields=["visibility", "-created_at"],
                name="run_evaluated",
                condition=Q(origin="evaluation"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["token", "idempotency_key"], name="api_key_idempotency"
            ),
        ]

    def __str__(self) -> str:
        """Without its prompt: titles, logs and lists of what is deleted go to whoever may not
        read it."""
        return f"Run {self.pk}"

    @property
    def preset_told(self) -> str:
        """Its preset's name, and which version of it where there is more than one."""
        version = self.preset_version or 1
        return f"{self.preset_name}, version {version}" if version > 1 else self.preset_name

    @property
    def shared_with(self) -> str:
        """`visibility`, or "project": the team, as long as it is in its project."""
        is_projects = self.visibility == Visibility.TEAM and self.leaves_with_project
        return PROJECT if is_projects else self.visibility

    @property
    def shared_in_words(self) -> str:
        return (
            "Everyone in the project"
            if self.shared_with == PROJECT
            else (self.get_visibility_display())
        )

    @property
    def is_final(self) -> bool:
        return RunStatus(self.status).is_final

    @property
    def is_sample(self) -> bool:
        return self.origin == Origin.SAMPLE

    @property
    def is_imported(self) -> bool:
        return self.origin == Origin.IMPORTED

    @property
    def is_read_only(self) -> bool:
        return self.origin in READ_ONLY

    @property
    def asked_at(self) -> float:
        if self.imported and "asked_at" in self.imported:
            return float(self.imported["asked_at"])
        return self.created_at.timestamp()

    @property
    def frozen_spec(self) -> Spec:
        return Spec.from_dict(self.spec)
