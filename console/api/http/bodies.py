"""How much is read of a request's body, and of whom: said by its head alone.

Whoever has neither signed in nor a token is read little of, since everything that is read
stands somewhere until the request has ended. The web server (`fusion_site/web_requests.py`) asks
before it reads, in a thread, for what is longer than that only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, parse_cookie

from ...services.tokens import token_find
from ...site.sessions import SessionStore
from .errors import ApiError, too_large

# Of whoever is not known here.
ANYBODYS_BYTES = 64 * 1024
IMPORT = "/fusion/import"
# Forms that files may stand in which go with a question.
ATTACH = ("/fusion", "/fusion/files", "/fusion/files/text")
OF_ONE = re.compile(
    r"/fusion/runs/[0-9a-f-]{36}/follow|/fusion/projects/[\w-]{1,40}/files", re.ASCII
)
# How slowly a body may come: less is no line that people have, but somebody who holds us.
BYTES_PER_SECOND = 8 * 1024


@dataclass(frozen=True)
class EarlyRefusal:
    """Before a request is read: `error` is for programs, `to_people` stands on pages."""

    error: ApiError
    to_people: str


def path_of(target: str) -> str:
    return unquote(target.partition("?")[0])


def is_for_programs(path: str) -> bool:
    return path.startswith("/v1/") or path in ("/v1", "/mcp", "/mcp/")


def largest(path: str) -> int:
    limit: int = settings.API_BODY_BYTES if is_for_programs(path) else settings.FORM_BODY_BYTES
    if path in ATTACH or OF_ONE.fullmatch(path):
        return max(limit, settings.FILES_BODY_BYTES)
    return max(limit, settings.IMPORT_BODY_BYTES) if path == IMPORT else limit


def too_large_at(path: str) -> EarlyRefusal:
    says = too_large(largest(path))
    error = ApiError("request_too_large", says)
    return EarlyRefusal(error, f"{says} Go back and shorten it.")


def not_known(path: str, headers: Mapping[str, str]) -> EarlyRefusal | None:
    """Why no more than `ANYBODYS_BYTES` are read of this request; None where it is known who
    sends it. Asks the database."""
    try:
        return _unknown_program(headers) if is_for_programs(path) else _unknown_reader(headers)
    finally:
        connections.close_all()  # this thread may not be asked again for long


def _unknown_program(headers: Mapping[str, str]) -> EarlyRefusal | None:
    """It is told what is wrong with its token: agents shorten what they are told is too large."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.casefold() == "bearer" and token_find(secret.strip()):
        return None
    code = "invalid_api_key" if kind.casefold() == "bearer" and secret else "missing_api_key"
    error = ApiError(code, headers={"WWW-Authenticate": "Bearer"})
    return EarlyRefusal(error, error.message)


def _unknown_reader(headers: Mapping[str, str]) -> EarlyRefusal | None:
    key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    request = HttpRequest()
    request.session = SessionStore(key)
    if key and get_user(request).is_authenticated:
        return None
    says = f"{too_large(ANYBODYS_BYTES)} That is all for who is not signed in."
    return EarlyRefusal(
        ApiError("request_too_large", says), f"{says} Sign in, go back and send it again."
    )


def too_slow() -> EarlyRefusal:
    error = ApiError("request_timeout")
    return EarlyRefusal(error, f"{error.message} Go back and send it again.")


def too_many_at_once() -> EarlyRefusal:
    says = "Too much is being sent here at once. Try again in a moment."
    return EarlyRefusal(ApiError("not_ready", says, headers={"Retry-After": "10"}), says)


def not_to_be_known() -> EarlyRefusal:
    error = ApiError("not_ready", headers={"Retry-After": "5"})
    return EarlyRefusal(error, error.message)
