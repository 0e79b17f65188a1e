"""Whether a request is made in OpenRouter's words, and errors as they are told in them.

OpenAI's clients read strictly what OpenAI sends: an event with an `error` of its own they take
for the end, an output item that they have no class for, for a fault. OpenRouter's read what
OpenRouter sends just as strictly. What one of the two sends and the other does not goes to those
who asked in its words, and that is decided here and nowhere else.

What a request wishes of data, money and models (`provider`, `models`, `transforms` …) is no sign:
that may be wished in any words.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from .errors import ApiError

NAMES = "openrouter/"
TOOLS = "openrouter:"
_AGENT = "openrouter"  # how its SDKs name themselves
# Of the AI SDK's provider for OpenAI: whatever has choices is an ordinary chunk to it.
_READS_ERRORS_ALONE = re.compile(r"\bai-sdk[/-]openai/", re.IGNORECASE)
_HEADERS = "x-openrouter-"
_DEPTH = "x-openrouter-fusion-depth"  # every call of a fusion has it, whoever makes it
# Fields that OpenRouter's API has and OpenAI's has not.
_FIELDS = ("plugins", "usage", "route", "include_reasoning")
# Addresses that are ours alone have our words alone.
_OURS = "/v1/runs"
# Who is refused before the body is read shall not have us read much of it.
_PEEKED = 100_000

# OpenRouter's word for what went wrong: by our own, else by the status.
_TYPES = {
    "context_length_exceeded": "context_length_exceeded",
    "insufficient_credits": "payment_required",
    "rate_limited": "rate_limit_exceeded",
    "cancelled": "unmapped",
    "run_failed": "server",
    "not_ready": "provider_overloaded",
}
_TYPES_BY_STATUS = {
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    409: "precondition_failed",
    413: "payload_too_large",
    422: "unprocessable",
    424: "provider_unavailable",
    429: "rate_limit_exceeded",
    500: "server",
}


def in_openrouters_words(request: HttpRequest, data: dict[str, Any] | None) -> bool:
    """`data` is the body as it came; None: it was not read yet."""
    if request.path_info.startswith(_OURS):
        return False
    if _is_openrouters_client(request):
        return True
    return _has_its_words(_peeked(request) if data is None else data)


def reads_errors_alone(request: HttpRequest) -> bool:
    """A client of OpenAI's that asks by OpenRouter's names, and knows no error beside choices."""
    return bool(_READS_ERRORS_ALONE.search(request.headers.get("User-Agent", "")))


def openrouters_body(error: ApiError) -> dict[str, Any]:
    """An error as OpenRouter tells it: a number for a code. Our word for it stays with it."""
    body = error.body()["error"]
    kind = _TYPES.get(error.code) or _TYPES_BY_STATUS.get(error.condition.status, "invalid_request")
    metadata = {"error_type": kind, "code": error.code}
    metadata |= body.get("metadata") or {}
    return {"error": body | {"code": error.condition.status, "metadata": metadata}}


def _is_openrouters_client(request: HttpRequest) -> bool:
    names = [name.casefold() for name in request.headers]
    agent = request.headers.get("User-Agent", "").casefold()
    return _AGENT in agent or any(name.startswith(_HEADERS) and name != _DEPTH for name in names)


def _has_its_words(data: dict[str, Any]) -> bool:
    own, tools = data.get("fusion"), data.get("tools")
    return (
        str(data.get("model")).startswith(NAMES)
        or any(data.get(field) for field in _FIELDS)
        or any(_is_its_tool(tool) for tool in (tools if isinstance(tools, list) else ()))
        or (isinstance(own, dict) and own.get("include") is True)
    )


def _is_its_tool(tool: Any) -> bool:
    return isinstance(tool, dict) and str(tool.get("type")).startswith(TOOLS)


def _peeked(request: HttpRequest) -> dict[str, Any]:
    try:
        raw = request.body
        data = json.loads(raw) if len(raw) <= _PEEKED else None
    except (RequestDataTooBig, UnreadablePostError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
