"""A mark in the browser where somebody has signed in, gone when they sign out.

A session's own cookie ends with the session. By this one a person whose session has ended is
told so, rather than asked for a password as if they had never been here. It lets nobody in.
"""

from __future__ import annotations

from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

COOKIE = "signed_in"
KEPT = 365 * 24 * 3600  # seconds

_Response = TypeVar("_Response", bound=HttpResponseBase)


def remember(response: _Response) -> _Response:
    response.set_cookie(
        COOKIE,
        "1",
        max_age=KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: _Response) -> _Response:
    response.delete_cookie(COOKIE)
    return response


def has_ended(request: HttpRequest) -> bool:
    return request.COOKIES.get(COOKIE) == "1" and not request.user.is_authenticated
