"""`/fusion/runs/<id>/…`: what its owner may do to the answers of a run."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from ... import access
from ...models import Call, Run
from ...services import fusions, source_reads
from ...services.ask_again import run_ask_again
from ...services.errors import Refused
from ...services.follow import run_follow
from ...services.look_ups import claim_look_up
from ..again import wish_of, written
from ..attaching import attached_by
from ..uploads import AttachedUploads
from .fragment import by_htmx
from .posted import posted, seen_as_it_happens


@posted
def fuse_now(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    return _do(request, run_id, fusions.fuse_now, is_watched=True)


@posted
def fuse(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    post = request.POST

    def act(*, run: Run) -> None:
        fusions.run_fuse(
            run=run,
            judge=post.get("judge", ""),
            synthesizer=post.get("synthesizer", ""),
            criteria=post.get("criteria", ""),
            seats=[_seat(text) for text in post.getlist("seat")],
            wish=wish_of(post, run),
        )

    return _do(request, run_id, act, kept=written(post))


@posted
def go_on(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    dollars = request.POST.get("dollars", "")
    return _do(request, run_id, fusions.go_on, dollars=dollars, fuses="fuse" in request.POST)


@posted
def seat_stop(request: HttpRequest, run_id: uuid.UUID, seat: int) -> HttpResponse:
    return _do(request, run_id, fusions.seat_stop, is_watched=True, seat=seat)


@posted
def seat_ask(request: HttpRequest, run_id: uuid.UUID, seat: int) -> HttpResponse:
    model = request.POST.get("model", "")
    return _do(request, run_id, fusions.seat_ask, to=_seat_of, seat=seat, model=model)


@posted
def seat_add(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    return _do(request, run_id, fusions.seat_add, to=_seat_of, model=request.POST.get("model", ""))


@posted
def poll(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    return _do(request, run_id, fusions.run_poll, fusion=number)


@posted
def look_up(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    claim = request.POST.get("claim", "")

    def to(_: Any) -> str:
        return f"?look=result&part=analysis#claim-{number}-{claim}"

    return _do(request, run_id, claim_look_up, to=to, fusion=number, claim=claim)


@posted
def source_read(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    def to(_: Any) -> str:
        return "?look=result&part=sources#sources"

    return _do(request, run_id, source_reads.source_read, to=to, url=request.POST.get("url", ""))


@csrf_exempt  # looked at below: a file is read of whom it is known
@posted
def follow(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A run that goes on from this one."""
    request.upload_handlers = [AttachedUploads(request)]
    return _follow(request, run_id)


@csrf_protect
def _follow(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    assert request.user.is_authenticated  # `posted` has seen to it
    run = access.run_visible_to(request.user, run_id)
    post = request.POST
    prompt, follows_from = post.get("prompt", ""), post.get("from", "fused")
    attached = attached_by(request)
    # The same form with other files asks for another run.
    choice = "\n".join([follows_from, prompt, *(file.hash for file in attached.files)])
    try:
        if attached.errors:
            raise Refused(" ".join(attached.errors))
        next_run = run_follow(
            run=run,
            owner=request.user,
            prompt=prompt,
            follows_from=follows_from,
            client_run_id=_once(post.get("client_run_id", ""), choice),
            files=attached.files,
        )
    except Refused as refused:
        return _refused(request, run, refused, kept=prompt)
    return redirect("run-detail", run_id=next_run.pk)


@posted
def ask_again(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The same question, of the preset as it is now."""
    run = access.run_owned_by(request.user, run_id)
    assert run.owner is not None
    reuses = "reuse" in request.POST
    form = request.POST.get("client_run_id", "")
    client_run_id = _once(form, f"again {'reusing' if reuses else ''}")
    try:
        next_run = run_ask_again(
            run=run, owner=run.owner, client_run_id=client_run_id, reuses=reuses
        )
    except Refused as refused:
        return _refused(request, run, refused, kept="")
    return redirect("run-detail", run_id=next_run.pk)


def _once(form: str, choice: str) -> str | None:
    """A form sent twice says the same; sent again with other words it asks for another run."""
    try:
        return str(uuid.uuid5(uuid.UUID(form), choice))
    except ValueError:
        return None


def _do(
    request: HttpRequest,
    run_id: uuid.UUID,
    act: Callable[..., Any],
    *,
    kept: str = "",
    is_watched: bool = False,
    to: Callable[[Any], str] = lambda told: "",
    **given: Any,
) -> HttpResponse:
    """`to` says by what was done which part of the run's page is shown then. Where a page
    `is_watched` it tells itself what came of it, or that it came too late."""
    run = access.run_owned_by(request.user, run_id)
    try:
        told = act(run=run, **given)
    except Refused as refused:
        if is_watched and by_htmx(request) and _is_past_the_panel(run):
            return seen_as_it_happens(request, run)
        return _refused(request, run, refused, kept=kept)
    if is_watched:
        return seen_as_it_happens(request, run)
    return redirect(reverse("run-detail", args=[run.pk]) + to(told))


def _is_past_the_panel(run: Run) -> bool:
    run.refresh_from_db(fields=["status"])
    return run.is_final or run.fusions.exists()


def _seat_of(call: Call) -> str:
    return f"?look=answers&part=seat-{call.seat}"


def _seat(text: str) -> int:
    """What is no number is no seat either: -1."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1


def _refused(request: HttpRequest, run: Run, refused: Refused, *, kept: str) -> HttpResponse:
    """`kept` is what was written at some length: nobody should have to write it again."""
    back = reverse("run-detail", args=[run.pk])
    context = {"sentence": str(refused), "back": back, "kept": kept}
    return render(request, "400.html", context, status=422)
