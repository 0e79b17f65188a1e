"""HTTP to Django, websockets to the console's own applications."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")

# First: console imports models, which need the apps loaded.
django.setup(set_prefix=False)

from channels.auth import AuthMiddleware  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import CookieMiddleware, InstanceSessionWrapper  # noqa: E402
from django.core.signals import request_started  # noqa: E402
from django.db import close_old_connections, reset_queries  # noqa: E402
from django.urls import re_path  # noqa: E402

from console.live.places import ADDRESS, PERSON, PROCESS, Limited  # noqa: E402
from console.live.routing import SameOrigin, websocket_urlpatterns  # noqa: E402
from console.mcp.mount import Mount  # noqa: E402
from console.pages.gate import Gate  # noqa: E402
from console.site.addresses import FromProxies  # noqa: E402
from console.site.on_the_loop import PagesAndApi  # noqa: E402

# Whether a thread's connection is of use was asked at the end of the request before, and is asked
# of the database before it is used again (CONN_HEALTH_CHECKS).
request_started.disconnect(close_old_connections)
request_started.disconnect(reset_queries)

http = PagesAndApi()


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """Django; to HEAD without a body, since Daphne sends all but the first piece of a long one,
    and whoever uses the connection next reads what is left as the next answer."""

    async def send_head(message: Any) -> None:
        is_body = message["type"] == "http.response.body"
        await send(message | {"body": b""} if is_body else message)

    await http(scope, receive, send_head if scope["method"] == "HEAD" else send)


class Session:
    """Channels' own looks with every frame whether the session is to be saved; sockets change
    none."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        wrapper: Any = InstanceSessionWrapper(scope, send)
        await wrapper.resolve_session()
        await self._application(wrapper.scope, receive, send)


# Channels routes ASGI applications with Django's `re_path`, whose type knows views only.
programs: Any = Mount()
pages: Any = Gate(answering)
# What costs nothing is asked first.
live: Any = Limited(PERSON, URLRouter(websocket_urlpatterns))
live = Limited(PROCESS, Limited(ADDRESS, CookieMiddleware(Session(AuthMiddleware(live)))))

application = FromProxies(
    ProtocolTypeRouter(
        {
            "http": URLRouter([re_path(r"^mcp/?$", programs), re_path(r"", pages)]),
            "websocket": SameOrigin(live),
        }
    )
)
