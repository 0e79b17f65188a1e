"""Websocket addresses, and who may open them from where."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.urls import path, re_path

from .sockets import RunSocket, SharedRunSocket

# Channels routes ASGI applications with Django's `path`, whose type knows views only.
_run: Any = RunSocket.serve
_shared: Any = SharedRunSocket.serve
_nowhere: Any = WebsocketDenier.as_asgi()

websocket_urlpatterns: list[Any] = [
    path("ws/runs/<uuid:run_id>", _run),
    path("ws/shared/<str:token>", _shared),
    # Else whoever asks for an address that is none writes an error into the log.
    re_path("", _nowhere),
]


class SameOrigin:
    """Refuses a socket whose page came from elsewhere: host and port must be ours.

    Channels' own validator for allowed hosts accepts any port. With FUSION_WEBSOCKET_ORIGINS
    (or FUSION_BASE_URL) set, the origin must be one of those, scheme and all; else it must be
    the very host and port the socket is opened on, a name that is served here: not one that was
    made to point at us (DNS rebinding). Which scheme is ours nobody knows then, for a proxy may
    speak TLS; at one host and port there is one of them.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        if self._is_ours(origin, host):
            return await self._application(scope, receive, send)
        denier: Any = WebsocketDenier()
        return await denier(scope, receive, send)

    def _is_ours(self, origin: str, host: str) -> bool:
        if settings.WEBSOCKET_ORIGINS:
            return origin in settings.WEBSOCKET_ORIGINS
        if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
            return False
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and bool(host) and parts.netloc == host
