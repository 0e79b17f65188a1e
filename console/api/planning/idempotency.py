"""Starting the run of a request, once, however often the request is sent."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ...engine.provider import Message
from ...engine.spec import Spec
from ...engine.state import RunStatus
from ...models import Fusion, Run
from ...services.attaching import ToAttach
from ...services.brought import Brought
from ...services.errors import Refused, RunUnderWay
from ...services.tokens import token_run_start, token_run_turn
from ...site.public_url import public_url
from ..http.base import ApiCall
from ..http.errors import ApiError
from .budget import max_cost_of
from .failures import failed_before, repeated, stopped_turn
from .project import project_of
from .reuse import answered_before, taken_for
from .turns import Turn

# A client library that repeats a request of its own accord says so. What it repeats within this
# time is the request that never had its reply, key or no key; one that had it was asked anew,
# even where the asking was refused at first.
RETRY_HEADER = "x-stainless-retry-count"
RETRIED_WITHIN = timedelta(minutes=30)
# One that does not say so, but whose client went away without a reply so short a time ago, is
# that request, too: OpenRouter's SDK for Python waits for 5 s and sends it again for an hour.
COMES_BACK_WITHIN = timedelta(minutes=2)
# The part of a request that is the panel's, where its first run chose to ask one.
PANEL = "panel"

Row = TypeVar("Row", Run, Fusion)


@dataclass(frozen=True)
class Started:
    """`has_failed`: the same request's, a moment ago; it is not asked again. `is_reused`: another
    request's, whose answer stands for this one and has been paid for."""

    run: Run
    is_new: bool
    has_failed: bool = False
    is_reused: bool = False


def start(
    call: ApiCall[Any],
    spec: Spec,
    *,
    prompt: str,
    messages: list[Message] | None = None,
    visibility: str = "private",
    answers: Sequence[Brought] = (),
    part: str = "",
    fails_again: Sequence[Spec] = (),
    files: Sequence[ToAttach] = (),
) -> Started:
    """The run of this request: a new one, or the one it has already. Raises ApiError.

    `part` tells apart the runs of a request that has several; the first has none.
    `fails_again`: the specs of all of them, of a request that is answered with its failure where
    it has failed a moment ago.
    """
    key = call.idempotency_key
    asked, hashes = hash_of(call, part), [hash_of(call, of) for of in ("", PANEL)]
    key = f"{key}:{part}" if key and part else key
    first = earlier(call, Run.objects.all(), asked, key)
    # Most requests are new: how such a one went is then nobody's question.
    is_known = not key and Run.objects.filter(token=call.token, request_hash__in=hashes).exists()
    if first is None and is_known:
        first = _left(call, Run.objects.all(), asked)
    if first:
        call.started.append(first)
        return Started(first, False)
    project = project_of(call.body, call.token.owner, spec.preset)
    if not part and (same := answered_before(call, spec, prompt, messages, files, project)):
        return Started(same, False, is_reused=True)
    if fails_again and is_known and (failed := failed_before(call, hashes, fails_again)):
        repeated(failed)
        call.started.append(failed)
        return Started(failed, False, has_failed=True)
    taken = taken_for(call, spec, prompt, messages, files, project)
    before = timezone.now()
    repeats = is_repetition(call)
    try:
        run = token_run_start(
            token=call.token,
            prompt=prompt,
            spec=spec,
            answers=answers,
            messages=messages,
            files=files,
            request_hash=asked,
            idempotency_key=key,
            repeated_since=before - RETRIED_WITHIN if repeats and not key else None,
            goes_on=bool(part),
            visibility=visibility,
            max_cost=max_cost_of(call),
            project=project,
            taken=taken,
        )
    except Refused as refusal:
        if first := earlier(call, Run.objects.all(), asked, key):
            # Two of the same at once: the limit that let one through refused the other.
            call.started.append(first)
            return Started(first, False)
        if type(refusal) is Refused:
            raise ApiError("invalid_request", str(refusal), param="messages") from None
        raise
    if run.request_hash != asked:
        raise ApiError("idempotency_mismatch")
    call.started.append(run)
    return Started(run, run.created_at >= before)


def hash_of(call: ApiCall[Any], part: str = "") -> str:
    return hashlib.sha256(f"{call.hash}{part}".encode()).hexdigest()


def start_turn(call: ApiCall[Any], turn: Turn, spec: Spec) -> tuple[Started, int] | None:
    """The run that goes on, and the number of the fusion in which it does; None where it has
    been deleted meanwhile. Raises ApiError."""
    key = call.idempotency_key

    def begun() -> tuple[Started, int] | None:
        turns = Fusion.objects.select_related("run")
        first = earlier(call, turns, call.hash, key)
        if first is None and not key:
            first = _left(call, turns, call.hash, "run__")
        if first is None:
            return None
        call.started.append(first)
        return Started(first.run, False), first.number

    if found := begun():
        return found
    if not key and (stopped := stopped_turn(call)):
        repeated(stopped.run)
        call.started.append(stopped)
        return Started(stopped.run, False, has_failed=True), stopped.number
    try:
        fusion = token_run_turn(
            token=call.token,
            run=turn.run,
            after=turn.after,
            messages=turn.messages,
            request=spec.request,
            writer=spec.writer,
            request_hash=call.hash,
            idempotency_key=key,
            max_cost=max_cost_of(call),
        )
    except RunUnderWay:
        # Two of the same at once, or somebody has its answers fused again.
        if found := begun():
            return found
        raise ApiError("run_under_way", headers={"Retry-After": "2"}) from None
    except Refused as refusal:
        if Run.objects.filter(pk=turn.run.pk).exists():
            raise refusal
        return None
    call.started.append(fusion)
    return Started(fusion.run, True), fusion.number


def is_repetition(call: ApiCall[Any]) -> bool:
    return call.request.headers.get(RETRY_HEADER, "0") not in ("", "0")


def earlier(call: ApiCall[Any], rows: QuerySet[Row], asked: str, key: str | None) -> Row | None:
    """What this request has started already: by its key, or as a client's own repetition."""
    rows = rows.filter(token=call.token)
    if key:
        first = rows.filter(idempotency_key=key).first()
        if first and first.request_hash != asked:
            raise ApiError("idempotency_mismatch")
        return first
    if not is_repetition(call):
        return None
    since = timezone.now() - RETRIED_WITHIN
    recent = rows.filter(request_hash=asked, replied_at=None, created_at__gt=since)
    return recent.order_by("-created_at").first()


def _left(call: ApiCall[Any], rows: QuerySet[Row], asked: str, of_run: str = "") -> Row | None:
    """What a request has started whose client went away, taken up by the first that asks the
    same."""
    now = timezone.now()
    left = rows.filter(
        token=call.token,
        request_hash=asked,
        idempotency_key=None,
        replied_at=None,
        created_at__gt=now - RETRIED_WITHIN,
        **{f"{of_run}left_at__gt": now - COMES_BACK_WITHIN},
    ).exclude(status__in=[RunStatus.FAILED, RunStatus.CANCELLED])
    for row in left.order_by("-created_at"):
        run = row.run if isinstance(row, Fusion) else row
        if Run.objects.filter(pk=run.pk, left_at=run.left_at).update(left_at=None):
            return row
    return None


def run_url(request: HttpRequest, run_id: uuid.UUID) -> str:
    """Where people read it."""
    return public_url(reverse("run-detail", args=[run_id]), request)
