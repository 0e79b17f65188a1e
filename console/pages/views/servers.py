"""Model servers found on this machine, offered to an admin.

Pages load this as a part of themselves when they are there, so that nobody waits for a server
that hangs; without JavaScript it is a page.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ...access import is_admin
from ...services.errors import Refused
from ...services.nearby import server_decline, server_use, servers_near
from .first import keep_written
from .fragment import page_or_part


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def servers(request: HttpRequest) -> HttpResponse:
    if not is_admin(request.user):
        return redirect("keys")
    if request.method == "POST":
        _answer(request)
        if "prompt" in request.POST:
            keep_written(request)
        return redirect("console")
    found, only_open = servers_near(), "open" in request.GET
    offers = [offer for offer in found if offer.is_open or not only_open]
    context = {
        "offers": offers,
        "only_open": only_open,
        "has_answered": bool(found),
        "is_off": not settings.LOCAL_SERVER_PORTS,
    }
    return page_or_part(
        request, "console/servers/servers.html", "console/servers/_offers.html", context
    )


def _answer(request: HttpRequest) -> None:
    try:
        if url := request.POST.get("not_now"):
            server_decline(url=url)
            messages.success(request, "It stays at hand under Provider keys.")
            return
        preset = server_use(url=request.POST.get("use", ""))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{preset.name} asks them now. {preset.description}")
