"""What Django answers of its own accord, in the API's shape where the API was asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from .base import stamped
from .errors import ApiError


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("bad_request").response())
    if isinstance(exception, RequestDataTooBig):
        limit = f"{(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) / 1e6:.0f} MB"
        sentence = f"What was sent is too large: at most {limit} are read. Go back and shorten it."
        return render(request, "400.html", {"sentence": sentence}, status=413)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("not_found").response())
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, **_: Any) -> HttpResponse:
    if is_for_programs(request):
        return stamped(ApiError("internal_error").response())
    return defaults.server_error(request)


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/")
