"""Everything under /v1; the last line answers whatever is not there."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from .docs import docs, openapi_json
from .http.base import by_method, nothing_here_view
from .routes import ROUTES

urlpatterns: list[URLPattern] = [
    *(path(route.path, by_method(**route.views), name=route.name) for route in ROUTES),
    path("openapi.json", by_method(GET=openapi_json), name="api-openapi"),
    path("docs", by_method(GET=docs), name="api-docs"),
    re_path(r"^(?P<rest>.*)$", nothing_here_view, name="api-nothing"),
]
