"""What stands around a view asks no thread for what it can do itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.core.signals import request_started
from django.db import close_old_connections, connections, reset_queries
from django.http import HttpRequest, HttpResponse
from django.urls import path

from console.site import on_the_loop
from fusion_site.asgi import http

Answer = tuple[int, dict[bytes, bytes]]


def remember(request: HttpRequest) -> HttpResponse:
    request.session["word"] = "kept"
    messages.info(request, "It is kept.")
    return HttpResponse("kept")


def own_thread(request: HttpRequest) -> HttpResponse:
    threads.append(threading.get_ident())
    if len(threads) < 3:
        both.wait(30)
    return HttpResponse("made")


threads: list[int] = []
both = threading.Barrier(2)
urlpatterns = [path("remember", remember), path("own-thread", own_thread)]


async def answered(path: str, method: str = "GET") -> Answer:
    sent: list[dict[str, Any]] = []
    never = asyncio.Event()
    body = [{"type": "http.request", "body": b""}]

    async def receive() -> dict[str, Any]:
        if not body:
            await never.wait()
        return body.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    await http(scope | {"query_string": b"", "client": ("127.0.0.1", 9)}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def ask(path: str, method: str = "GET") -> Answer:
    return asyncio.run(answered(path, method))


@pytest.fixture(autouse=True)
def no_thread_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    idle: list[ThreadPoolExecutor] = []
    monkeypatch.setattr(on_the_loop, "_idle", idle)
    yield
    for thread in idle:
        thread.submit(connections.close_all).result()
        thread.shutdown()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of threads."""
    taken: list[str] = []
    submit = ThreadPoolExecutor.submit

    def counted(self: ThreadPoolExecutor, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        taken.append(str(work))
        return submit(self, work, *args, **more)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", counted)
    # As asgi.py has it: the tests' own client, and who counts queries, connect them again.
    request_started.disconnect(close_old_connections)
    request_started.disconnect(reset_queries)
    return taken


def test_a_page_is_made_in_one_turn_and_its_connections_are_given_back_in_another(
    turns: list[str],
) -> None:
    status, headers = ask("/robots.txt")
    assert status == 200
    assert len(turns) == 2, "\n".join(turns)
    assert {b"Content-Security-Policy", b"X-Frame-Options"} <= set(headers)


def test_a_form_is_looked_at_in_a_thread(turns: list[str]) -> None:
    assert ask("/robots.txt", "POST")[0] == 403
    assert len(turns) > 2


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_what_a_view_put_into_a_session_is_saved_in_a_thread(
    turns: list[str], settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__
    status, headers = ask("/remember")
    assert status == 200
    assert len(turns) == 4, "the view, messages, the session, the end"
    kept = headers[b"Set-Cookie"].partition(b";")[0]
    assert Session.objects.get(pk=kept.partition(b"=")[2].decode()).get_decoded()["word"] == "kept"


def test_a_request_has_a_thread_to_itself_and_leaves_it_to_the_next(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__

    async def two_at_once_and_one_more() -> None:
        await asyncio.gather(answered("/own-thread"), answered("/own-thread"))
        await answered("/own-thread")

    asyncio.run(two_at_once_and_one_more())
    first, second, third = threads
    assert first != second
    assert third in (first, second)
