"""What is to be seen of a question and of its answers, for who compares and writes: few pictures,
as many as fit, to who is known to see; to everybody else that there were some."""

from __future__ import annotations

import re
from dataclasses import replace

from ..attachments import kept
from ..calls.context import Context
from ..calls.window import excess, window_of
from ..errors import ProviderError, Reason
from ..given_files import ToSee
from ..provider import Message, Request
from ..spec import Panelist, letter
from .material import Material

# "image input is not supported", "No endpoints found that support image input"
_OF_FILES = re.compile(r"\b(?:images?|image_url|vision|multi-?modal|modalit|mmproj|pdf)", re.I)


async def seen_by(
    context: Context,
    reader: Panelist,
    material: Material,
    messages: list[Message],
    output: int | None,
) -> ToSee:
    """`output`: tokens of its window that what it writes may need."""
    if context.files is None:
        return ToSee()
    drawn = {letter(s): kept(material.answers[s].attachments) for s in material.seats}
    left = -excess(reader, messages, output) if window_of(reader) else None
    came = {name: pictures for name, pictures in drawn.items() if pictures}
    return await context.files.shown(reader, came, left)


def asked_with(seen: ToSee, request: Request) -> Request:
    """They stand behind the material, which is the first message of the user."""
    if not seen.parts:
        return request
    at = next(n for n, message in enumerate(request.messages) if message["role"] == "user")
    messages = [*request.messages]
    messages[at] = seen.behind(messages[at])
    return replace(request, messages=messages, files=seen.files, given=seen.told)


def was_refused(context: Context, reader: Panelist, seen: ToSee, error: ProviderError) -> None:
    """It is asked again without them."""
    if seen.files and context.files and refuses_files(error):
        context.files.was_refused(reader)
        error.adapted = True


def refuses_files(error: ProviderError) -> bool:
    """Nobody may have known that it takes none, and most servers say so by a bad request; others
    name what they do not take."""
    return error.reason is Reason.BAD_REQUEST or bool(
        error.reason in (Reason.UPSTREAM_ERROR, Reason.INVALID_MODEL)
        and _OF_FILES.search(error.message)
    )
