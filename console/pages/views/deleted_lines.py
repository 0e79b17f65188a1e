"""What was deleted and may be put back, as lines of a list."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from ...models import RunDeletion
from ...models.order import KEPT_DAYS
from ...record.titles import called
from ...services.deletion import deleted_by

SHOWN = 100  # acts


@dataclass(frozen=True)
class DeletedTogether:
    """By one act: a question and what went on from it, or what was chosen in the list."""

    act: uuid.UUID
    at: datetime
    gone_at: datetime
    titles: list[str]

    @property
    def more(self) -> int:
        return len(self.titles) - 1


def deleted_together(person: User, act: uuid.UUID | None = None) -> list[DeletedTogether]:
    """The newest first; each act's with the first question before what goes on from it."""
    deletions = deleted_by(person).only("act", "at", "run__title", "run__prompt")
    if act:
        deletions = deletions.filter(act=act)
    acts: dict[uuid.UUID, list[RunDeletion]] = defaultdict(list)
    for deletion in deletions[: SHOWN * 10]:
        acts[deletion.act].append(deletion)
    return [
        DeletedTogether(
            act=act,
            at=of[0].at,
            gone_at=of[0].at + timedelta(days=KEPT_DAYS),
            titles=[called(one.run) for one in of],
        )
        for act, of in [*acts.items()][:SHOWN]
    ]
