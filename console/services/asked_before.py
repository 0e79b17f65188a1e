"""What is told of earlier questions before one is asked: those like it, and the very same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from ..engine.content import text_of
from ..engine.provider import Message
from ..engine.spec import Spec
from ..engine.spec_versions import SpecUnreadable
from ..engine.state import RunStatus
from ..models import OwnPreset, Preset, Project, Run
from ..models.runs import READ_ONLY
from ..record.asked import Forgotten, asked
from ..search.like import AskedLike, asked_like
from .follow import OWN
from .project_files import looked_into
from .site import chosen_for_the_site

LOOKED_AT = 200  # of the newest, for the very same question
COMPARED = 5
# What of a spec is another each time, or says what is known of a model and not what is asked.
_UNASKED = frozenset({"shuffle_seed", "v"})
_UNASKED_OF_A_SEAT = frozenset(
    {"price", "usual_first_token", "context_length", "reasons", "is_small", "judges"}
)


def questions_like(person: User, prompt: str) -> list[AskedLike]:
    """At most three; none where the site does not tell of them."""
    chosen = chosen_for_the_site()
    if chosen is not None and not chosen.tells_like:
        return []
    return asked_like(person, prompt)


def reuse_minutes(slug: str) -> int:
    """For how long a preset's answers stand for the very same question; 0: not at all."""
    site = Preset.objects.filter(slug=slug).values_list("reuse_minutes", "reuse_minutes")
    own = OwnPreset.objects.filter(slug=slug).values_list("content__reuse_minutes", "pk")
    found = site.first() or own.first()
    return (found and found[0]) or 0


def answered_already(
    branches: Sequence[QuerySet[Run]],
    spec: Spec,
    messages: Sequence[Message],
    project: Project | None = None,
) -> Run | None:
    """The newest run of the very same question, as its preset lets it stand: asked the same, of
    the same models with the same options, with the same files, in the same project with the same
    context. `branches`: of what may be read."""
    minutes = reuse_minutes(spec.preset)
    if not minutes or spec.brought:  # what was brought along is not part of a spec
        return None
    spec = looked_into(spec, project)
    prompt = _plain(text_of(messages[-1].get("content")))
    newest: list[tuple[Any, Any]] = []
    for runs in branches:
        fresh = runs.filter(
            preset=spec.preset,
            project=project,
            context=project.context if project else "",
            status=RunStatus.COMPLETED,
            created_at__gte=timezone.now() - timedelta(minutes=minutes),
        ).exclude(origin__in=READ_ONLY)
        rows = fresh.order_by("-created_at").values_list("created_at", "pk", "prompt")[:LOOKED_AT]
        newest += [(at, pk) for at, pk, asked_for in rows if _plain(asked_for) == prompt]
    for _, pk in sorted(newest, reverse=True)[:COMPARED]:
        run = Run.objects.filter(pk=pk).first()
        if run is not None and _is_the_same(run, spec, messages):
            return run
    return None


def _is_the_same(run: Run, spec: Spec, messages: Sequence[Message]) -> bool:
    try:
        was_asked = asked(run).messages
        before = run.frozen_spec
    except (Forgotten, SpecUnreadable):
        return False
    written = run.fusions.exclude(text="").values_list("number", flat=True)
    if run.follows_from == OWN or [*written] != [1]:
        return False  # what was fused again is what somebody else wished of it
    return _normal(was_asked) == _normal(messages) and _essence(before) == _essence(spec)


def _normal(messages: Sequence[Message]) -> list[Any]:
    """White space is no difference."""

    def plain(content: Any) -> Any:
        if isinstance(content, str):
            return _plain(content)
        if isinstance(content, list):
            return [plain(part) for part in content]
        if isinstance(content, Mapping):
            return {k: plain(v) if k == "text" else v for k, v in content.items()}
        return content

    return [{**one, "content": plain(one.get("content"))} for one in messages]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _essence(spec: Spec) -> Any:
    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: of(v) for k, v in value.items() if k not in _UNASKED_OF_A_SEAT}
        return [of(one) for one in value] if isinstance(value, list | tuple) else value

    return of({k: v for k, v in spec.to_dict().items() if k not in _UNASKED})
