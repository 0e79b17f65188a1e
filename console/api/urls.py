"""Everything under /v1; the last line answers whatever is not there."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from .base import by_method, nothing_here_view
from .chat import chat_completions
from .models import model, models
from .responses import responses
from .run_events import events
from .runs import cancel, fuse, run, run_create, run_list

urlpatterns: list[URLPattern] = [
    path("chat/completions", by_method(POST=chat_completions), name="api-chat-completions"),
    path("responses", by_method(POST=responses), name="api-responses"),
    path("models", by_method(GET=models), name="api-models"),
    path("models/<path:name>", by_method(GET=model), name="api-model"),
    path("runs", by_method(GET=run_list, POST=run_create), name="api-runs"),
    path("runs/<uuid:run_id>", by_method(GET=run), name="api-run"),
    path("runs/<uuid:run_id>/events", by_method(GET=events), name="api-run-events"),
    path("runs/<uuid:run_id>/cancel", by_method(POST=cancel), name="api-run-cancel"),
    path("runs/<uuid:run_id>/fusions", by_method(POST=fuse), name="api-run-fusions"),
    re_path(r"^(?P<rest>.*)$", nothing_here_view, name="api-nothing"),
]
