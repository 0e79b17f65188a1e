"""`/v1/projects/{name}/files`: what runs of a project look things up in, added and taken away by
whoever may change the project."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from pydantic import Field

from ... import access
from ...models import ProjectFile
from ...models.tokens import Scope
from ...services.attaching import file_bring
from ...services.errors import Refused
from ...services.project_files import project_file_add, project_file_remove
from ...site.public_url import public_url
from ..http.base import ApiCall, NoBody, StrictSchema, endpoint
from ..http.db import db
from ..http.errors import ApiError
from ..http.replies import Reply


class NewFile(StrictSchema):
    """What is in it is `text`, or `data` in base64."""

    name: Annotated[str, Field(min_length=1, max_length=500)]
    text: str | None = None
    data: str | None = None


class FileOfProject(Reply):
    id: int
    name: str
    type: str
    bytes: int


@endpoint(
    Scope.RUN,
    body=NewFile,
    reply=FileOfProject,
    status=201,
    fails=(404,),
    example={"name": "rain.md", "text": "Rain is wet."},
)
async def file_add(call: ApiCall[NewFile], name: str) -> HttpResponseBase:
    """Add a file to a project: its words are looked up for every run in it from now on."""
    return JsonResponse((await db(_add, call, name)).model_dump(mode="json"), status=201)


@endpoint(Scope.RUN, status=204, fails=(404,))
async def file_remove(call: ApiCall[NoBody], name: str, file_id: int) -> HttpResponseBase:
    """Take a file of a project away. What runs have read of it stays theirs."""
    await db(_remove, call, name, file_id)
    return HttpResponse(status=204)


def told(row: ProjectFile) -> FileOfProject:
    return FileOfProject(id=row.pk, name=row.name, type=row.file.type, bytes=row.file.size)


def _add(call: ApiCall[NewFile], name: str) -> FileOfProject:
    owner, body = call.token.owner, call.body
    project = access.project_editable_by(owner, name)
    if (body.text is None) == (body.data is None):
        raise ApiError("invalid_request", "Give either text or data.", param="data")
    try:
        data = (
            body.text.encode()
            if body.text is not None
            else base64.b64decode(body.data or "", validate=True)
        )
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", "This is no base64.", param="data") from None
    try:
        file = file_bring(name=body.name, data=data, by=owner)
        address = public_url("", call.request)
        row = project_file_add(project=project, file=file, by=owner, address_of=address)
    except Refused as refused:
        raise ApiError("invalid_request", str(refused), param="data") from None
    return told(row)


def _remove(call: ApiCall[NoBody], name: str, file_id: int) -> None:
    owner = call.token.owner
    access.project_editable_by(owner, name)
    project_file_remove(file=access.file_of_project(owner, name, file_id))
