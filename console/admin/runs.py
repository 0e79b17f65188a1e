"""Runs as they were saved, to read; the most an admin may do is delete one.

What is in a run is for whoever may read it on its page: of anybody else's an admin sees whose
it is, when it was, with which preset, what it cost and how it stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..access import is_readable_by
from ..engine.state import RunStatus
from ..models import Call, Fusion, Preset, Run
from ..models.runs import Origin
from ..record.newest import beginning, with_beginning
from ..search import find, read_query
from ..services.wish import CUSTOM
from .bounded import BoundedPaginator, in_one_line


def folded(text: str) -> SafeString | str:
    """Long text behind one line, escaped: models wrote it."""
    if not text:
        return "—"
    return format_html(
        '<details><summary>{} characters</summary><pre class="folded">{}</pre></details>',
        f"{len(text):,}",
        text,
    )


def folded_json(value: Any) -> SafeString | str:
    return folded(json.dumps(value, indent=2, ensure_ascii=False)) if value else "—"


class _ReadOnly(admin.options.BaseModelAdmin[Any]):
    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CallInline(_ReadOnly, admin.StackedInline[Call, Run]):
    model = Call
    extra = 0
    can_delete = False
    fields = [
        ("key", "status", "cause"),
        ("asked", "model", "provider"),
        ("finish_reason", "reason", "status_code"),
        "error",
        "answer",
        "thinking",
        ("usage", "cost"),
        ("sent_at", "first_token_at", "finished_at"),
    ]
    readonly_fields = ["asked", "answer", "thinking"]

    @admin.display(description="asked for")
    def asked(self, call: Call) -> str:
        return f"{call.panelist.get('credential', '')}:{call.panelist.get('model', '')}"

    @admin.display(description="text")
    def answer(self, call: Call) -> str:
        return folded(call.text)

    @admin.display(description="reasoning")
    def thinking(self, call: Call) -> str:
        return folded(call.reasoning)


class FusionInline(_ReadOnly, admin.StackedInline[Fusion, Run]):
    model = Fusion
    extra = 0
    can_delete = False
    fields = [
        ("number", "status"),
        ("analysis_by", "analysis_reason", "analysis_error"),
        "findings",
        "fused",
    ]
    readonly_fields = ["findings", "fused"]

    @admin.display(description="analysis")
    def findings(self, fusion: Fusion) -> str:
        return folded_json(fusion.analysis)

    @admin.display(description="fused answer")
    def fused(self, fusion: Fusion) -> str:
        return folded(fusion.text)


class _Words(admin.SimpleListFilter):
    """Of a column without choices: those that this version has a word for."""

    words: Sequence[tuple[str, str]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return self.words

    def queryset(self, request: HttpRequest, runs: QuerySet[Run]) -> QuerySet[Run]:
        return runs.filter(**{self.parameter_name or "": self.value()}) if self.value() else runs


class StatusFilter(_Words):
    title, parameter_name = "status", "status__exact"
    words = [(status.value, status.value) for status in RunStatus]


class OriginFilter(_Words):
    title, parameter_name = "origin", "origin__exact"
    words = [one for one in Origin.choices if one[0] != Origin.DELETED]


class PresetFilter(_Words):
    """Those that there are: which of them have runs is not looked up. Another's stands in the
    address as well."""

    title, parameter_name = "preset", "preset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [*Preset.objects.values_list("slug", "name"), (CUSTOM, "Custom")]


FOUND = 500  # of those that say it, the newest
NOT_SHOWN = "not shown: private"
PROMPT_SHOWN = 80


UNREAD = ("messages", "spec", "histories", "follows_calls", "error", "imported", "template")
# Of owners their names are shown.
OF_OWNERS = [
    f"owner__{field.name}"
    for field in User._meta.concrete_fields
    if field.name not in ("id", "username")
]


class NewestRuns(ChangeList):
    """Without what is large in a run and not shown here."""

    def get_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Run]:
        runs: QuerySet[Run] = super().get_queryset(*args, **kwargs)
        return with_beginning(runs.defer(*UNREAD, *OF_OWNERS), PROMPT_SHOWN)


@admin.register(Run)
class RunAdmin(_ReadOnly, admin.ModelAdmin[Run]):
    list_display = [
        "short_prompt", "owner", "preset_name", "status", "visibility", "cost", "created_at",
    ]  # fmt: skip
    list_filter = [StatusFilter, "visibility", PresetFilter, OriginFilter]
    list_select_related = ["owner"]
    sortable_by = ["cost", "created_at"]
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    search_fields = ["owner__username", "preset_name"]
    search_help_text = f"Owners, presets, and words of runs that you may read (the newest {FOUND})."
    _outside = [
        ("id", "owner", "came_from"),
        ("preset_name", "visibility"),
        ("status", "reason", "attempt"),
        ("cost", "cost_is_partial"),
        ("created_at", "started_at", "finished_at"),
    ]
    readonly_fields = ["privacy", "came_from", "whole_prompt", "configuration"]

    @admin.display(description="origin")
    def came_from(self, run: Run) -> str:
        """One that a later version has written is shown as it wrote it."""
        return dict(Origin.choices).get(run.origin, run.origin)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestRuns

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        readable = ExpressionWrapper(_for(request), BooleanField())
        runs: QuerySet[Run] = super().get_queryset(request).exclude(origin=Origin.DELETED)
        return runs.annotate(is_readable=readable)

    def get_fields(self, request: HttpRequest, obj: Run | None = None) -> list[Any]:
        if not _is_readable(obj):
            return ["privacy", *self._outside]
        return [*self._outside, "error", "whole_prompt", "configuration"]

    def get_inlines(self, request: HttpRequest, obj: Run | None) -> list[Any]:
        return [CallInline, FusionInline] if _is_readable(obj) else []

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        """A prompt that may not be read is not to be guessed either."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        query = read_query(search_term)
        if query.terms:
            hits = find(request.user, query, count=FOUND, as_admin=True).hits
            found |= queryset.filter(_for(request), pk__in=[hit.run for hit in hits])
        return found, may_repeat

    @admin.display(description="prompt")
    def short_prompt(self, run: Run) -> SafeString:
        return shown_prompt(run)

    @admin.display(description="what is in it")
    def privacy(self, run: Run) -> str:
        return "Its owner keeps this run to themselves: prompt and answers are not shown here."

    @admin.display(description="prompt")
    def whole_prompt(self, run: Run) -> str:
        return folded(run.prompt)

    @admin.display(description="spec")
    def configuration(self, run: Run) -> str:
        return folded_json(run.spec)


def shown_prompt(run: Run) -> SafeString:
    return in_one_line(beginning(run) if _is_readable(run) else NOT_SHOWN)


def _for(request: HttpRequest) -> Q:
    """Those that nobody owns, as the grading runs of an evaluation, are nobody's secret."""
    return is_readable_by(request.user) | Q(owner=None)


def _is_readable(run: Run | None) -> bool:
    return bool(getattr(run, "is_readable", False))
