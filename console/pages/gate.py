"""What Django is not asked at once, or not at all.

Signing in from an address that was told to wait is refused: a page that says so costs a hundredth
of one that looks at the form.

Two pages at a time are made in one process, further ones wait for their turn, which goes by who
asks. The thread that makes a page takes the interpreter from all others, and with it from the loop
that sends frames to whoever watches a run: two leave it its turn. One of the two is kept from who
comes without a session, be they a hundred readers of one link, and the other is theirs for half of
the time. Programs' requests that ask models begin their runs one after the other, by turns of who
asks, too: six at once, each with a sixth of the interpreter, would all have begun when the last one
has.
Whatever else is no page goes past: static files, health, frames, and the API, whose streams last as
long as their run.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import parse_cookie
from django.urls import reverse

from ..api.http.bodies import EarlyRefusal, is_for_programs
from ..api.http.errors import ApiError
from ..api.http.fallback import early_refusal
from ..site import page_place
from ..site.addresses import counted
from ..site.attempts import address_waits
from ..site.fair_places import FairPlaces, HalfTheTime, Visitor

AT_ONCE, WITHOUT_SESSION = 2, 1
PATIENCE = 20.0  # seconds
# Ordinary pages take a tenth of it. One that takes longer waits for a server that is asked for its
# models, or has a huge text to render: the others do not wait for that.
HELD_AT_MOST = 1.0
RESTS_AT_MOST = 0.1  # of a page for who comes without a session
# Until a program's run has begun its request takes some hundredth of a second. A long one, or one
# that a database keeps waiting, lets the next one in.
BEGINS_WITHIN = 0.1
BEGINNINGS = ("/v1/chat/completions", "/v1/responses", "/v1/runs")
RETRY_AFTER = 3

WAITS = "Too many attempts from your address. Wait a minute and try again."
NO_TURN = "Many pages are asked for at once, and this one did not get its turn."


class Gate:
    def __init__(self, application: Any) -> None:
        self._application = application
        self._places, self._guests = FairPlaces(AT_ONCE), FairPlaces(WITHOUT_SESSION)
        self._beginnings = FairPlaces(1)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["method"] == "POST" and scope["path"] == reverse("sign-in"):
            address = (scope.get("client") or [""])[0]
            if seconds := address_waits(str(address)):
                await _refuse(scope, send, 429, seconds)
                return None
        if scope["method"] == "POST" and scope["path"] in BEGINNINGS:
            await self._beginnings.acquire(_visitor(scope, _token(scope)))
            place = page_place.PagePlace(BEGINS_WITHIN, self._beginnings)
        elif _goes_past(scope):
            return await self._application(scope, receive, send)
        else:
            try:
                async with asyncio.timeout(PATIENCE):
                    place = await self._of_a_page(_visitor(scope, _session(scope)))
            except TimeoutError:
                await _refuse(scope, send, 503, RETRY_AFTER)
                return None
        page_place.begins(place.leave_from_anywhere)
        try:
            return await self._application(scope, receive, send)
        finally:
            place.leave()

    async def _of_a_page(self, visitor: Visitor) -> page_place.PagePlace:
        if visitor.name:
            await self._places.acquire(visitor)
            return page_place.PagePlace(HELD_AT_MOST, self._places)
        await self._guests.acquire(visitor)
        try:
            await self._places.acquire(visitor)
        except asyncio.CancelledError:
            self._guests.release()
            raise
        rests = HalfTheTime(self._guests, RESTS_AT_MOST)
        return page_place.PagePlace(HELD_AT_MOST, self._places, rests)


def _visitor(scope: dict[str, Any], name: str) -> Visitor:
    """Nobody is asked yet whether they are who they say: who calls themselves by many names takes
    turns of others at their address only."""
    return Visitor(counted(str((scope.get("client") or [""])[0])), name)


def _session(scope: dict[str, Any]) -> str:
    cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    return cookies.get(settings.SESSION_COOKIE_NAME, "")


def _token(scope: dict[str, Any]) -> str:
    return str(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))


def _goes_past(scope: dict[str, Any]) -> bool:
    path: str = scope["path"]
    if is_for_programs(path) or path.startswith(settings.STATIC_URL) or path.endswith("/frames"):
        return True
    if path in ("/healthz", "/readyz", "/robots.txt"):
        return True
    # These wait for a place of their own, to have a password looked at.
    has_password = path in ("/sign-in", "/password") or path.startswith("/claim/")
    return scope["method"] == "POST" and has_password


async def _refuse(scope: dict[str, Any], send: Any, status: int, seconds: int) -> None:
    accepted = dict(scope["headers"]).get(b"accept", b"")
    headers, body = _page(status, in_html=b"text/html" in accepted)
    headers = [*headers, (b"retry-after", str(seconds).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


@lru_cache
def _page(status: int, *, in_html: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
    if status == 429:
        refused = EarlyRefusal(ApiError("rate_limit_exceeded", WAITS), WAITS)
    else:
        refused = EarlyRefusal(
            ApiError("not_ready", NO_TURN), f"{NO_TURN} Go back and try again in a moment."
        )
    response = early_refusal(reverse("sign-in"), refused, in_html=in_html)
    response["Content-Length"] = str(len(response.content))
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in response.items()]
    return headers, response.content
