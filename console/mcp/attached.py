"""Files that a caller hands on with its question: resources, as it has read them from a server of
its own, in the protocol's form (`uri`, `mimeType`, `text` or `blob`). Nothing is fetched here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from pydantic import BaseModel, Field

from ..services.attaching import ToAttach, file_bring, must_be_few
from ..services.errors import Refused


class ResourceFile(BaseModel):
    uri: str = Field("", description="Where it is from; its last part names it")
    name: str | None = Field(None, description="Its name, with an ending")
    text: str | None = Field(None, description="What it says, of a text")
    blob: str | None = Field(None, description="Its bytes in base64, of anything else")


def bring(resources: Sequence[ResourceFile], person: User | None) -> list[ToAttach]:
    """Raises Refused."""
    if len(resources) > settings.RUN_FILES:
        raise Refused(f"At most {settings.RUN_FILES} files go with a question.")
    files = [file_bring(name=_name(one), data=_data(one), by=person) for one in resources]
    must_be_few(files)
    return files


def _name(one: ResourceFile) -> str:
    path = unquote(urlsplit(one.uri).path)
    return one.name or path.rstrip("/").rpartition("/")[2] or "file"


def _data(one: ResourceFile) -> bytes:
    if one.text is not None:
        return one.text.encode()
    try:
        return base64.b64decode(one.blob or "", validate=True)
    except (binascii.Error, ValueError):
        raise Refused(f"The blob of “{_name(one)}” is no base64 that can be read.") from None
