"""A request's body as it was before it was packed for the way."""

from __future__ import annotations

import zlib

from django.conf import settings
from django.http import HttpRequest

from .errors import ApiError

_GZIP = ("gzip", "x-gzip")
_NONE = ("", "identity", "none")  # “none” is no coding, but it is sent
_WITH_HEADER = zlib.MAX_WBITS | 16


def unpacked(request: HttpRequest, raw: bytes) -> bytes:
    """Raises ApiError. The limit of a body is that of what it unpacks to."""
    coding = request.headers.get("Content-Encoding", "").strip().casefold()
    if coding in _NONE or not raw:
        return raw
    if coding not in _GZIP:
        raise ApiError(
            "unsupported_encoding",
            f"A body packed as “{coding[:50]}” cannot be read here: send it as it is, or as gzip.",
        )
    limit = settings.API_BODY_BYTES
    try:
        return _gunzip(raw, limit)
    except zlib.error:
        raise ApiError("bad_request", "The body says that it is gzip, and is none.") from None


def _gunzip(raw: bytes, limit: int) -> bytes:
    """A bomb is unpacked up to the limit only, and nothing is read behind the end."""
    member = zlib.decompressobj(_WITH_HEADER)
    whole = member.decompress(raw, limit + 1)
    if len(whole) > limit:
        raise ApiError(
            "request_too_large",
            f"The body is too large: unpacked, at most {limit / 1e6:.0f} MB are read.",
        )
    if not member.eof:
        raise ApiError("bad_request", "The body did not arrive whole.")
    return whole
