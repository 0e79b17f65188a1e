"""`/fusion/models`: which models there are, what each costs and who says so, what has changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ...access import is_admin
from ...catalog.browse import NARROWED, CatalogQuery, browse, lists_known
from ...catalog.changes import changes, is_new
from ...catalog.listings import all_models
from ...catalog.offers import in_html, names_of, offers_as_json
from ...engine.text import storable
from ...fragments.catalog import changes_told, is_leaving, model_view
from ...providers.kinds import BUILT_IN
from ...services.errors import Refused
from ...services.favourites import favourite_set, favourites_of
from ...services.lately import models_used_lately
from ...services.preset_checks import catalog_naming
from ...services.seen_here import seen_lately
from .fragment import by_htmx, page_or_part

PREFILLED = 3
FILTERS = {
    "": "All",
    "starred": "Starred",
    "changed": "Changed lately",
    "ending": "Ending",
    "unpriced": "Price unknown",
    "own": "Own price",
}


@login_required
@never_cache
@require_safe
def list(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required has seen to it
    asked = _asked(request)
    lists = lists_known()
    credentials = [one.credential for one in lists if one.is_readable]
    found = browse(asked, credentials)
    read_at = {one.credential.pk: one.read_at for one in lists}
    # The whole catalog is only read where something may be offered.
    leaving = {row.model for row in found.rows if is_leaving(row)}
    catalog = catalog_naming(leaving) if leaving else None
    last = found.rows[-1] if found.has_more else None
    context = {
        "models": [
            model_view(
                row,
                read_at=read_at.get(row.credential_id),
                starred=asked.starred,
                is_new=is_new(row, found.begins),
                catalog=catalog if is_leaving(row) else None,
            )
            for row in found.rows
        ],
        "asked": asked,
        "next": _link(request, after=str(last.pk)) if last else "",
        "first": _link(request, after="") if asked.after else "",
        "filters": [
            (name, words, _link(request, only=name, after="")) for name, words in FILTERS.items()
        ],
        "back": request.GET.urlencode(),
        "is_admin": is_admin(request.user),
    }
    if not by_htmx(request):
        context |= {"lists": lists, "changes": changes_told(changes(found.begins))}
    return page_or_part(request, "console/models/models.html", "console/models/_list.html", context)


@login_required
@never_cache
@require_POST
def star(request: HttpRequest) -> HttpResponse:
    """Given or taken back; a page with scripts puts the star that it gets where it was."""
    assert isinstance(request.user, User)
    on = "give" in request.POST
    name = storable(request.POST.get("give" if on else "take", ""))
    try:
        favourite_set(person=request.user, name=name, on=on)
    except Refused as refused:
        if by_htmx(request):
            return HttpResponse(str(refused), status=422, content_type="text/plain; charset=utf-8")
        messages.error(request, str(refused))
    if by_htmx(request):
        model = {"whole": name, "model": name.partition(":")[2], "is_starred": on}
        return render(request, "console/models/_star.html", {"model": model, "is_pressed": True})
    return redirect(f"{reverse('model-list')}?{request.POST.get('back', '')[:500]}")


def to_choose_from(request: HttpRequest) -> HttpResponse:
    """For fields that name a model: the lists of every provider, asked for apart so that a slow
    one never delays a page."""
    assert isinstance(request.user, User)
    models, errors = all_models()
    names = names_of(models)
    # The built-in model is a demonstration: it is offered, but never put forward.
    forward = [n for n, m in zip(names, models, strict=True) if m.credential_slug != BUILT_IN.slug]
    at = {(m.credential_slug, m.model): n for n, m in zip(names, models, strict=True)}
    context = {
        "count": len(names),
        "offers": offers_as_json(models),
        "used": [at[used] for used in models_used_lately(request.user) if used in at],
        "starred": [at[given] for given in favourites_of(request.user) if given in at],
        "seen": in_html(seen_lately()),
        "errors": errors,
        "prefill": (forward or names)[:PREFILLED],
    }
    return render(request, "console/compose/_models.html", context)


def _asked(request: HttpRequest) -> CatalogQuery:
    assert isinstance(request.user, User)
    after = request.GET.get("after", "")
    only = request.GET.get("only", "")
    return CatalogQuery(
        text=storable(request.GET.get("q", "")),
        only=only if only in NARROWED else "",
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None,
        starred=favourites_of(request.user),
    )


def _link(request: HttpRequest, **changed: str) -> str:
    said: dict[str, Any] = {n: request.GET.get(n, "") for n in ("q", "only", "after")} | changed
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{reverse('model-list')}?{query}"
