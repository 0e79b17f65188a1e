"""A request's body as JSON, and what of JSON is not taken."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from ...engine.text import storable_all
from .amount import refuse_crowded, refuse_many
from .encodings import unpacked
from .errors import ApiError


def size_of(request: HttpRequest) -> int:
    """Of the body, as far as that is known before it is read; what is packed or names no length
    may be of any. To read 10 MB takes seconds, in which the loop is to serve others."""
    if request.headers.get("Content-Encoding"):
        return sys.maxsize
    told = request.headers.get("Content-Length", "")
    return int(told) if told.isdecimal() else sys.maxsize


def read_json(request: HttpRequest) -> dict[str, Any]:
    try:
        raw = request.body
    except RequestDataTooBig:
        raise ApiError("request_too_large") from None
    except UnreadablePostError:
        raise ApiError("bad_request", "The body did not arrive whole.") from None
    raw = unpacked(request, raw)
    refuse_crowded(raw)
    try:
        read = json.loads(raw or b"{}", parse_constant=_no_constant, parse_float=_finite)
        refuse_many(read)
        data = storable_all(read)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise ApiError("invalid_json") from None
    if not isinstance(data, dict):
        raise ApiError("invalid_json", "The body must be a JSON object.")
    return data


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    """1e999 is JSON, but read as infinity, which is none and can be neither kept nor passed on."""
    number = float(text)
    if math.isinf(number):
        raise ApiError("invalid_json", "The body has a number that is too large.")
    return number
