"""What is read by a link: for whoever has it, as far as it lets them, kept and found by nobody."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from ... import access
from ...models import ShareLink


def by_link(
    view: Callable[[HttpRequest, str, ShareLink], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """`view` is given the address's token, since nobody else knows it any more, and its link."""

    @cache_control(private=True, no_store=True)
    @require_safe
    @wraps(view)
    def linked_view(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token, access.link_open(token))
        except access.LinkEnded as ended:
            response = render(request, "410.html", {"sentence": str(ended)}, status=410)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return linked_view
