"""*Edit and run*: answers of the run that is edited, for seats that would be asked the same."""

from __future__ import annotations

from collections.abc import Sequence

from ..access import Viewer, runs_visible_to
from ..engine.spec import Spec
from ..engine.state import CallState
from ..models import Project
from ..services.attaching import ToAttach
from ..services.errors import ReuseRefused
from ..services.reusing import answers_given, asked_of
from ..services.runs import clean_prompt
from .forms import ComposeForm

CHANGED = (
    "The question, its files or its project are not what they were, so nobody has answered it yet. "
    "Put them back, or ask without taking answers over."
)
ON_THE_WEB = (
    "Where the web is searched, everybody is asked anew. Switch it off, or ask without taking "
    "answers over."
)
GONE = "The run whose answers were to be taken over is not there any more."


def taken_over(
    form: ComposeForm,
    person: Viewer,
    spec: Spec,
    files: Sequence[ToAttach],
    project: Project | None,
) -> list[CallState]:
    """Of a form that is valid; for its price it comes without its prompt. Raises ReuseRefused
    rather than to have anybody pay for what they thought was there."""
    if not form.cleaned_data["reuse"]:
        return []
    run = runs_visible_to(person).filter(pk=form.cleaned_data["reuse_of"]).first()
    if run is None:
        raise ReuseRefused(GONE)
    prompt = clean_prompt(form.cleaned_data.get("prompt") or run.prompt)
    found = answers_given(run, spec, asked_of(prompt, files), project)
    if found is None:
        raise ReuseRefused(CHANGED)
    if spec.research:
        raise ReuseRefused(ON_THE_WEB)
    return found
