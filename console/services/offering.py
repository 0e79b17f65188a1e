"""What a member saves for themselves, whatever it is: it has a name, and is offered to the team or
not."""

from __future__ import annotations

from django.utils import timezone

from ..models import OwnPreset, PromptTemplate
from .errors import Refused

MOST = 100  # of one kind, of one person
LONGEST_NAME, LONGEST_DESCRIPTION = 60, 200


def must_be_named(name: str, description: str) -> None:
    """Raises Refused."""
    if not name:
        raise Refused("Give it a name.")
    if len(name) > LONGEST_NAME or len(description) > LONGEST_DESCRIPTION:
        raise Refused("That name or description is too long.")


def kept_offer(*, kept: OwnPreset | PromptTemplate, is_offered: bool) -> None:
    """To the team, or no longer."""
    if is_offered == (kept.offered_at is not None):
        return
    kept.offered_at = timezone.now() if is_offered else None
    kept.save(update_fields=["offered_at"])
