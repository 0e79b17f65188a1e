"""`/fusion/others`: what others did to one's runs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ... import access
from ...services.others import look, what_others_did
from .runs import private_page


@login_required
@private_page
@require_safe
def others(request: HttpRequest) -> HttpResponse:
    """Who has this page has seen what is new on it."""
    person = request.user
    assert isinstance(person, User)
    did = what_others_did(person, access.runs_visible_to(person))
    if request.method == "GET":
        look(person)
    return render(request, "console/runs/others.html", {"did": did})
