"""The project that a question is asked in: what the compose form offers, and what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest

from ..access import projects_of
from ..models import OwnPreset, Project
from ..services.projects import offered_first, project_of_preset

NONE = "-"  # no name in an address
GONE = "That project is not there any more. Choose another, or none."


@dataclass(frozen=True)
class InProject:
    """`chosen` by the form or its page's address; `offered` is its preset, where that is a
    member's."""

    projects: QuerySet[Project]  # asked for where they are shown
    chosen: Project | None
    offered: OwnPreset | None
    is_gone: bool
    is_own: bool
    is_none: bool  # whatever the preset says

    @classmethod
    def of(cls, request: HttpRequest) -> InProject:
        slug = (request.POST if request.method == "POST" else request.GET).get("project", "")
        projects = projects_of(request.user)
        is_none = slug == NONE
        slug = "" if is_none else slug
        is_named = bool(slug) and "\0" not in slug
        chosen = projects.filter(slug=slug).first() if is_named else None
        offered = offered_first(chosen)
        is_own = offered is not None and offered.owner_id == request.user.pk
        if not (slug or is_none) and request.method == "POST":
            chosen = project_of_preset(request.POST.get("preset", "").replace("\0", ""))
        return cls(projects, chosen, offered, bool(slug) and chosen is None, is_own, is_none)

    def among(self, own: Iterable[OwnPreset]) -> list[OwnPreset]:
        """One's own presets, and the project's."""
        found = [*own]
        return found if self.offered is None or self.offered in found else [*found, self.offered]

    @property
    def of_another(self) -> str:
        """Its preset, where that is no preset of one's own."""
        return self.offered.slug if self.offered and not self.is_own else ""

    def preset_in(self, slugs: Sequence[str]) -> str:
        """The one that it begins with, if that can be chosen."""
        return self.chosen.preset if self.chosen and self.chosen.preset in slugs else ""

    def tell(self, form: Form) -> None:
        if self.is_gone:
            form.add_error("project", GONE)

    @property
    def context(self) -> dict[str, Any]:
        return {
            "projects": self.projects.defer("context"),
            "in_project": self.chosen,
            "in_none": self.is_none,
        }
