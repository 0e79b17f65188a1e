"""What a request wants of earlier runs, instead of asking again: some of their answers, or the
answer to the very same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.utils import timezone

from ... import access
from ...engine.provider import Message
from ...engine.spec import Spec
from ...engine.state import CallState
from ...models import Project, Run
from ...models.tokens import Scope
from ...services.asked_before import answered_already
from ...services.attaching import ToAttach
from ...services.errors import Refused
from ...services.reusing import answers_given, asked_of
from ..http.base import ApiCall
from ..http.errors import ApiError

PARAM = "fusion.reuse_answers"
# As OpenRouter names it, and what it says of the answer.
CACHE, STATUS, AGE = "X-OpenRouter-Cache", "X-OpenRouter-Cache-Status", "X-OpenRouter-Cache-Age"


def taken_for(
    call: ApiCall[Any],
    spec: Spec,
    prompt: str,
    messages: list[Message] | None,
    files: Sequence[ToAttach],
    project: Project | None,
) -> list[CallState]:
    """Raises ApiError where that run may not be read, or was asked something else."""
    named = call.body.fusion.reuse_answers
    if named is None:
        return []
    readable = access.runs_visible_to(call.token.owner)
    if Scope.READ not in call.token.scopes:
        readable = readable.filter(token=call.token)
    try:
        run = access.one_of(readable, named)
        given = answers_given(run, spec, messages or asked_of(prompt, files), project)
    except Http404:
        raise ApiError("invalid_request", "There is no such run.", param=PARAM) from None
    except Refused as refused:
        raise ApiError("invalid_request", str(refused), param=PARAM) from None
    if given is None:
        message = "That run was asked something else: only answers to the very same are taken over."
        raise ApiError("invalid_request", message, param=PARAM)
    return given


def answered_before(
    call: ApiCall[Any],
    spec: Spec,
    prompt: str,
    messages: list[Message] | None,
    files: Sequence[ToAttach],
    project: Project | None,
) -> Run | None:
    """The run that has the answer, where that is asked for, its preset lets it stand and the token
    may read it. The reply's headers say which, and how many seconds old it is."""
    if not (call.body.fusion.reuse or call.request.headers.get(CACHE, "").lower() == "true"):
        return None
    reads = Scope.READ in call.token.scopes
    mine = [Run.objects.filter(token=call.token)]
    asks = messages or asked_of(prompt, files)
    readable = access.visible(call.token.owner) if reads else mine
    run = answered_already(readable, spec, asks, project)
    call.headers[STATUS] = "HIT" if run else "MISS"
    if run:
        call.headers[AGE] = str(max(int((timezone.now() - run.created_at).total_seconds()), 0))
    return run
