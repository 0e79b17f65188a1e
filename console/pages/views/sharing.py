"""`/fusion/runs/<id>/share`: who may read a run, and by which link."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from ... import access
from ...models import Run, Visibility
from ...models.runs import PROJECT
from ...models.shown import HIDEABLE
from ...record.thread import thread_of
from ...services.errors import Refused
from ...services.links import LASTS, USUAL_DAYS, USUALLY_HIDDEN, open_link_of, run_share
from ...site.public_url import public_url
from .fragment import by_htmx
from .posted import posted

LINK_MADE = "console/run/link_made.html"


@posted
def share(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_owned_by(request.user, run_id)
    assert isinstance(request.user, User)
    try:
        visibility = request.POST.get("visibility", "")
        token = run_share(run=run, visibility=visibility, by=request.user, **_link(request))
    except Refused as refused:
        return render(request, "400.html", {"sentence": str(refused)}, status=400)
    address = ""
    if token:
        address = public_url(reverse("run-shared", args=[token]), request)
    context = sharing(run, just_shared=True) | {"share_url": address}
    if by_htmx(request):
        context["thread"] = thread_of(run, access.sql_of_runs_visible_to(request.user))
        response = render(request, "console/run/_shared.html", context)
    elif address:
        # Shown on this page alone: it is kept nowhere.
        response = render(request, LINK_MADE, context)
    else:
        return redirect(f"{reverse('run-detail', args=[run.pk])}?shared")
    response["Cache-Control"] = "no-store"
    return response


def _link(request: HttpRequest) -> dict[str, Any]:
    """What is wished of a new one. Who says nothing of it wishes the usual: an unticked box is
    not sent."""
    if "days" not in request.POST:
        return {"anew": "anew" in request.POST}
    days = request.POST["days"]
    return {
        "anew": "anew" in request.POST,
        "days": int(days) if days.isascii() and days.isdigit() and len(days) < 4 else -1,
        "hides": request.POST.getlist("hides"),
    }


def _choices(run: Run) -> list[tuple[str, str]]:
    if run.project_id is None:
        return Visibility.choices
    private, *others = Visibility.choices
    return [private, (PROJECT, "Everyone in the project, which the team sees"), *others]


def sharing(run: Run, *, just_shared: bool) -> dict[str, Any]:
    return {
        "run": run,
        "visibilities": _choices(run),
        "link": open_link_of(run),
        "link_lasts": [*LASTS.items()],
        "usual_days": USUAL_DAYS,
        "link_hides": [*HIDEABLE.items()],
        "usually_hidden": USUALLY_HIDDEN,
        "just_shared": just_shared,
    }
