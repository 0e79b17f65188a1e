"""What Django answers of its own accord, in the API's shape where the API was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults

from ...site.connections import give_back
from . import bodies
from .base import stamped
from .errors import ApiError, too_large


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("bad_request").response())
    with _a_thread_of_no_request():
        if isinstance(exception, RequestDataTooBig):
            sentence = too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            return render(request, "400.html", {"sentence": sentence}, status=413)
        return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    with _a_thread_of_no_request():
        return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("not_found").response())
    with _a_thread_of_no_request():
        return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, **_: Any) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("internal_error").response())
    return defaults.server_error(request)


@contextmanager
def _a_thread_of_no_request() -> Iterator[None]:
    """In one Django makes these pages, which ask who reads them: nobody else would ever look after
    its connection."""
    try:
        yield
    finally:
        give_back()


def early_refusal(
    path: str, refused: bodies.EarlyRefusal, *, in_html: bool, origin: str = ""
) -> HttpResponse:
    """For a request that has not been read to its end: no view is asked, and of the middleware
    only what guards every answer, and lets it be read."""
    request = HttpRequest()
    request.path = request.path_info = path
    if origin:
        request.META["HTTP_ORIGIN"] = origin
    error = refused.error
    response: HttpResponse
    if bodies.is_for_programs(path):
        response = stamped(error.response())
    elif in_html:
        response = HttpResponse(render_to_string("400.html", {"sentence": refused.to_people}))
    else:
        response = HttpResponse(refused.to_people + "\n", "text/plain; charset=utf-8")
    response.status_code = error.condition.status
    for name, value in error.headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    for guard in (XFrameOptionsMiddleware, CSPMiddleware, SecurityMiddleware):
        guard(_no_view).process_response(request, response)
    if settings.CORS_ALLOWED_ORIGINS:
        # Only there is it needed, as in the settings.
        from corsheaders.middleware import CorsMiddleware

        CorsMiddleware(_no_view).add_response_headers(request, response)
    return response


def _no_view(_: HttpRequest) -> HttpResponse:
    """Never asked: middleware is made around a view, and only its last part is wanted here."""
    raise NotImplementedError


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/")
