"""What can be done to a project, and runs put into it and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.text import slugify

from ..models import ApiToken, OwnPreset, Preset, Project, Purse, Run, Visibility
from ..models.money import DAY, MONTH, PROJECT
from ..models.runs import Origin
from ..money.amounts import nano
from ..money.purses import purse_set
from ..search import index
from ..search.facets import project_facet
from ..search.filling import is_stale
from ..search.of_files import forget_files
from .errors import Refused
from .runs import clean_text
from .wish import CUSTOM, DIRECT

MOST = 200
LONGEST_NAME, LONGEST_SLUG, LONGEST_CONTEXT = 60, 40, 20_000
MOST_DOLLARS = Decimal(10**8)


def preset_choices(project: Project | None = None) -> list[tuple[str, str]]:
    """What a project may offer first: the site's presets, and those that are offered to the team.
    What it offers today is among them, whatever has become of that."""
    site = [*Preset.objects.filter(enabled=True).values_list("slug", "name")]
    offered = OwnPreset.objects.exclude(offered_at=None).filter(owner__is_active=True)
    found = [*site, *((p.slug, f"{p.name}, by {p.owner}") for p in offered.select_related("owner"))]
    if project and project.preset and project.preset not in dict(found):
        found.append((project.preset, f"{project.preset} (not there any more)"))
    return found


def offered_first(project: Project | None) -> OwnPreset | None:
    """Its preset, where a member offers it."""
    if project is None or not project.preset:
        return None
    offered = OwnPreset.objects.exclude(offered_at=None).filter(owner__is_active=True)
    return offered.filter(slug=project.preset).first()


def project_of_preset(slug: str) -> Project | None:
    """Where runs with it belong that say nothing; one that one's own or the site's preset names."""
    if slug in ("", CUSTOM, DIRECT):  # no preset's
        return None
    site = Preset.objects.filter(slug=slug).values("project")
    own = OwnPreset.objects.filter(slug=slug).values("project")
    return Project.objects.filter(Q(pk__in=site) | Q(pk__in=own)).first()


def project_save(
    *,
    by: User,
    name: str,
    context: str = "",
    preset: str = "",
    per_run: Decimal | None = None,
    per_day: Decimal | None = None,
    per_month: Decimal | None = None,
    project: Project | None = None,
) -> Project:
    """A new one, or `project` as it is to be from now on: runs keep the context they were asked
    with. Amounts are US dollars; None: no such budget. Raises Refused."""
    name, context = " ".join(clean_text(name).split()), clean_text(context).strip()
    if not name:
        raise Refused("Give it a name.")
    if len(name) > LONGEST_NAME:
        raise Refused(f"A name has at most {LONGEST_NAME} characters.")
    longest = min(LONGEST_CONTEXT, settings.MAX_PROMPT_CHARACTERS)
    if len(context) > longest:
        raise Refused(f"The context has {len(context):,} characters; {longest:,} are allowed.")
    for amount in (per_run, per_day, per_month):
        if amount is not None and not 0 <= amount < MOST_DOLLARS:
            raise Refused("A budget is an amount in US dollars.")
    if preset and preset not in dict(preset_choices(project)):
        raise Refused("There is no such preset.")
    with transaction.atomic():
        if project is None:
            project = _made(name, by)
        else:
            project = Project.objects.select_for_update().filter(pk=project.pk).first()
            if project is None:
                raise Refused("It was deleted meanwhile.")
        project.name, project.context, project.preset = name, context, preset
        project.run_budget_nano = None if per_run is None else nano(per_run)
        project.save()
        for period, limit in ((DAY, per_day), (MONTH, per_month)):
            purse_set(kind=PROJECT, subject=str(project.pk), period=period, limit=limit)
    return project


def _made(name: str, by: User) -> Project:
    """Under a name of its own for addresses and programs, which it keeps."""
    if Project.objects.count() >= MOST:
        raise Refused(f"There are {MOST} projects: delete one first.")
    base = slugify(name)[: LONGEST_SLUG - 4].strip("-") or "project"
    taken = {*Project.objects.filter(slug__startswith=base).values_list("slug", flat=True)}
    taken.add("new")  # an address of its own
    slug = next(s for s in (base, *(f"{base}-{n}" for n in range(2, 999))) if s not in taken)
    try:
        with transaction.atomic():
            return Project.objects.create(slug=slug, name=name, made_by=by)
    except IntegrityError:
        raise Refused("Somebody has just made one of that name: try again.") from None


def budgets_of(project: Project) -> dict[str, Decimal]:
    """Of a day and a month, in US dollars."""
    purses = Purse.objects.filter(kind=PROJECT, subject=str(project.pk))
    return {purse.period: purse.limit for purse in purses}


def project_delete(*, project: Project) -> None:
    """Its runs stay, and belong to none; what the team could read for its sake is its owner's
    alone again. Tokens and presets name it no longer. It is gone at once; what the search has of
    it, workers take out a few runs at a time, and nobody finds by it meanwhile."""
    with transaction.atomic():
        its = Run.objects.filter(project=project, leaves_with_project=True)
        its.exclude(origin=Origin.DELETED).update(
            visibility=Visibility.PRIVATE, leaves_with_project=False
        )
        for token in ApiToken.objects.select_for_update().exclude(defaults=None):
            if (token.defaults or {}).get("project") == project.slug:
                left = {k: v for k, v in (token.defaults or {}).items() if k != "project"}
                ApiToken.objects.filter(pk=token.pk).update(defaults=left or None)
        Purse.objects.filter(kind=PROJECT, subject=str(project.pk)).delete()
        forget_files([*project.files.values_list("pk", flat=True)])
        is_stale(project_facet(project.pk))
        project.delete()


def runs_project(*, runs: Sequence[Run], project: Project | None) -> None:
    """Put into it, or taken out of theirs; each keeps the context that it was asked with. Whoever
    calls has asked whether they may."""
    with transaction.atomic():
        for run in runs:
            held = Run.objects.select_for_update().filter(pk=run.pk).first()
            if held is None or held.project_id == (project.pk if project else None):
                continue
            changed: dict[str, object] = {"project": project}
            if project is None and held.leaves_with_project:
                changed |= {"visibility": Visibility.PRIVATE, "leaves_with_project": False}
            Run.objects.filter(pk=run.pk).update(**changed)
            index(run.pk)
            for name, value in changed.items():
                setattr(run, name, value)
