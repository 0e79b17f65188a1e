"""A stage for scenarios: a real Worker, a real upstream, limits that make faults quick."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User

from console.engine.errors import Reason
from console.models import SiteChoices
from console.providers.wire.http import make_client
from console.services import runs as services
from console.worker import worker as working
from tests.loop_steps import short_steps
from tests.upstream import Upstream, places

from . import report
from .stage import Stage

# Of connecting, and of writing a request: short where that is what happens, so that a busy machine
# is not taken for it.
TIMEOUT, PATIENCE = 0.6, 30.0
OF_TIME = (Reason.UNREACHABLE, Reason.DNS, Reason.TIMEOUT, Reason.STALLED)


@pytest.fixture
def transport() -> Literal["aiohttp", "httpx"]:
    return "aiohttp"


@pytest.fixture
def uses() -> str:
    """What a scenario needs: see `Scenario.uses`."""
    return ""


@pytest.fixture
def stage(
    transactional_db: None,
    valkey: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    transport: Literal["aiohttp", "httpx"],
    uses: str,
    request: pytest.FixtureRequest,
) -> Iterator[Stage]:
    settings.REDIS_URL = valkey
    settings.CHECKPOINT_SECONDS = 0.1
    monkeypatch.setattr(services, "ring", lambda run_id: True)
    tls = None
    if uses == "trusted_authority":
        tls = ssl.create_default_context(cafile=str(places.trusted_authority()))
    names = contextlib.ExitStack()
    if uses == "hanging_dns":  # uvloop looks names up by itself, asyncio asks `socket`
        import asyncio

        monkeypatch.setattr(working, "new_loop", asyncio.new_event_loop)
        monkeypatch.setattr("socket.getaddrinfo", names.enter_context(places.hanging_dns()))
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    is_of_time = "scenario" not in params or params["scenario"].reason in OF_TIME
    timeout = TIMEOUT if is_of_time else PATIENCE
    client = functools.partial(
        make_client,
        connect_timeout=timeout,
        write_timeout=timeout,
        transport=transport,
        tls=tls,
    )
    monkeypatch.setattr(working, "make_client", client)
    owner = User.objects.create_user("alice")
    # Faults make calls dearer than anybody expected: none is to be ended for that here.
    SiteChoices.objects.create(runs_have_budget=False)
    with names, Upstream() as upstream, short_steps(monkeypatch):
        worker = working.Worker()
        yield Stage(worker, upstream, owner, caplog)
        worker.close()
        worker.loop.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    report.write(terminalreporter)
