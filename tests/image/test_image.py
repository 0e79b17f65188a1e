"""Dockerfile and docker-compose.yml in earnest: the image is built, and its commands are run."""

from __future__ import annotations

import os
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.door import Door
from tests.postgres import Postgres
from tests.stack import ROOT, Valkey, until

from .builder import Builder, first, provide

pytestmark = [pytest.mark.startup, pytest.mark.timeout(7200)]

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
FUSION = 10001  # the user
SECRETS = {
    "SECRET_KEY": "x" * 60,
    "FUSION_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "POSTGRES_PASSWORD": "unused",
}


class Containers:
    """What docker-compose.yml starts, beside a Valkey and a PostgreSQL of this machine's."""

    def __init__(self, builder: Builder, valkey: Valkey, postgres: Postgres, port: int) -> None:
        self.builder, self.port = builder, port
        self.log = Path(tempfile.mkdtemp()) / "log"
        self.mounted = {valkey.dir: "/valkey", postgres.dir: "/postgres"}
        self.env = {
            name: _resolved(value) for name, value in SERVICES["web"]["environment"].items()
        }
        self.env |= {
            "REDIS_URL": "unix:///valkey/s?db=0",
            "DATABASE_URL": "postgres://fusion@/postgres?host=/postgres",
        }

    def start(self, command: list[str]) -> Any:
        command = [part.replace("8000", str(self.port)) for part in command]
        return self.builder.start(command, self.log, self.env, self.mounted)

    def run(self, command: list[str]) -> str:
        """Its output, when it has ended well."""
        before = len(self.said())
        status = self.start(command).wait()
        said = self.said()[before:]
        assert status == 0, said
        return said

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_well(self, name: str) -> bool:
        test = SERVICES[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        return self.start(test[1:]).wait() == 0


def _resolved(value: str) -> str:
    """As compose reads a variable that is set here, has a default, or is missing."""

    def told(found: re.Match[str]) -> str:
        name, default = found[1], found[3] if found[2] == ":-" else ""
        return SECRETS.get(name, default)

    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", told, value)


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    provide()
    builder = Builder(Path(tempfile.mkdtemp(prefix="fusion-image-")))
    try:
        builder.build()
        with Valkey() as valkey, Postgres() as postgres, Door() as door:
            # The container's user is none of this machine's.
            for place in (valkey.dir, valkey.socket, postgres.dir):
                os.chmod(place, 0o777)
            port = door.port
            door.close()
            yield Containers(builder, valkey, postgres, port)
    finally:
        builder.close()


def test_it_holds_the_product_and_nothing_else_and_may_change_none_of_it(
    containers: Containers,
) -> None:
    said = containers.run(["sh", "-c", "id -u; ls -A /app; touch /data/x; touch /app/x || true"])
    assert said.split("\n")[:1] == [str(FUSION)]
    names = {"console", "fusion_site", "manage.py", "pyproject.toml", "static", "templates"}
    assert set(said.split("\n")[1 : 1 + len(names)]) == names
    assert "/app/x': Permission denied" in said and "/data/x" not in said


def test_its_commands_make_a_site_that_serves_and_ends_when_it_is_told(
    containers: Containers,
) -> None:
    made = containers.run(SERVICES["migrate"]["command"])
    assert "/claim/" in made and "Applying console" in made, made
    worker = containers.start(SERVICES["worker"]["command"])
    web = containers.start(containers.builder.command())
    at = f"http://127.0.0.1:{containers.port}"

    def is_ready() -> bool:
        assert web.poll() is None and worker.poll() is None, containers.said()
        try:
            with urllib.request.urlopen(f"{at}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    until(is_ready, 600, said=containers.said)
    assert containers.is_well("web") and containers.is_well("worker")

    with urllib.request.urlopen(f"{at}/sign-in") as answer:
        page = answer.read().decode()
    [style] = re.findall(r'href="(/static/console/base[^"]*\.css)"', page)
    with urllib.request.urlopen(at + style) as answer:
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"]

    parent = first(web)
    servers = parent.children()
    assert len(servers) == min(2, len(os.sched_getaffinity(0)))
    of_fusion = [parent, *servers, first(worker)]
    assert {p.uids().effective for p in of_fusion} == {FUSION}

    assert containers.builder.end(web) == 0
    assert containers.builder.end(worker) == 0
    assert psutil.wait_procs(of_fusion, timeout=60)[1] == []
    assert "Traceback" not in containers.said()
