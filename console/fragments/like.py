"""One line of what was asked before, for who is about to ask something like it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..record.titles import title_of
from ..search.like import AskedLike


@dataclass(frozen=True)
class LikeView:
    run: uuid.UUID
    title: str
    asked_at: datetime
    is_own: bool
    owner: str


def like_view(found: Iterable[AskedLike], person_id: int) -> list[LikeView]:
    return [
        LikeView(
            one.run,
            one.title or title_of(one.prompt),
            one.asked_at,
            one.owner_id == person_id,
            one.owner,
        )
        for one in found
    ]
