"""Answers of an earlier run that stand in one that is asked the very same of others, too."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.provider import Message
from ..engine.spec import Spec
from ..engine.state import CallState
from ..models import Project, Run
from ..models.runs import READ_ONLY
from ..record.asked import Forgotten, asked
from ..record.rows import state_from_rows
from .attaching import ToAttach, content_of, files_of
from .follow import OWN
from .project_files import looked_into
from .runs import spec_of
from .taken import answers_to_take


def asked_of(prompt: str, files: Sequence[ToAttach]) -> list[Message]:
    """Of a question that goes on from nothing."""
    return [{"role": "user", "content": content_of(prompt, files)}]


def answers_given(
    run: Run, spec: Spec, asks: Sequence[Message], project: Project | None
) -> list[CallState] | None:
    """None where the run was asked something else, or was told something else by its project, or
    its seats were not all asked the same. Raises Refused where nobody can read it."""
    before = spec_of(run)
    is_told_else = run.context != (project.context if project else "")
    if is_told_else or _was_asked(run) != [*asks]:
        return None
    return answers_to_take(run, state_from_rows(run), before, looked_into(spec, project))


def has_answers_to_give(run: Run) -> bool:
    """To whoever asks its question once more, with another panel. Where the web is searched nobody
    is asked the same twice."""
    if not run.is_final or run.origin in READ_ONLY or run.spec.get("research"):
        return False
    if _was_asked(run) != asked_of(run.prompt, files_of(run)):
        return False
    return run.calls.filter(step="panel", status="completed").exclude(text="").exists()


def _was_asked(run: Run) -> list[Message] | None:
    """None where it was not the same for every seat."""
    try:
        return None if run.follows_from == OWN else asked(run).messages
    except Forgotten:
        return None
