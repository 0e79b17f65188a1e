"""`/fusion/runs/<id>/export`: a run, or its thread, as a file (docs/export.md)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from ... import access
from ...engine.spec_versions import SpecUnreadable
from ...export import FORMS, ended_in_thread, export_runs
from ...models import Run, ShareLink
from ...models.shown import Shown
from ...record.portable import Unfinished, Unwritable
from .by_link import by_link
from .runs import private_page


@login_required
@private_page
@require_safe
def export(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    runs = [run]
    if request.GET.get("thread"):
        runs = ended_in_thread(run, access.runs_visible_to(request.user))
    back = reverse("run-detail", args=[run.pk])
    readable = access.runs_visible_to(request.user)
    return _file(request, runs, lambda one: access.shown_to(request.user, one), back, readable)


@by_link
def shared_export(request: HttpRequest, token: str, link: ShareLink) -> HttpResponse:
    """What the link shows: this run alone."""
    back = reverse("run-shared", args=[token])
    return _file(request, [link.run], lambda _: link.shown, back)


def _file(
    request: HttpRequest,
    runs: Sequence[Run],
    shown: Callable[[Run], Shown],
    back: str,
    readable: QuerySet[Run] | None = None,
) -> HttpResponse:
    form = next((form for form in FORMS if form == request.GET.get("format", "json")), None)
    status, why = 400, f"A run is taken along as {', '.join(FORMS)}: name one of them."
    if form:
        try:
            reader_id = None if readable is None else request.user.pk
            taken = export_runs(runs, form, shown, readable, reader_id)
        except Unfinished as unfinished:
            status, why = 409, str(unfinished)
        except (SpecUnreadable, Unwritable) as unreadable:
            why = str(unreadable)
        else:
            # Saved, never opened here: beside our pages it would be one of them.
            disposition = content_disposition_header(True, taken.name)
            headers = {"Content-Disposition": disposition or ""}
            return HttpResponse(taken.body, content_type=taken.type, headers=headers)
    return render(request, "400.html", {"sentence": why, "back": back}, status=status)
