"""The project that a request's run is to be in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from ... import access
from ...models import OwnPreset, Project
from ...services.projects import project_of_preset
from ..http.errors import ApiError


def project_of(body: Any, person: User | None, preset: str = "") -> Project | None:
    """The one that it names, or where neither it nor its token says anything, that of the `preset`
    that it is asked with. Raises ApiError."""
    slug = body.fusion.project
    if not slug:
        is_said = "project" in body.fusion.model_fields_set
        return None if is_said else project_of_preset(preset)
    # The shell acts for nobody: every project is the team's.
    projects = access.projects_of(person) if person else Project.objects.all()
    project = None if "\0" in slug else projects.filter(slug=slug).first()
    if project is None:
        message = f"There is no project “{slug[:60]}”."
        raise ApiError("invalid_request", message, param="fusion.project")
    return project


def usual_in(project: Project | None, of_token: str) -> str:
    """The preset of a request that names none: the token's, else its project's."""
    return of_token or (project.preset if project else "")


def offered_preset(slug: str, person: User | None) -> OwnPreset | None:
    """What a project begins with may be a member's, offered to the team."""
    if not slug or person is None:
        return None
    return access.presets_offered_to(person).filter(slug=slug).first()
