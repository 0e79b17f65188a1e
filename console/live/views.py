"""The same frames for a page behind a proxy that passes no websockets on: it asks for them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from .. import access
from ..models import Run
from ..models.shown import ALL, Shown
from .frames import Cursor
from .sockets import KEEP, MAX_WANTS, watches

PATIENCE = 10.0  # seconds for a watch to have read its run


@require_GET
async def frames(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """`after`: the position of the frame before; `want`: places, with commas between them."""
    user = await request.auser()
    return await _answer(request, lambda: (access.run_visible_to(user, run_id), ALL))


@require_GET
async def shared_frames(request: HttpRequest, token: str) -> HttpResponse:
    def find() -> tuple[Run, Shown]:
        link = access.link_open(token)
        return link.run, link.shown

    try:
        return await _answer(request, find)
    except access.LinkEnded:
        return HttpResponse(status=410, headers={"Cache-Control": "no-store"})


async def _answer(request: HttpRequest, find: Callable[[], tuple[Run, Shown]]) -> HttpResponse:
    """Raises Http404 for who may not see the run, and LinkEnded."""
    run, shown = await database_sync_to_async(find)()
    cursor = Cursor(shown, keeps=request.GET.get("can") == KEEP)
    if "want" in request.GET:
        cursor.wants = frozenset(request.GET["want"].split(",")[:MAX_WANTS])
    async with watches.watch(run.pk, cursor, run) as watch:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not (watch.is_ready or watch.ended):
                    await watch.changed()
        ended = watch.ended
        if watch.failed or not watch.is_ready:
            return HttpResponse(status=503, headers={"Retry-After": "2"})
        watch.resume(cursor, request.GET.get("after", ""))
        frame = await watch.frame(cursor)
    if ended:
        frame = (frame + "," if frame else "{") + '"end":true'
    answer = HttpResponse((frame or "{") + "}", content_type="application/json")
    answer["Cache-Control"] = "no-store"
    return answer
