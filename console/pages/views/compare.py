"""`/fusion/runs/<id>/compare`: two texts of a run side by side, or one of them and one of another
run (`with=<id>`)."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from ... import access
from ...engine.spec import Spec
from ...engine.spec_versions import SpecUnreadable
from ...engine.state import RunState
from ...fragments.comparison import compared_page
from ...models import Run, ShareLink
from ...record.compared import NoSuchText, comparable, named, of_other, usual
from ...record.rows import state_from_rows
from ...record.titles import called
from ...services.follow import follow_lacks
from .by_link import by_link
from .runs import private_page

PAGE = "console/compare/compare.html"


@login_required
@private_page
@require_safe
def compare(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    other = _other_run(request, run)
    return _page(request, run, back=reverse("run-detail", args=[run.pk]), other=other)


def _other_run(request: HttpRequest, run: Run) -> Run | None:
    named = request.GET.get("with", "")
    try:
        other = uuid.UUID(named) if named else run.pk
    except ValueError:
        raise Http404("No such run.") from None
    return None if other == run.pk else access.run_visible_to(request.user, other)


@by_link
def shared_compare(request: HttpRequest, token: str, link: ShareLink) -> HttpResponse:
    """For whoever has the link; what can be compared stands on the page that it leads to."""
    back = reverse("run-shared", args=[token])
    return _page(request, link.run, back=back, is_shared=True)


def _page(
    request: HttpRequest,
    run: Run,
    *,
    back: str,
    is_shared: bool = False,
    other: Run | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {"run": run, "back": back, "is_shared": is_shared, "other": other}
    try:
        spec, state = run.frozen_spec, state_from_rows(run)
        beside = of_other(comparable(*_spec_and_state(other)), _called(run, other)) if other else []
    except SpecUnreadable as why:
        return render(request, "400.html", context | {"sentence": str(why)}, status=400)
    texts = [*comparable(spec, state), *beside]
    if (both := usual(texts)) is None:
        return render(request, PAGE, context)
    try:
        left = named(texts, request.GET.get("left") or both[0])
        right = named(texts, request.GET.get("right") or _other(both, left.name))
    except NoSuchText as why:
        return render(request, "400.html", context | {"sentence": str(why)}, status=400)
    context |= {
        "texts": texts,
        "page": compared_page(state, left, right),
        "only_differs": bool(request.GET.get("differs")),
        "may_ask": not is_shared and _may_be_followed(run, spec),
    }
    return render(request, PAGE, context)


def _spec_and_state(run: Run) -> tuple[Spec, RunState]:
    return run.frozen_spec, state_from_rows(run)


def _called(run: Run, other: Run) -> str:
    """When the same was asked; another question by its title."""
    if run.prompt != other.prompt:
        return called(other)
    asked = timezone.localtime(other.created_at)
    return f"{asked.day} {asked:%b %Y, %H:%M}"


def _may_be_followed(run: Run, spec: Spec) -> bool:
    """As its page has a box for the next question."""
    is_somebodys = run.owner_id is not None or run.is_sample
    return run.is_final and is_somebodys and not follow_lacks(run, spec)


def _other(both: tuple[str, str], name: str) -> str:
    return both[0] if name == both[1] else both[1]
