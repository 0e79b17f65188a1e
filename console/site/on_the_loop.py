"""Django's own middleware without a thread.

For each of them Django hands the request to a thread and afterwards the answer: sixteen times for
a page, to look at a header or to set one, and each time loop and thread wait for the interpreter.
Those named here compute and ask nobody, so they are called where they stand. Whatever may ask the
database or read a long form has a thread as ever: one to itself as long as the request lasts, and
then the next request's, since to begin one takes as long as all that is around a view.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from types import MethodType
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware

from .connections import give_back

QUICK = {
    SecurityMiddleware,
    CSPMiddleware,
    SessionMiddleware,
    CommonMiddleware,
    CsrfViewMiddleware,
    AuthenticationMiddleware,  # finds out who asks when somebody wants to know
    MessageMiddleware,
    XFrameOptionsMiddleware,
}
READS_NO_FORM = {"GET", "HEAD", "OPTIONS", "TRACE"}
IDLE_AT_MOST = 4

_idle: list[ThreadPoolExecutor] = []  # of one thread each
os.register_at_fork(after_in_child=_idle.clear)  # which has none of these threads


class PagesAndApi(ASGIHandler):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = _idle.pop() if _idle else ThreadPoolExecutor(max_workers=1)
        is_in_order = False
        try:
            async with ThreadSensitiveContext() as context:
                SyncToAsync.context_to_thread_executor[context] = thread
                try:
                    await self.handle(scope, receive, send)
                    is_in_order = True
                finally:
                    # What goes on beyond the request, as a run that others watch, takes another.
                    SyncToAsync.context_to_thread_executor.pop(context, None)
        finally:
            if is_in_order and len(_idle) < IDLE_AT_MOST:
                _idle.append(thread)
            else:
                thread.submit(give_back)
                thread.shutdown(wait=False)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        handler: Any = self  # whose attributes the stubs leave out
        chain = handler._middleware_chain
        while middleware := getattr(chain, "__wrapped__", None):
            if type(middleware) in QUICK:
                middleware.__acall__ = MethodType(_asked, middleware)
            chain = getattr(middleware, "get_response", None)
        handler._view_middleware = [
            _view(one) if type(getattr(one, "__self__", None)) is CsrfViewMiddleware else one
            for one in handler._view_middleware
        ]


async def _asked(middleware: Any, request: HttpRequest) -> Any:
    response = None
    if hasattr(middleware, "process_request"):
        response = middleware.process_request(request)
    response = response or await middleware.get_response(request)
    if hasattr(middleware, "process_response"):
        answer = middleware.process_response
        if _asks_the_database(middleware, request):
            return await sync_to_async(answer)(request, response)
        response = answer(request, response)
    return response


def _asks_the_database(middleware: Any, request: HttpRequest) -> bool:
    """With the answer, to save a session; messages may stand in one."""
    if isinstance(middleware, SessionMiddleware):
        return request.session.modified or settings.SESSION_SAVE_EVERY_REQUEST
    if isinstance(middleware, MessageMiddleware):
        messages: Any = getattr(request, "_messages", None)
        return messages is not None and (messages.used or messages.added_new)
    return False


def _view(in_a_thread: Any) -> Callable[..., Awaitable[Any]]:
    """Whether a form comes from a page of ours. It is read for that only where it must be."""
    looked_at = in_a_thread.__self__.process_view

    async def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> Any:
        if request.method in READS_NO_FORM or getattr(view, "csrf_exempt", False):
            return looked_at(request, view, args, kwargs)
        return await in_a_thread(request, view, args, kwargs)

    return process_view
