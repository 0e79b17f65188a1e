"""The only door through which objects reach an edge.

Absent and forbidden look the same: Http404.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeGuard

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, F, OuterRef, Q, QuerySet, UUIDField, Value
from django.http import Http404
from django.utils import timezone

from .engine.spec_versions import SpecUnreadable
from .engine.unnamed import PANEL, Unnamed
from .models import (
    ApiToken,
    LookedAt,
    OwnPreset,
    Project,
    ProjectFile,
    PromptTemplate,
    Run,
    RunFile,
    RunPicture,
    ShareLink,
    Visibility,
)
from .models.links import hash_of
from .models.prepared import READER, Placeholder, Prepared
from .models.runs import Origin, is_evaluation, is_sample, is_unfinished
from .models.shown import ALL, Shown

Viewer = User | AnonymousUser
ENDED = "It ran out or was taken back; whoever sent it can make another."
PROMPT_HIDDEN = "(the question is not shown)"
MANY = 100  # runs under way, beyond which nobody counts
_RUN: Any = Placeholder("run", Run._meta.pk)


def is_member(user: Viewer) -> TypeGuard[User]:
    return bool(user.is_authenticated and user.is_active)


def is_admin(user: Viewer) -> bool:
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def runs_visible_to(user: Viewer) -> QuerySet[Run]:
    """Own runs and the team's, for admins too: at /admin/ they see of others' only that they
    are there."""
    if not (user.is_authenticated and user.is_active):
        return Run.objects.none()
    return Run.objects.filter(is_readable_by(user))


def visible(user: Viewer) -> list[QuerySet[Run]]:
    """Those that somebody asked, as branches, for lists: each has an index, and no run is in two
    of them."""
    if not (user.is_authenticated and user.is_active):
        return []
    asked = Run.objects.exclude(origin=Origin.SAMPLE)
    team = asked.filter(visibility=Visibility.TEAM)
    return [asked.filter(owner_id=user.pk), team.exclude(owner_id=user.pk)]


def evaluations_visible_to(user: Viewer) -> QuerySet[Run]:
    """What `manage.py evaluate` asked for the team to read; nobody owns it."""
    if not (user.is_authenticated and user.is_active):
        return Run.objects.none()
    return Run.objects.filter(is_evaluation(), visibility=Visibility.TEAM)


def is_readable_by(user: Viewer) -> Q:
    """Of a run, as a condition: whether somebody who has signed in may read what is in it."""
    return _is_readable_by(user.pk)


def _is_readable_by(person: Any) -> Q:
    return Q(owner_id=person) | Q(visibility=Visibility.TEAM)


def samples_visible_to(user: Viewer) -> QuerySet[Run]:
    """What came with the site to be read, the first run of each sample: what goes on from it
    is reached from there."""
    return runs_visible_to(user).filter(is_sample(), follows=None)


@dataclass(frozen=True)
class AtTheHead:
    """What the head of every page tells, by one question: one's own runs that have not ended, the
    newest first, as far as they are counted, and whether others did something to one's runs that
    one has not seen."""

    under_way: list[uuid.UUID]
    has_news: bool = False


@cache
def _at_the_head() -> Prepared:
    is_new = Q(news_at__isnull=False) & (Q(at=None) | Q(news_at__gt=F("at")))
    news = LookedAt.objects.filter(is_new, person_id=READER).order_by()
    none = Value(None, output_field=UUIDField())
    runs = Run.objects.filter(is_unfinished(), owner_id=READER).order_by()
    told = news.values_list("news_at", none).union(runs.values_list("created_at", "pk"), all=True)
    return Prepared(told[: MANY + 1].all)


def at_the_head(user: Viewer) -> AtTheHead:
    if not (user.is_authenticated and user.is_active):
        return AtTheHead([])
    rows = _at_the_head().rows(reader=user.pk)
    under_way = sorted([(at, pk) for at, pk in rows if pk], reverse=True)
    return AtTheHead([pk for _, pk in under_way][:MANY], len(under_way) < len(rows))


def _the_run() -> QuerySet[Run]:
    return Run.objects.filter(_is_readable_by(READER), pk=_RUN).order_by()


_VISIBLE = Prepared(
    lambda: (
        _the_run()
        .annotate(
            holds_files=Exists(RunFile.objects.filter(run=OuterRef("pk"))),
            has_projects=Exists(Project.objects.all()),
            is_followed=Exists(Run.objects.filter(follows=OuterRef("pk"))),
        )
        .select_related("owner", "project")
    )
)
_IS_VISIBLE = Prepared(lambda: _the_run().values_list("pk"))


def run_visible_to(user: Viewer, run_id: uuid.UUID) -> Run:
    """Beside its fields: `holds_files`, whether files go with it, `has_projects`, whether it could
    belong to any, and `is_followed`, whether anything goes on from it."""
    found = _VISIBLE.rows(reader=user.pk, run=run_id) if is_member(user) else []
    if not found:
        raise Http404("No such run.")
    run: Run = found[0]
    return run


_READABLE = Prepared(
    lambda: Run.objects.filter(_is_readable_by(READER)).order_by().values("id", "follows_id")
)


def sql_of_runs_visible_to(user: Viewer) -> tuple[str, list[Any]]:
    """Their `id` and `follows_id`, for a question with these in it, by who has one of them."""
    assert is_member(user)
    return _READABLE.sql(reader=user.pk)


def is_run_visible_to(user: Viewer, run_id: uuid.UUID) -> bool:
    """For who asks again and again, and has the run already."""
    return is_member(user) and bool(_IS_VISIBLE.rows(reader=user.pk, run=run_id))


def run_owned_by(user: Viewer, run_id: uuid.UUID) -> Run:
    """For whoever may stop, share or change it."""
    return _one(runs_visible_to(user), pk=run_id, owner_id=user.pk)


def runs_deletable_by(user: Viewer) -> QuerySet[Run]:
    """One's own; an admin's are all that they may read. The sample has a way of its own."""
    runs = runs_visible_to(user).exclude(origin=Origin.SAMPLE)
    return runs if is_admin(user) else runs.filter(owner_id=user.pk)


def shown_to(user: Viewer, run: Run) -> Shown:
    """Of a run that they may read; who reads it by link is shown `link.shown`. What a program sent
    before its question is its owner's; what a page's question goes on from is runs of their own,
    each for whoever may read that."""
    if run.owner_id is None:
        return ALL
    if run.owner_id != user.pk:
        return ALL._replace(earlier=False, inner=False)
    return ALL._replace(earlier=run.origin != Origin.PAGE)


def tokens_of(user: Viewer) -> QuerySet[ApiToken]:
    """A person's own; admins see everybody's at /admin/."""
    return ApiToken.objects.filter(owner_id=user.pk, owner__is_active=True)


def token_owned_by(user: Viewer, token_id: int) -> ApiToken:
    token = tokens_of(user).filter(pk=token_id).first()
    if token is None:
        raise Http404("No such token.")
    return token


def presets_of(user: Viewer) -> QuerySet[OwnPreset]:
    """A person's own: nobody else's, not for admins either."""
    if not (user.is_authenticated and user.is_active):
        return OwnPreset.objects.none()
    return OwnPreset.objects.filter(owner_id=user.pk).select_related("project")


def preset_owned_by(user: Viewer, slug: str) -> OwnPreset:
    preset = presets_of(user).filter(slug=slug).first()
    if preset is None:
        raise Http404("No such preset.")
    return preset


def presets_offered_to(user: Viewer) -> QuerySet[OwnPreset]:
    """What others offer to the team."""
    if not (user.is_authenticated and user.is_active):
        return OwnPreset.objects.none()
    offered = OwnPreset.objects.exclude(offered_at=None).filter(owner__is_active=True)
    return offered.exclude(owner_id=user.pk).select_related("owner")


def preset_offered_to(user: Viewer, slug: str) -> OwnPreset:
    preset = presets_offered_to(user).filter(slug=slug).first()
    if preset is None:
        raise Http404("No such preset.")
    return preset


def prompts_of(user: Viewer) -> QuerySet[PromptTemplate]:
    """Those that they may start from: their own, and what is offered to the team."""
    if not (user.is_authenticated and user.is_active):
        return PromptTemplate.objects.none()
    offered = Q(offered_at__isnull=False, owner__is_active=True)
    return PromptTemplate.objects.filter(Q(owner_id=user.pk) | offered).select_related("owner")


def prompt_of(user: Viewer, key: int) -> PromptTemplate:
    return _prompt(prompts_of(user), key)


def prompt_editable_by(user: Viewer, key: int) -> PromptTemplate:
    """Its owner's; what is offered is the admins' business, too."""
    prompts = prompts_of(user)
    return _prompt(prompts if is_admin(user) else prompts.filter(owner_id=user.pk), key)


def _prompt(prompts: QuerySet[PromptTemplate], key: int) -> PromptTemplate:
    prompt = prompts.filter(pk=key).first()
    if prompt is None:
        raise Http404("No such template.")
    return prompt


def projects_of(user: Viewer) -> QuerySet[Project]:
    """Everybody on the team sees every project, and may ask in it. Its runs are read by whoever
    may read each."""
    if not (user.is_authenticated and user.is_active):
        return Project.objects.none()
    return Project.objects.all()


def project_of(user: Viewer, slug: str) -> Project:
    return _project(projects_of(user), slug)


def project_editable_by(user: Viewer, slug: str) -> Project:
    """Whoever made it, and the admins."""
    projects = projects_of(user)
    return _project(projects if is_admin(user) else projects.filter(made_by_id=user.pk), slug)


def file_of_project(user: Viewer, slug: str, file_id: int) -> ProjectFile:
    file = project_of(user, slug).files.select_related("file").filter(pk=file_id).first()
    if file is None:
        raise Http404("No such file.")
    return file


def _project(projects: QuerySet[Project], slug: str) -> Project:
    found = projects.filter(slug=slug).select_related("made_by")
    project = None if "\0" in slug else found.first()  # PostgreSQL will not even look
    if project is None:
        raise Http404("No such project.")
    return project


def runs_of_the_team() -> QuerySet[Run]:
    """For the shell, which acts for nobody in particular."""
    return Run.objects.filter(visibility=Visibility.TEAM)


def run_of_the_team(run_id: uuid.UUID) -> Run:
    return one_of(runs_of_the_team(), run_id)


def file_of(run: Run, number: int) -> RunFile:
    """Of a run that its reader has got at by one of the ways above."""
    row = RunFile.objects.select_related("file").filter(run=run, number=number).first()
    if row is None:
        raise Http404("No such file.")
    return row


def picture_of(run: Run, hash: str) -> RunPicture:
    """The same."""
    row = RunPicture.objects.select_related("file").filter(run=run, file=hash[:64]).first()
    if row is None or "\0" in hash:
        raise Http404("No such picture.")
    return row


def one_of(readable: QuerySet[Run], run_id: uuid.UUID) -> Run:
    return _one(readable, pk=run_id)


class LinkEnded(Exception):
    """It was a link of ours: it ran out, or was taken back. `str()` is a sentence."""


def link_open(token: str) -> ShareLink:
    """Whose run is as the link lets it be read (`link.shown`): what that hides, it does not have.
    Raises Http404 and LinkEnded."""
    links = ShareLink.objects.select_related("run__owner").filter(token_hash=hash_of(token))
    link = links.first()
    if link is None:
        raise Http404("No such run.")
    owner = link.run.owner
    if owner is not None and not owner.is_active:
        raise Http404("No such run.")
    if not link.is_open(timezone.now()) or link.run.visibility != Visibility.LINK:
        raise LinkEnded(ENDED)
    conceal(link.run, link.shown)
    return link


def conceal(run: Run, shown: Shown) -> None:
    """In this object, which is read and never saved. What a project says to its runs is the
    team's alone."""
    run.project, run.context = None, ""
    if not shown.prompt:
        run.title, run.prompt, run.messages = "", PROMPT_HIDDEN, []
        run.template = None
        run.follows_calls, run.histories = None, {}
        run.is_unasked = True
    if not shown.models:
        run.preset, run.preset_name, run.preset_version = "custom", PANEL, None
        try:
            run.unnamed = Unnamed(run.frozen_spec)
        except SpecUnreadable:
            return  # a page of it shows neither its answers nor who gave them
        run.spec = run.unnamed.spec.to_dict()


def _one(runs: QuerySet[Run], **lookup: Any) -> Run:
    try:
        return runs.select_related("owner", "project").get(**lookup)
    except Run.DoesNotExist:
        raise Http404("No such run.") from None
