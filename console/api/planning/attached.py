"""Pictures and files that a program sends within its messages: in OpenAI's words for chat and for
responses. They come whole, as data URIs: nothing is fetched from an address for a program."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from django.contrib.auth.models import User

from ...engine.spec import Spec
from ...services.attaching import (
    ToAttach,
    file_bring,
    files_of_tickets,
    nobody_sees,
    who_could_see,
    without,
)
from ...services.errors import Refused
from ..http.errors import ApiError
from .schemas import FileOfPart, ImageOfPart, Part

PICTURES = ("image_url", "input_image", "image")
FILES = ("file", "input_file")
KEPT = "fusion_file"  # of a response that is gone on from: a ticket, which only we can write
_URI = re.compile(r"data:(?P<type>[\w.+/-]*)(?:;[\w.=-]+)*;base64,", re.IGNORECASE)
_REMOTE = re.compile(r"\w+://")


def is_file(part: Part) -> bool:
    return part.type in (*PICTURES, *FILES, KEPT)


def file_of(part: Part, owner: User, *, number: int, count: int) -> ToAttach:
    """`number` is its message's, `count` how many files go before it. Raises ApiError."""
    where = f"messages.{number}.content"
    try:
        if part.type == KEPT:
            found = files_of_tickets(tickets=[part.ticket or ""], owner=owner)
            if not found:
                raise Refused("There is no such file.")
            return found[0]
        held, name = _held(part)
        if not held:
            raise Refused(_missing(part))
        if _REMOTE.match(held):
            raise Refused(
                "Nothing is fetched from an address here. Send the file itself, as a data: URI in "
                "base64."
            )
        type, data = _decoded(held)
        ending = type.rpartition("/")[2].split("+")[0] or "txt"
        return file_bring(name=name or f"picture-{count + 1}.{ending}", data=data, by=owner)
    except Refused as refused:
        said = f"{refused} (Message {number}, a part of type “{part.type}”.)"
        raise ApiError("unsupported_content", said, param=where) from None


def _held(part: Part) -> tuple[str, str]:
    """(what it holds or where that is, its name)."""
    image, file = part.image_url, part.file
    if part.type in PICTURES:
        return (image.url if isinstance(image, ImageOfPart) else image or ""), part.filename or ""
    inner = file if isinstance(file, FileOfPart) else FileOfPart()
    held = inner.file_data or part.file_data or part.file_url or ""
    return held, inner.filename or part.filename or "file"


def _missing(part: Part) -> str:
    if part.file_id or (isinstance(part.file, FileOfPart) and part.file.file_id):
        return "Files are not kept by their id here. Send the file itself, as file_data."
    return f"A part of type “{part.type}” has nothing in it."


def _decoded(held: str) -> tuple[str, bytes]:
    """Raises Refused. Some send base64 without saying what it is."""
    head = _URI.match(held[:300])
    if held.startswith("data:") and not head:
        raise Refused("A data: URI has to be in base64 here.")
    try:
        data = base64.b64decode(held[head.end() if head else 0 :], validate=True)
    except (binascii.Error, ValueError):
        raise Refused("A file is no base64 that can be read.") from None
    return (head["type"] if head else ""), data


def must_be_seen(spec: Spec, files: Sequence[ToAttach]) -> tuple[str, ...]:
    """Sentences about who is asked without a picture. Raises ApiError where that is everybody."""
    if nobody_sees(spec, files):
        could = who_could_see()
        these = f" These here do: {', '.join(could)}." if could else ""
        asked = ", ".join(dict.fromkeys(spec.panel[seat].model for seat in spec.asked))
        raise ApiError(
            "unsupported_content",
            f"None of those who are asked takes pictures: {asked}.{these}",
            param="messages",
        )
    return tuple(without(spec, files))
