"""The address by which people and programs reach this site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def public_url(path: str = "", request: HttpRequest | None = None) -> str:
    """FUSION_BASE_URL, where it is set: behind a proxy a request does not know it. Else what
    the request was sent to, or where the server listens."""
    if settings.BASE_URL:
        return f"{settings.BASE_URL}{path}"
    if request:
        return request.build_absolute_uri("/").rstrip("/") + path
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)
    return f"http://{host}:{settings.PORT}{path}"
