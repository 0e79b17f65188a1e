"""The whole product as processes of their own, against the scripted upstream."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fusion_site.programs import WEB
from tests.door import Door
from tests.live.member import Member
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Upstream

PLANTED = "sk-planted-4f0c9a7e1b2d3c4e5f60718293a4b5c6"
PASSWORD = "a long password for tests"
A_PERSON = 4
OF_TWO = {
    "FUSION_WEB_PROCESSES": "2",
    "FUSION_SOCKETS_PER_PERSON": str(A_PERSON),
    "FUSION_TRUSTED_PROXIES": "127.0.0.1",
}
_PEOPLE = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password="{PASSWORD}")
User.objects.create_user("alice", password="{PASSWORD}")
User.objects.create_user("bob", password="{PASSWORD}")
"""


def make_stack(upstream: Upstream, **env: str) -> Stack:
    usual = {
        "OPENAI_BASE_URL": upstream.url,
        "OPENAI_API_KEY": PLANTED,
        "FUSION_STALL_TIMEOUT": "60",  # a busy machine is silent for long
        "FUSION_PERMISSION_SECONDS": "1",
        "FUSION_LEASE_SECONDS": "3",
        "FUSION_HEARTBEAT_SECONDS": "0.5",
        "FUSION_SWEEP_SECONDS": "0.3",
    }
    return Stack(**usual | env)


def add_people(stack: Stack) -> None:
    stack.shell(_PEOPLE)


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


@pytest.fixture(scope="package")
def stack(upstream: Upstream) -> Iterator[Stack]:
    with make_stack(upstream) as stack:
        add_people(stack)
        yield stack


@pytest.fixture(scope="package")
def patient(upstream: Upstream) -> Iterator[Stack]:
    """Where models may be silent for long, and anybody may ask as often as they like."""
    patience = {"FUSION_STALL_TIMEOUT": "600", "FUSION_LEASE_SECONDS": "60"}
    with make_stack(upstream, FUSION_RUNS_PER_PERSON="0", **patience) as stack:
        add_people(stack)
        yield stack


@pytest.fixture(scope="package")
def ada(stack: Stack) -> Iterator[Member]:
    with Member(stack, "ada", PASSWORD) as member:
        yield member


@pytest.fixture(scope="package")
def alice(stack: Stack) -> Iterator[Member]:
    with Member(stack, "alice", PASSWORD) as member:
        yield member


@pytest.fixture(scope="package")
def bob(stack: Stack) -> Iterator[Member]:
    with Member(stack, "bob", PASSWORD) as member:
        yield member


@pytest.fixture(scope="package")
def anonymous(stack: Stack) -> Iterator[Member]:
    with Member(stack) as member:
        yield member


@pytest.fixture(scope="package")
def doors(stack: Stack) -> Iterator[dict[str, Door]]:
    """Of two web servers that know they are two. In a site both have the same one; here a test
    says which of them it asks."""
    with Door() as one, Door() as other:
        doors = {"one": one, "other": other}
        yield doors
        for name in doors.keys() & stack.processes.keys():
            stack.kill(name)


@pytest.fixture
def both(stack: Stack, doors: dict[str, Door]) -> tuple[int, int]:
    """Their ports. Whichever is not there, as a test before may have killed it, is started."""
    for name, door in doors.items():
        if name not in stack.processes:
            stack.serve(name, door, *WEB, **OF_TWO)
    for door in doors.values():
        at = f"http://127.0.0.1:{door.port}/healthz"
        assert httpx.get(at, timeout=PATIENCE).status_code == 200
    until(lambda: not any(open_sockets(stack)))
    return doors["one"].port, doors["other"].port


def open_sockets(stack: Stack) -> Iterator[bytes]:
    """As the servers have told: what another test closed is gone a moment later."""
    for process in stack.valkey.do("SMEMBERS", "fusion:sockets"):
        yield from stack.valkey.do("HVALS", b"fusion:sockets:" + process)
