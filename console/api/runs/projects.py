"""`GET /v1/projects`: what a request may name as its project."""

from __future__ import annotations

from typing import Literal

from django.http import HttpResponseBase, JsonResponse

from ... import access
from ...models.tokens import Scope
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.replies import Reply
from .project_files import FileOfProject, told


class ProjectReply(Reply):
    """`name` is what a request names it by, `title` what people call it. `preset`: the one it
    begins with, or null; `max_cost`: of each of its runs, in US dollars, or null."""

    name: str
    object: Literal["project"] = "project"
    title: str
    context: str
    preset: str | None
    max_cost: float | None
    files: list[FileOfProject]


class ProjectList(Reply):
    object: Literal["list"] = "list"
    data: list[ProjectReply]


@endpoint(Scope.READ, reply=ProjectList)
async def projects(call: ApiCall[NoBody]) -> HttpResponseBase:
    """The team's projects, by their titles."""
    return JsonResponse((await db(_projects, call)).model_dump(mode="json"))


def _projects(call: ApiCall[NoBody]) -> ProjectList:
    rows = access.projects_of(call.token.owner).prefetch_related("files__file")
    return ProjectList(
        data=[
            ProjectReply(
                name=one.slug,
                title=one.name,
                context=one.context,
                preset=one.preset or None,
                max_cost=None if (most := one.run_budget) is None else float(most),
                files=[*map(told, one.files.all())],
            )
            for one in rows
        ]
    )
