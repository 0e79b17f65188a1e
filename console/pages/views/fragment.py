"""A page, or only the part of it that htmx asks for: from one view, at one address.

Without JavaScript each of these is an ordinary page. A view that knows no part answers htmx with
all of its page, of which static/console/page.js takes the middle where something was refused.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from ...fragments.put_in import PUT_IN_LAST, PutInLast


def by_htmx(request: HttpRequest) -> bool:
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # the middleware's
    return bool(htmx)


def page_or_main(request: HttpRequest, folder: str, context: dict[str, Any]) -> HttpResponse:
    """`console/<folder>/<folder>.html`, or its `_main.html` and what there is to tell."""
    if not by_htmx(request):
        return page_or_part(request, f"console/{folder}/{folder}.html", "", context)
    main = f"console/{folder}/_main.html"
    response = page_or_part(request, "", main, context)
    response.write(render_to_string("console/_messages.html", {"oob": True}, request))
    return response


def page_or_part(
    request: HttpRequest, page: str, part: str, context: dict[str, Any]
) -> HttpResponse:
    large = PutInLast()
    template = part if by_htmx(request) else page
    html = render_to_string(template, context | {PUT_IN_LAST: large}, request)
    response = HttpResponse(large.whole(html))
    # Also where nothing may be kept: a browser that goes back must not find a part as its page.
    patch_vary_headers(response, ["HX-Request"])
    return response
