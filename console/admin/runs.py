"""Runs as they were saved, to read; the most an admin may do is delete one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..engine.state import RunStatus
from ..models import Call, Fusion, Run
from ..models.runs import Origin


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
    fields = [("number", "status"), ("analysis_reason", "analysis_error"), "findings", "fused"]
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
    words = Origin.choices


@admin.register(Run)
class RunAdmin(_ReadOnly, admin.ModelAdmin[Run]):
    inlines = [CallInline, FusionInline]
    list_display = [
        "short_prompt", "owner", "preset_name", "status", "visibility", "cost", "created_at",
    ]  # fmt: skip
    list_filter = [StatusFilter, "visibility", "preset", OriginFilter]
    list_select_related = ["owner"]
    search_fields = ["prompt", "owner__username"]
    fields = [
        ("id", "owner", "came_from"),
        "whole_prompt",
        ("preset_name", "visibility"),
        ("status", "reason", "attempt"),
        "error",
        ("cost", "cost_is_partial"),
        ("created_at", "started_at", "finished_at"),
        "configuration",
    ]
    readonly_fields = ["came_from", "whole_prompt", "configuration"]

    @admin.display(description="origin")
    def came_from(self, run: Run) -> str:
        """One that a later version has written is shown as it wrote it."""
        return dict(Origin.choices).get(run.origin, run.origin)

    @admin.display(description="prompt", ordering="prompt")
    def short_prompt(self, run: Run) -> str:
        return run.prompt[:80]

    @admin.display(description="prompt")
    def whole_prompt(self, run: Run) -> str:
        return folded(run.prompt)

    @admin.display(description="spec")
    def configuration(self, run: Run) -> str:
        return folded_json(run.spec)
