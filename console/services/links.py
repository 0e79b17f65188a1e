"""Who may read a run, and the links by which it is read without an account."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ..models import Run, ShareLink, Visibility
from ..models.links import hash_of
from ..models.runs import PROJECT, Origin
from ..models.shown import HIDEABLE
from ..search import index
from .errors import Refused

# Days -> what people choose; 0: it has no end.
LASTS = {1: "in a day", 7: "in 7 days", 30: "in 30 days", 0: "never"}
USUAL_DAYS = 30
USUALLY_HIDDEN = ("costs",)


def run_share(
    *,
    run: Run,
    visibility: str,
    by: User,
    days: int = 0,
    hides: Collection[str] | None = None,
    anew: bool = False,
) -> str:
    """Set who may read it. Returns the token of a link that was made for that, which is kept
    nowhere, else "". One link is open at a time: an open one stays, unless one is asked for
    `anew`. Any other choice ends it. `hides`: costs, where nobody says."""
    is_projects = visibility == PROJECT
    if is_projects:
        if run.project_id is None:
            raise Refused("The run is in no project.")
        visibility = Visibility.TEAM
    if visibility not in Visibility.values:
        raise Refused("Choose who may read this run.")
    if days not in LASTS:
        raise Refused("A link ends in 1, 7 or 30 days, or never.")
    hides = USUALLY_HIDDEN if hides is None else hides
    if not set(hides) <= set(HIDEABLE):
        raise Refused(f"A link can hide {', '.join(HIDEABLE)}.")
    now, token = timezone.now(), ""
    with transaction.atomic():
        # Two who share at once make one link after the other.
        held = Run.objects.select_for_update().filter(pk=run.pk).first()
        if held is None or held.origin == Origin.DELETED:
            raise Refused("The run is not there any more.")
        open_link = open_link_of(held)
        keeps = visibility == Visibility.LINK and open_link is not None and not anew
        if not keeps:
            ShareLink.objects.filter(run=held, ended_at=None).update(ended_at=now)
            if visibility == Visibility.LINK:
                token = secrets.token_urlsafe(32)
                ShareLink.objects.create(
                    run=held,
                    token_hash=hash_of(token),
                    made_by=by,
                    made_at=now,
                    expires_at=now + timedelta(days=days) if days else None,
                    hides=[name for name in HIDEABLE if name in hides],
                )
        # It may have been taken out of its project a moment ago.
        if is_projects and held.project_id is None:
            raise Refused("The run is in no project.")
        Run.objects.filter(pk=run.pk).update(visibility=visibility, leaves_with_project=is_projects)
        index(run.pk)
    run.visibility, run.leaves_with_project = visibility, is_projects
    return token


def open_link_of(run: Run) -> ShareLink | None:
    if run.visibility != Visibility.LINK:
        return None
    latest = run.links.select_related("made_by").first()
    return latest if latest and latest.is_open(timezone.now()) else None
