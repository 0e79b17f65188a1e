"""What can be done to a run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from ..engine.attachments import kept
from ..engine.content import text_of
from ..engine.provider import Message
from ..engine.spec import Spec
from ..engine.spec_versions import SpecUnreadable
from ..engine.state import CallState, RunStatus
from ..engine.text import storable
from ..files.answered import pictures_take_over
from ..models import ApiToken, Call, Project, Run, Visibility
from ..models.money import FOR_A_RUN, RUN, run_subject
from ..models.runs import PROJECT, Origin
from ..money.purses import purse_set, usual_budget_set
from ..record.asked import Followed
from ..record.rows import call_row
from ..search import index, index_begun
from ..worker.doorbell import ring
from .attaching import ToAttach, content_of, files_bind, must_be_few, tokens_of
from .brought import Brought, calls
from .errors import Refused
from .estimates import estimated
from .order import question_goes_on
from .preset_versions import version_of
from .project_files import looked_into
from .taken import as_if_brought


@dataclass(frozen=True)
class ApiOrigin:
    """Of a run or fusion that a program started. The same key again is the same one."""

    token: ApiToken | None
    request_hash: str = ""
    idempotency_key: str | None = None


def run_start(
    *,
    owner: User | None,
    prompt: str,
    spec: Spec,
    answers: Sequence[Brought] = (),
    origin: str = Origin.PAGE,
    visibility: str = Visibility.PRIVATE,
    client_run_id: str | None = None,
    messages: list[Message] | None = None,
    api: ApiOrigin | None = None,
    follows: Run | None = None,
    follows_from: str = "",
    followed: Followed | None = None,
    said: Sequence[str] = (),
    max_cost: Decimal | None = None,
    files: Sequence[ToAttach] = (),
    template: Mapping[str, Any] | None = None,
    again_of: Run | None = None,
    project: Project | None = None,
    taken: Sequence[CallState] = (),
) -> Run:
    """Save the run, then ring for a worker. The same `client_run_id` again is the same run.

    `answers` from elsewhere are those that the spec was built with: they are there with the run.
    `messages` is the conversation the panel is asked, `prompt` alone when it is not given; of
    one that goes on from `follows`, what it has `followed` of it and `prompt`; `said` is what of
    that goes into what it is expected to cost.
    `max_cost` is the budget of all its calls, in US dollars, those of later fusions included.
    `template` is what the prompt was filled in from (services/prompts.py).
    `again_of` is the run whose question it asks again, by whose title it is called, too.
    `project` is what it belongs to, whose context it gets. Its visibility is then also "project".
    `taken` are answers to the same question that are there already (services/taken.py).
    `files` go with the prompt; where `messages` are given, they name them themselves.
    Raises Refused.
    """
    prompt = clean_prompt(prompt)
    must_be_few(files)
    is_projects = visibility == PROJECT and project is not None
    if is_projects:
        visibility = Visibility.TEAM
    if visibility not in (Visibility.PRIVATE, Visibility.TEAM):
        raise Refused("A new run is for you alone, for the team, or for the project that it is in.")
    context = project.context if project else ""
    spec = looked_into(spec, project)
    if project and (most := project.run_budget) is not None:
        max_cost = most if max_cost is None else min(most, max_cost)
    version, most = version_of(spec.preset)
    if most is not None:
        max_cost = most if max_cost is None else min(most, max_cost)
    api = api or ApiOrigin(None)
    expected, texts = as_if_brought(spec, [answer.text for answer in answers], taken)
    estimate, usual_budget = estimated(
        expected,
        [
            *filter(None, [context]),
            *([text_of(m.get("content")) for m in messages] if messages else [*said, prompt]),
        ],
        texts,
        attached=tokens_of(files),
        origin=origin,
        is_limited=max_cost is not None,
    )
    # Of its owner only: nobody reaches another's run by guessing its form's number.
    client_key = f"{owner.pk if owner else 0}:{client_run_id}"[:64] if client_run_id else None
    try:
        with transaction.atomic():
            run = Run.objects.create(
                owner=owner,
                origin=origin,
                client_run_id=client_key,
                prompt=prompt,
                messages=[]
                if followed
                else messages or [{"role": "user", "content": content_of(prompt, files)}],
                spec=spec.to_dict(),
                preset=spec.preset,
                preset_name=spec.preset_name,
                preset_version=version,
                visibility=visibility,
                leaves_with_project=is_projects,
                project=project,
                context=context,
                rung_at=timezone.now(),
                token=api.token,
                request_hash=api.request_hash,
                idempotency_key=api.idempotency_key,
                follows=follows,
                follows_from=follows_from,
                follows_calls=followed.to_dict() if followed else None,
                estimate=estimate.to_dict() if estimate else None,
                usual_budget_nano=usual_budget.limit if usual_budget else None,
                template=template,
                again_of=again_of,
                title=again_of.title if again_of else "",
            )
            begun = Call.objects.bulk_create(
                call_row(run.pk, call) for call in [*calls(spec, answers), *taken]
            )
            if hashes := [one["hash"] for call in taken for one in kept(call.attachments)]:
                pictures_take_over(run=run, hashes=hashes)
            if files or follows is not None:
                files_bind(run=run, files=files, follows=follows)
            if follows is not None:
                question_goes_on(of=follows)
            if max_cost is not None:
                subject = run_subject(run.pk)
                purse_set(kind=RUN, subject=subject, period=FOR_A_RUN, limit=max_cost)
            elif usual_budget is not None:
                usual_budget_set(
                    run_id=run.pk, limit=usual_budget.limit, shares=usual_budget.shares
                )
            index_begun(run, begun)
            transaction.on_commit(lambda: ring_for(run.pk))
    except IntegrityError:
        first = None
        if client_key:
            first = Run.objects.filter(client_run_id=client_key).first()
        elif api.idempotency_key:
            first = Run.objects.filter(token=api.token, idempotency_key=api.idempotency_key).first()
        if first is None and follows and not Run.objects.filter(pk=follows.pk).exists():
            raise Refused("The run it goes on from is not there any more.") from None
        if first is None and again_of and not Run.objects.filter(pk=again_of.pk).exists():
            raise Refused("The run whose question it asks is not there any more.") from None
        if first is None:
            raise
        return first
    return run


def ring_for(run_id: uuid.UUID) -> None:
    if not ring(run_id):
        Run.objects.filter(pk=run_id).update(rung_at=None)


def spec_of(run: Run) -> Spec:
    """Raises Refused where a newer version wrote it, or nobody can read it."""
    try:
        return run.frozen_spec
    except SpecUnreadable as unreadable:
        raise Refused(str(unreadable)) from None


def clean_text(text: str) -> str:
    """What a person typed: line ends as they were counted while typing, nothing that no
    database keeps."""
    return storable(text.replace("\r\n", "\n"))


def clean_prompt(prompt: str) -> str:
    prompt = clean_text(prompt)
    if not prompt.strip():
        raise Refused("Write a prompt first.")
    limit = settings.MAX_PROMPT_CHARACTERS
    if len(prompt) > limit:
        raise Refused(f"The prompt has {len(prompt):,} characters; at most {limit:,} are accepted.")
    return prompt.strip("\n")


def run_cancel(*, run: Run) -> None:
    """Ask for a stop. A run nobody has begun ends at once; a final one stays as it is."""
    now = timezone.now()
    untouched = Run.objects.filter(pk=run.pk, status=RunStatus.QUEUED, attempt=0)
    with transaction.atomic():
        if untouched.update(
            status=RunStatus.CANCELLED, cancel_requested_at=now, finished_at=now, rung_at=now
        ):
            index(run.pk)
            return
    # Queued again by a worker that was stopped, it has calls to close: a worker does that,
    # rung for at once.
    begun = Run.objects.filter(pk=run.pk, status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    begun.filter(cancel_requested_at=None).update(cancel_requested_at=now, rung_at=None)
