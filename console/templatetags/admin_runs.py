"""The rows of the admin's list of runs, each made at once. Django makes every cell by itself, and
asks anew for each what its column is: that was half of the page's time."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_list import ResultList, result_headers, result_list
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import ChangeList
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString

from ..admin.runs import shown_prompt
from ..models import Run

register = template.Library()

COLUMNS = [
    "action_checkbox", "short_prompt", "owner", "preset_name", "status", "visibility", "cost",
    "created_at",
]  # fmt: skip
_ROW = (
    '<td class="action-checkbox"><input type="checkbox" name="{name}" value="{pk}"'
    ' class="action-select" aria-label="Select this object for an action - {run}"></td>'
    '<th class="field-short_prompt"><a href="{url}">{prompt}</a></th>'
    '<td class="field-owner nowrap">{owner}</td>'
    '<td class="field-preset_name">{preset}</td>'
    '<td class="field-status">{status}</td>'
    '<td class="field-visibility">{visibility}</td>'
    '<td class="field-cost">{cost}</td>'
    '<td class="field-created_at nowrap">{created_at}</td>'
)


@register.inclusion_tag("admin/change_list_results.html")
def result_list_of_runs(cl: ChangeList) -> dict[str, Any]:
    """In the place of Django's `result_list`, with the same bytes."""
    if list(cl.list_display) != COLUMNS:  # for who may do nothing with them, or in a window
        return result_list(cl)
    headers = list(result_headers(cl))
    rows = _Rows(cl)
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(bool(h["sortable"] and h["sorted"]) for h in headers),
        "results": [ResultList(None, [rows.of(run)]) for run in cl.result_list],
    }


class _Rows:
    def __init__(self, cl: ChangeList) -> None:
        self._nothing = cl.model_admin.get_empty_value_display()
        self._decimals = Run._meta.get_field("cost").decimal_places
        # Of one that there is not: in the others' addresses their keys stand where its key does.
        nobody = Run()
        kept: dict[str, Any] = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}
        url = add_preserved_filters(kept, cl.url_for_result(nobody))
        self._before, self._after = url.split(str(nobody.pk))

    def of(self, run: Run) -> SafeString:
        return _row(
            str(run.pk),
            str(run),
            f"{self._before}{run.pk}{self._after}",
            shown_prompt(run),
            str(run.owner) if run.owner else None,
            run.preset_name,
            run.status,
            run.get_visibility_display(),
            None if run.cost is None else number_format(run.cost, self._decimals),
            run.created_at,
            self._nothing,
        )


@lru_cache(maxsize=500)  # the newest are read again and again, and half of a row is its moment
def _row(
    key: str,
    run: str,
    url: str,
    prompt: SafeString,
    owner: str | None,
    preset: str,
    status: str,
    visibility: str,
    cost: str | None,
    created_at: datetime,
    nothing: str,
) -> SafeString:
    # What is not escaped here is a key, a number, a moment, or is already.
    row = _ROW.format(
        name=ACTION_CHECKBOX_NAME,
        pk=key,
        run=escape(run),
        url=escape(url),
        prompt=prompt,
        owner=nothing if owner is None else escape(owner),
        preset=escape(preset) if preset.strip() else nothing,
        status=escape(status) or nothing,
        visibility=escape(visibility),
        cost=nothing if cost is None else cost,
        created_at=date_format(timezone.localtime(created_at), "DATETIME_FORMAT"),
    )
    return SafeString(row)
