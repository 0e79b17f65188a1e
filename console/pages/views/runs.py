"""`/fusion/runs`: read, stop and share runs."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from ... import access
from ...engine.spec_versions import SpecTooNew, SpecUnreadable
from ...fragments import RunTexts, fusion_context, run_context
from ...fragments.again import FORMS, again
from ...fragments.budget import goes_on
from ...fragments.changed import changed
from ...fragments.estimate import estimate_told
from ...fragments.files import files_of
from ...fragments.found import texts_with_marks
from ...fragments.fusions import (
    NoSuchFusion,
    askable,
    fuse_again,
    fusion_before,
    fusion_tabs,
    shown_fusion,
)
from ...fragments.poll import poll
from ...fragments.seats import columns
from ...fragments.sentences import is_compared_first, waits_for_newer
from ...fragments.since import since
from ...fragments.verdicts import verdicts
from ...fragments.worth import worth
from ...models import Run, ShareLink
from ...models.runs import Origin
from ...models.shown import Shown
from ...record.changed_since import earlier
from ...record.newest import Bookmark
from ...record.rows import state_from_rows, when
from ...record.thread import Thread, thread_of
from ...search import read_query
from ...search.filling import is_filling
from ...search.finding import best_of
from ...services.estimates import outcome
from ...services.expected import expected_fusion, prices_for
from ...services.follow import expected_follow, follow_lacks
from ...services.fusion_wish import judged_as_usual
from ...services.habits import habits
from ...services.presets import preset_names
from ...services.runs import run_cancel
from ...services.verdicts import verdicts_of
from ...services.web import is_offered
from ..search_form import Search, read_search
from .by_link import by_link
from .deleted_lines import deleted_together
from .files import picture
from .fragment import page_or_main, page_or_part
from .order import ordering
from .posted import posted, seen_as_it_happens
from .questions import all_that_fit, found_questions, page_of_questions, question_rows
from .rows import page_of_evaluations, run_rows, with_rows
from .sharing import sharing

PAGE_SIZE = 20
LAST = 2**63 - 1  # no database counts further
PAGE, ENDED = "console/run/run.html", "console/run/_ended.html"
AGAIN = "console/run/_again_more.html"
# What of a run fills the window.
LOOKS = ("answers", "result")
PARTS = ("fused-answer", "analysis", "sources", "receipt")

# Of what the page is made of: no template has it, but the clock's reading beside what is kept.
_NOT_SHOWN = ("prices", "now")

# A run may be private, and may stop being shared: no cache keeps a copy.
private_page = cache_control(private=True, no_store=True)


@login_required
@private_page
@require_safe
def list(request: HttpRequest) -> HttpResponse:
    marks = {name: _mark(request.GET.get(name, "")) for name in ("before", "after")}
    user = request.user
    assert isinstance(user, User)
    if request.GET.get("origin") == Origin.EVALUATION:
        page = page_of_evaluations(user, PAGE_SIZE, **marks)
        context = {"page": page, "rows": run_rows(page.runs), "are_evaluations": True}
        context["kept_choice"] = f"origin={Origin.EVALUATION}&"
        return page_or_main(request, "runs", context)
    search = read_search(request.GET, user)
    context = {"search": search, "shows_filters": "filters" in request.GET}
    if act := _act(request.GET.get("deleted", "")):
        context["deleted_now"] = next(iter(deleted_together(user, act)), None)
    if context["shows_filters"]:
        search.form.offer()
    if "all" in request.GET:
        context["fitting"] = all_that_fit(user, search)
    if search.is_on:
        return page_or_main(request, "runs", context | _found(request, search))
    page = page_of_questions(user, PAGE_SIZE, **marks)
    # Beside the list, not in it: a sample is no run of anybody's.
    samples = [] if page.older else run_rows(with_rows(access.samples_visible_to(user)))
    context |= {"page": page, "rows": question_rows(user, page.runs), "samples": samples}
    context["has_evaluations"] = access.evaluations_visible_to(user).exists()
    return page_or_main(request, "runs", context)


def _found(request: HttpRequest, search: Search) -> dict[str, Any]:
    below = request.GET.get("below", "")
    is_number = below.isascii() and below.isdigit() and len(below) < 20
    before = min(int(below), LAST) if is_number else None
    page = found_questions(request.user, search, PAGE_SIZE, before)
    return {
        "rows": page.rows,
        "found": page,
        "is_first": before is None,
        "best_of": f"{best_of():,}",
        "is_filling": is_filling(),
    }


@login_required
@private_page
@require_safe
def under_way(request: HttpRequest) -> HttpResponse:
    """What stands at the head of every page, for one that is open."""
    return render(request, "console/_under_way.html")


def _act(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _mark(text: str) -> Bookmark | None:
    """Of an address that somebody has typed or kept from long ago: the first page."""
    try:
        return Bookmark.read(text)
    except ValueError:
        return None


@login_required
@private_page
@require_safe
def detail(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    if request.method == "HEAD":
        return HttpResponse()  # pages left open ask whether they may stay
    if (number := request.GET.get("source", "")).isascii() and number.isdecimal():
        # A part of the page that is made for everybody alike knows no address of its run.
        return redirect("run-source", run.pk, int(number[:6]))
    if hash := request.GET.get("picture", ""):
        return picture(run, hash)
    may_share = run.owner_id == request.user.pk
    # Nobody is asked for what is only there to be read.
    is_owner = may_share and not run.is_read_only
    own = {
        "is_owner": is_owner,
        "may_share": may_share,
        "may_look_up": is_owner and is_offered(),
        "takes_along": not may_share,  # who shares finds it there
        "reader_is_staff": request.user.is_staff,
        "path": request.path,
        "client_run_id": uuid.uuid4(),
        "thread": (own_thread := thread(request, run)),
    } | ordering(request, run, own_thread)
    if may_share:
        own |= sharing(run, just_shared="shared" in request.GET)
    try:
        context = (
            run_page(
                run,
                look=request.GET.get("look", ""),
                part=request.GET.get("part", ""),
                fusion=request.GET.get("fusion", ""),
                frames=reverse("run-frames", args=[run.pk]),
                socket=f"/ws/runs/{run.pk}",
                shown=access.shown_to(request.user, run),
                reader_id=request.user.pk,
            )
            | own
        )
    except SpecUnreadable as why:
        return _without_its_answers(request, run, why, is_owner=is_owner)
    except NoSuchFusion as none:
        return render(request, "400.html", {"sentence": str(none)}, status=400)
    if run.again_of_id and (before := earlier(run, access.runs_visible_to(request.user))):
        spec, state = context["spec"], context["state"]
        context["since"] = since(before, spec, state, context["shown_fusion"])
    query = read_query(request.GET.get("q", ""))
    if query.terms:
        texts: RunTexts = context["seat_texts"]
        context["seat_texts"] = texts.and_then(texts_with_marks, query, context["part"])
    asked_for = "again" in request.GET
    if is_owner:
        context |= _again(run, context, is_asked_for=asked_for)
        may_fuse = bool(context["has_answers"] and not context["has_fused"])
        may_fuse = may_fuse and context["fuse_again"].can_be
        context["budget"] = goes_on(run, context["state"], may_fuse=may_fuse)
    part = AGAIN if is_owner and asked_for else ENDED
    return page_or_part(request, PAGE, part, context | _whole(context))


@by_link
def shared(request: HttpRequest, token: str, link: ShareLink) -> HttpResponse:
    """For whoever has the link: the same page, read-only, without what the link hides."""
    run = link.run
    if request.method == "HEAD":
        return HttpResponse()
    if hash := request.GET.get("picture", ""):
        return picture(run, hash)
    try:
        context = run_page(
            run,
            look=request.GET.get("look", ""),
            part=request.GET.get("part", ""),
            fusion=request.GET.get("fusion", ""),
            frames=reverse("shared-frames", args=[token]),
            socket=f"/ws/shared/{token}",
            shown=link.shown,
        )
    except SpecUnreadable as why:
        return _without_its_answers(request, run, why, is_shared=True)
    except NoSuchFusion as none:
        return render(request, "400.html", {"sentence": str(none)}, status=400)
    own = {"is_shared": True, "link_token": token, "takes_along": True, "path": request.path}
    context |= own
    return page_or_part(request, PAGE, ENDED, context | _whole(context))


@posted
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_owned_by(request.user, run_id)
    run_cancel(run=run)
    return seen_as_it_happens(request, run)


def _without_its_answers(
    request: HttpRequest, run: Run, why: SpecUnreadable, **context: bool
) -> HttpResponse:
    """Of a run that only a newer version can read, or none: what was asked, and how it stands."""
    waits = isinstance(why, SpecTooNew) and not run.is_final
    sentence = waits_for_newer() if waits else str(why)
    return render(request, "console/run/too_new.html", context | {"run": run, "sentence": sentence})


def run_page(
    run: Run,
    *,
    socket: str,
    frames: str,
    look: str = "",
    part: str = "",
    fusion: str = "",
    shown: Shown,
    reader_id: int | None = None,
) -> dict[str, Any]:
    """Raises SpecUnreadable and NoSuchFusion. Where nobody was asked there are no costs to show.
    `look`, `part` and `fusion` are what an address asks for; without a look a run that has its
    result opens there. A phone shows one part of it."""
    spec, state, now = run.frozen_spec, state_from_rows(run), time.time()
    show_costs = shown.costs and not run.is_read_only
    context = run_context(
        spec, state, show_costs=show_costs, show_notes=shown.notes, names_runs=shown.inner
    )
    number = shown_fusion(state, fusion)
    is_older = state.fusion is not None and number != state.fusion.number
    alone = state.of_turn(number) if number and is_older else state
    if number and is_older:
        context |= fusion_context(spec, state, number, show_costs=show_costs)
    may_fuse = state.status.is_final and show_costs and reader_id is not None
    # Of a run that nobody was to judge: whoever would be asked now.
    would_be = judged_as_usual(spec) or spec if may_fuse else spec
    can_fuse = may_fuse and would_be.has_judge
    prices = prices_for(would_be, state) if can_fuse else None
    expected = (
        expected_fusion(would_be, state, run.prompt, habits(), prices=prices) if can_fuse else None
    )
    files = files_of(run, state, context["seats"]) if shown.prompt else []
    has_result = bool(context["fused_answer"]) and (state.status.is_final or is_older)
    columns_shown = columns(spec, alone)
    look = look if look in LOOKS else LOOKS[has_result]
    parts = PARTS if look == "result" else [column.id for column in columns_shown]
    seats = askable(spec, state)
    has_answers = any(seat.has_answer for seat in seats)
    has_sources = bool(context["pool"] or files)
    follow = expected_follow(run, spec, state) if may_fuse and has_answers else None
    is_waiting = state.status.is_final and is_compared_first(spec, state) and len(seats) > 1
    return context | {
        "run": run,
        "files": files,
        "asked_at": when(run.asked_at) if run.is_imported else None,
        "look": look,
        "part": part if part in parts and (part != "sources" or has_sources) else parts[0],
        "socket_path": socket,
        "frames_path": frames,
        "now": now,
        "seat_texts": RunTexts(spec, alone),
        "fusion_tabs": fusion_tabs(spec, state),
        "shown_fusion": number,
        "latest_fusion": state.fusion.number if state.fusion else None,
        "is_older": is_older,
        "changed": changed(spec, state, fusion_before(state, number), number, now=now)
        if alone.has_answer(alone.fusion)
        else None,
        "would_be": would_be,
        "prices": prices,
        "fuse_again": fuse_again(would_be, state, expected),
        "verdicts": verdicts(spec, state, verdicts_of(run), reader_id)
        if reader_id and shown.people and state.status.is_final
        else None,
        "poll": poll(alone, columns_shown),
        "worth": worth(alone, columns_shown),
        "estimate_told": estimate_told(outcome(run, state), is_final=state.status.is_final)
        if show_costs
        else (),
        "askable": seats,
        "has_answers": has_answers,
        "some_may_be_asked": any(seat.may_be_asked for seat in seats),
        "follow_lacks": follow_lacks(run, spec) if has_answers and state.status.is_final else "",
        "follow_price": follow.words if follow else "",
        "some_are_brought": any(not seat.may_be_asked for seat in seats),
        "waits_for_reader": is_waiting and has_answers and not run.is_read_only,
        "has_fused": any(state.has_answer(f) and not f.best for f in state.fusions.values()),
        "best": state.calls.get(state.fusion.best) if state.fusion else None,
    }


def _whole(context: dict[str, Any]) -> dict[str, Any]:
    """Of a run that has ended, or of which no word has been written yet, all that its page is made
    of, by which it is made once for all who are shown the same (`templatetags/kept.py`). A moment
    is told by how it lies to this day."""
    state = context["state"]
    is_fresh = not state.status.is_final
    if is_fresh and any(call.text for call in state.calls.values()):
        return {}  # the next reader will be shown more
    shown = {name: value for name, value in context.items() if name not in _NOT_SHOWN}
    return {"whole": shown | {"today": timezone.localdate()}, "is_fresh": is_fresh}


def _again(run: Run, context: dict[str, Any], *, is_asked_for: bool) -> dict[str, Any]:
    """What only who may fuse again is shown."""
    view = again(
        context["would_be"],
        context["state"],
        run.prompt,
        context.get("shown_fusion"),
        is_asked_for=is_asked_for,
        prices=context["prices"],
    )
    if not view.is_whole:
        return {"again": view}
    presets = preset_names(run.owner)
    name = next((name for slug, name in presets if slug == run.preset), "")
    return {
        "again": view,
        "again_forms": FORMS,
        "again_presets": presets,
        "may_reuse": context["has_answers"] and context["spec"].research is None,
        "asks_again_of": f"with {name} as it is now" if name else "of the same panel",
    }


def thread(request: HttpRequest, run: Run) -> Thread:
    """As far as its owners let it be read. Not of a link, which shows one run."""
    return thread_of(run, access.sql_of_runs_visible_to(request.user))
