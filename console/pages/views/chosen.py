"""`/fusion/runs/chosen`: what is done to questions that were chosen in the list, or to all that
fit what the list is narrowed by."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ... import access
from ...fragments.figures import count_of
from ...models import Run
from ...models.order import ARCHIVE
from ...record.questions import MOST as MOST_RUNS
from ...record.questions import firsts_of, whole
from ...services.deletion import runs_delete
from ...services.errors import Refused
from ...services.order import runs_mark, runs_tag, tags_typed
from ..search_form import read_search
from .questions import MOST_CHOSEN, all_that_fit

# What an address of the list says of a page of it, and not of what it is narrowed by.
_OF_A_PAGE = ("all", "before", "after", "below", "deleted")


@require_POST
@login_required
def chosen(request: HttpRequest) -> HttpResponse:
    """Those that one may not do it to are left, and said to be."""
    person, post = request.user, request.POST
    assert isinstance(person, User)
    back = post.get("back", "")
    if not url_has_allowed_host_and_scheme(back, None) or not back.startswith("/fusion/runs"):
        back = reverse("run-list")
    kept = QueryDict(urlsplit(back).query, mutable=True)
    for name in _OF_A_PAGE:
        kept.pop(name, None)
    readable = access.runs_visible_to(person)
    did, act = post.get("do", ""), None
    try:
        rows = [*readable.filter(pk__in=_keys(person, post, kept))]
        runs = whole(rows, readable)  # a row is a question with all that goes on from it
        if len(runs) >= MOST_RUNS:
            raise Refused(f"That is more than {MOST_RUNS:,} runs at a time: narrow the list first.")
        own = [run for run in runs if run.owner_id == person.pk]
        if not runs:
            raise Refused("Choose some questions first.")
        match did:
            case "archive" | "unarchive":
                runs_mark(runs=runs, person=person, kind=ARCHIVE, on=did == "archive")
                done = runs
            case "beside":
                if len(rows) != 2:
                    raise Refused("Choose two questions, to see side by side what they say.")
                newer, older = sorted(rows, key=lambda row: row.created_at, reverse=True)
                return redirect(f"{reverse('run-compare', args=[newer.pk])}?with={older.pk}")
            case "tag":
                runs_tag(runs=own, names=tags_typed(post.get("tag", "")))
                done = own
            case "delete":
                done = _deletable(person, runs)
                act = runs_delete(runs=done, by=person) if done else None
            case _:
                raise Refused("Choose what to do with them.")
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(back)
    first_of = firsts_of(runs)
    touched = {first_of[run.pk] for run in done}
    asked = {first_of[run.pk] for run in rows}
    if left := len(asked - touched):
        messages.warning(request, f"{left} of them are not yours to change.")
    if act:
        kept["deleted"] = str(act)
    elif done:
        messages.success(request, _said(did, len(asked & touched)))
    return redirect(f"{urlsplit(back).path}{f'?{urlencode(kept)}' if kept else ''}")


def _keys(person: User, post: QueryDict, kept: QueryDict) -> Collection[uuid.UUID]:
    """Those with a tick; or all that fit, if they are as many as was said."""
    if told := post.get("all", ""):
        fit = all_that_fit(person, read_search(kept, person))
        if str(len(fit.runs)) != told:
            raise Refused(
                f"Nothing was done: meanwhile there are {count_of(len(fit.runs), 'question')}, "
                f"not {told}. Look again."
            )
        return fit.runs
    found = []
    for text in post.getlist("run")[:MOST_CHOSEN]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _deletable(person: User, runs: Sequence[Run]) -> list[Run]:
    """An admin deletes questions, and not what others have asked on them."""
    allowed = {*access.runs_deletable_by(person).filter(pk__in=[run.pk for run in runs])}
    owner_of = {run.pk: run.owner_id for run in runs}
    first_of = firsts_of(runs)
    return [
        run
        for run in runs
        if run in allowed and run.owner_id in (person.pk, owner_of[first_of[run.pk]])
    ]


def _said(did: str, count: int) -> str:
    words = {"archive": "archived", "unarchive": "back in the list", "tag": "tagged"}
    return f"{count_of(count, 'question')} {words[did]}."
