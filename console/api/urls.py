"""Everything under /v1; the last line answers whatever is not there."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from .base import by_method, nothing_here_view
from .chat import chat_completions
from .models import model, models

urlpatterns: list[URLPattern] = [
    path("chat/completions", by_method(POST=chat_completions), name="api-chat-completions"),
    path("models", by_method(GET=models), name="api-models"),
    path("models/<path:name>", by_method(GET=model), name="api-model"),
    re_path(r"^(?P<rest>.*)$", nothing_here_view, name="api-nothing"),
]
