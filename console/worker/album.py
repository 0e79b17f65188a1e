"""Pictures that come with a run's answers: looked at beside the loop of all runs, then kept."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from ..engine.attachments import Attachment, Picture
from ..files.answered import look_at, picture_keep

Db = Callable[..., Awaitable[Any]]


class RunAlbum:
    def __init__(self, run_id: uuid.UUID, db: Db) -> None:
        self._run_id, self._db = run_id, db

    async def keep(self, picture: Picture) -> Attachment:
        looked = await asyncio.to_thread(look_at, picture.base64)
        kept: Attachment = await self._db(picture_keep, self._run_id, looked)
        return kept
