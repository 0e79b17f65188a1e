"""What is done to a run from its page."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from ...models import Run
from .fragment import by_htmx


def posted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view for members, by POST only.

    Whoever was signed out meanwhile comes back to the page with the form: from signing in
    one can only be sent to an address that is read.
    """

    @require_POST
    @wraps(view)
    def posted_view(request: HttpRequest, run_id: uuid.UUID, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(reverse("run-detail", args=[run_id]))
        return view(request, run_id, **kwargs)

    return posted_view


def seen_as_it_happens(request: HttpRequest, run: Run) -> HttpResponse:
    """Whoever watches a run is told by its frames what comes of a press, and stays where they
    read. The page of one that has ended is read anew, as every page is without scripts."""
    if not by_htmx(request):
        return redirect("run-detail", run_id=run.pk)
    run.refresh_from_db(fields=["status"])  # one that nobody had begun has ended by now
    return HttpResponseClientRefresh() if run.is_final else HttpResponse(status=204)
