"""What is refused before Django is asked: signing in from an address that was told to wait.

A page that says so costs a hundredth of one that looks at the form.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.urls import reverse

from ..api.http.bodies import EarlyRefusal
from ..api.http.errors import ApiError
from ..api.http.fallback import early_refusal
from ..site.attempts import address_waits


class Gate:
    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["method"] == "POST" and scope["path"] == reverse("sign-in"):
            address = (scope.get("client") or [""])[0]
            if seconds := address_waits(str(address)):
                await _refuse(scope, seconds, send)
                return None
        return await self._application(scope, receive, send)


async def _refuse(scope: dict[str, Any], seconds: int, send: Any) -> None:
    accepted = dict(scope["headers"]).get(b"accept", b"")
    headers, body = _page(in_html=b"text/html" in accepted)
    headers = [*headers, (b"retry-after", str(seconds).encode())]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@lru_cache
def _page(*, in_html: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
    says = "Too many attempts from your address. Wait a minute and try again."
    refused = EarlyRefusal(ApiError("rate_limit_exceeded", says), says)
    response = early_refusal(reverse("sign-in"), refused, in_html=in_html)
    response["Content-Length"] = str(len(response.content))
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in response.items()]
    return headers, response.content
