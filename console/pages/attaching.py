"""What a form brings to go with its prompt: files that it names by their tickets, and, without
scripts, files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from ..engine.spec import MAX_SEATS
from ..services.attaching import (
    ToAttach,
    file_bring,
    files_of_tickets,
    refuse_size,
    text_instead,
    ticket_of,
)
from ..services.errors import Refused

AS_TEXT = "as_text"  # seats that are to be given the text of what is attached
_SEATS = frozenset(map(str, range(MAX_SEATS)))


@dataclass(frozen=True)
class AttachedBy:
    files: tuple[ToAttach, ...]
    errors: tuple[str, ...]
    owner: User

    @property
    def context(self) -> dict[str, Any]:
        chips = [
            {
                "name": f.name,
                "in_words": f.in_words,
                "ticket": ticket_of(f, self.owner),
                "has_thumbnail": f.has_thumbnail,
            }
            for f in self.files
        ]
        as_text = sorted(frozenset[int]().union(*(file.as_text for file in self.files)))
        return {"attached": chips, "attach_errors": self.errors, "as_text": as_text}


def attached_as(tickets: Sequence[str], owner: User) -> AttachedBy:
    """By their tickets alone."""
    try:
        return AttachedBy(tuple(files_of_tickets(tickets=tickets, owner=owner)), (), owner)
    except Refused as refused:
        return AttachedBy((), (str(refused),), owner)


def attached_by(request: HttpRequest) -> AttachedBy:
    assert isinstance(request.user, User)  # its view has seen to it
    named = attached_as(request.POST.getlist("attached"), request.user)
    files, errors = [*named.files], [*named.errors]
    for upload in request.FILES.getlist("files"):
        try:
            if getattr(upload, "is_too_large", False):
                raise refuse_size(upload.name or "")
            files.append(file_bring(name=upload.name or "", data=upload.chunks(), by=request.user))
        except Refused as refused:
            errors.append(str(refused))
    chosen = (int(s) for s in request.POST.getlist(AS_TEXT)[:MAX_SEATS] if s in _SEATS)
    return AttachedBy(tuple(text_instead(files, chosen)), tuple(errors), request.user)
