"""What a form brings to go with its prompt: files that it names by their tickets, and, without
scripts, files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from ..services.attaching import ToAttach, file_bring, files_of_tickets, refuse_size, ticket_of
from ..services.errors import Refused


@dataclass(frozen=True)
class AttachedBy:
    files: tuple[ToAttach, ...]
    errors: tuple[str, ...]
    owner: User

    @property
    def context(self) -> dict[str, Any]:
        chips = [
            {"name": f.name, "in_words": f.in_words, "ticket": ticket_of(f, self.owner)}
            for f in self.files
        ]
        return {"attached": chips, "attach_errors": self.errors}


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
    return AttachedBy(tuple(files), tuple(errors), request.user)
