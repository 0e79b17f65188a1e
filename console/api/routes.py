"""Every address under /v1 that a token opens, its name and its views by method."""

from __future__ import annotations

from typing import NamedTuple

from .http.base import View
from .openai.chat import chat_completions
from .openai.models import model, models
from .openai.responses import responses
from .runs.changes import changes
from .runs.differences import differences
from .runs.endpoints import cancel, fuse, look_up, run, run_create, run_list, run_quote
from .runs.events import events
from .runs.export import export
from .runs.order import run_change, run_remove
from .runs.pictures import picture
from .runs.project_files import file_add, file_remove
from .runs.projects import projects
from .runs.receipt import receipt
from .runs.spent import key, usage
from .runs.verdicts import verdict


class Route(NamedTuple):
    path: str
    name: str
    views: dict[str, View]


ROUTES = (
    Route("chat/completions", "api-chat-completions", {"POST": chat_completions}),
    Route("responses", "api-responses", {"POST": responses}),
    Route("models", "api-models", {"GET": models}),
    Route("models/<path:name>", "api-model", {"GET": model}),
    Route("key", "api-key", {"GET": key}),
    Route("usage", "api-usage", {"GET": usage}),
    Route("projects", "api-projects", {"GET": projects}),
    Route("projects/<slug:name>/files", "api-project-files", {"POST": file_add}),
    Route("projects/<slug:name>/files/<int:file_id>", "api-project-file", {"DELETE": file_remove}),
    Route("runs", "api-runs", {"GET": run_list, "POST": run_create}),
    Route("runs/quote", "api-run-quote", {"POST": run_quote}),
    Route("runs/<uuid:run_id>", "api-run", {"GET": run, "PATCH": run_change, "DELETE": run_remove}),
    Route("runs/<uuid:run_id>/events", "api-run-events", {"GET": events}),
    Route("runs/<uuid:run_id>/differences", "api-run-differences", {"GET": differences}),
    Route("runs/<uuid:run_id>/changes", "api-run-changes", {"GET": changes}),
    Route("runs/<uuid:run_id>/export", "api-run-export", {"GET": export}),
    Route("runs/<uuid:run_id>/pictures/<str:hash>", "api-run-picture", {"GET": picture}),
    Route("runs/<uuid:run_id>/receipt", "api-run-receipt", {"GET": receipt}),
    Route("runs/<uuid:run_id>/cancel", "api-run-cancel", {"POST": cancel}),
    Route("runs/<uuid:run_id>/verdict", "api-run-verdict", {"POST": verdict}),
    Route("runs/<uuid:run_id>/fusions", "api-run-fusions", {"POST": fuse}),
    Route("runs/<uuid:run_id>/look-ups", "api-run-look-ups", {"POST": look_up}),
)
