"""Pictures that models answer with: looked at like any file, in a process that may be killed, kept
once by their hash, and as long as a run whose answer has them."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from ..engine.attachments import PICTURE_BYTES, TOO_LARGE, Attachment
from ..models import Run, RunPicture
from .kinds import picture_type
from .reading import read_before, read_picture
from .refused import FileRefused
from .store import keep, read_bytes

OTHER_KIND = "it is not PNG, JPEG, WebP or GIF"
NO_ROOM = "there is no room for it at present"
NO_BASE64 = "it is no base64 that can be read"


@dataclass(frozen=True)
class Looked:
    """`data` is a whole picture of that type, else `why` it is not kept."""

    type: str = ""
    data: bytes = field(default=b"", repr=False)
    found: dict[str, Any] = field(default_factory=dict, repr=False)
    why: str = ""


def look_at(payload: str) -> Looked:
    """Takes a while, and asks no database."""
    payload = payload.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Looked(why=NO_BASE64)
    if len(data) > PICTURE_BYTES:
        return Looked(why=TOO_LARGE)
    if not (type := picture_type(data[:64])):
        return Looked(why=OTHER_KIND)
    found = read_picture(type, data)
    if error := found.get("error"):
        return Looked(why=f"it {error}")
    return Looked(type, data, found)


def picture_keep(run_id: uuid.UUID, looked: Looked) -> Attachment:
    """What is noted of it from now on. The run may be gone meanwhile."""
    if looked.why:
        return {"why": looked.why}
    try:
        file = keep(looked.data, "picture")
        if not file.read:
            read_before(file, looked.found)
        with transaction.atomic():
            if not Run.objects.filter(pk=run_id).exists():
                return {"why": NO_ROOM}
            RunPicture.objects.get_or_create(run_id=run_id, file=file)
    except (FileRefused, IntegrityError):
        return {"why": NO_ROOM}
    width, height = looked.found["width"], looked.found["height"]
    return {
        "type": looked.type,
        "bytes": len(looked.data),
        "hash": file.hash,
        "width": width,
        "height": height,
    }


def pictures_take_over(*, run: Run, hashes: list[str]) -> None:
    """Of answers that were taken over from another run."""
    RunPicture.objects.bulk_create(
        [RunPicture(run=run, file_id=hash) for hash in dict.fromkeys(hashes)],
        ignore_conflicts=True,
    )


def data_address(attachment: Attachment) -> str:
    """A `data:` address of a picture that is kept; "" where its file is lost."""
    data = read_bytes(attachment["hash"])
    if data is None:
        return ""
    return f"data:{attachment['type']};base64,{base64.b64encode(data).decode()}"
