"""Everything under /v1; the last line answers whatever is not there."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from .base import nothing_here_view

urlpatterns: list[URLPattern] = [
    re_path(r"^(?P<rest>.*)$", nothing_here_view, name="api-nothing"),
]
