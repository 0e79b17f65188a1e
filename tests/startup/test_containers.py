"""Dockerfile and docker-compose.yml: read here, and run by tests/image."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from fusion_site import programs

from .running import PROJECT

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "migrate")
DOCKERFILE = (PROJECT / "Dockerfile").read_text()


def test_the_image_is_made_from_the_same_lock_and_runs_without_root() -> None:
    assert "--require-hashes -r /tmp/requirements.lock" in DOCKERFILE
    assert "--require-hashes -r /tmp/requirements-uv.lock" in DOCKERFILE
    last_stage = DOCKERFILE.rsplit("FROM", 1)[1]
    assert "\nUSER fusion\n" in last_stage
    assert last_stage.index("USER fusion") < last_stage.index("CMD")
    assert "FUSION_BOOTSTRAP=0" in last_stage


def test_the_image_gets_all_it_needs_and_nothing_private() -> None:
    lines = (PROJECT / ".dockerignore").read_text().split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        copied |= set(line.split()[:-1])
    assert copied == let_in
    assert all((PROJECT / name).exists() for name in copied)
    assert not {"var", ".env", ".git", ".venv"} & let_in


def test_every_service_is_there() -> None:
    assert set(SERVICES) == {"web", "worker", "valkey", "postgres", "migrate", "searxng"}


def test_the_search_engine_is_started_where_it_is_asked_for_alone_and_answers_as_json() -> None:
    engine = SERVICES["searxng"]
    assert engine["profiles"] == ["search"]
    assert not [name for name, s in SERVICES.items() if "searxng" in s.get("depends_on", {})]
    (config,) = engine["configs"]
    settings = yaml.safe_load(COMPOSE["configs"][config["source"]]["content"])
    assert "json" in settings["search"]["formats"]
    assert config["target"] == "/etc/searxng/settings.yml"


@pytest.mark.parametrize("name", OURS)
def test_ours_are_one_image_told_the_same(name: str) -> None:
    service = SERVICES[name]
    assert service["build"] == "."
    environment = service["environment"]
    assert environment["FUSION_BOOTSTRAP"] == "0"
    assert environment["DATABASE_URL"].startswith("postgres://fusion:${POSTGRES_PASSWORD:?")
    assert environment["REDIS_URL"] == "redis://valkey:6379/0"
    for secret in ("SECRET_KEY", "FUSION_ENCRYPTION_KEYS"):
        assert environment[secret].startswith("${" + secret + ":?"), "has no default"


def test_only_the_web_is_reachable_and_only_from_this_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert published == {"web": ["${FUSION_PUBLISH:-127.0.0.1:8000}:8000"]}


def test_all_that_stay_say_whether_they_are_well() -> None:
    for name, service in SERVICES.items():
        if name != "migrate":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name
    assert SERVICES["migrate"]["restart"] == "no"
    assert "/readyz" in str(SERVICES["web"]["healthcheck"])
    assert "worker_alive" in get_commands()
    assert SERVICES["worker"]["healthcheck"]["test"][-1] == "worker_alive"


def test_nobody_starts_before_the_database_is_migrated() -> None:
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("web", "worker"):
        waits = SERVICES[name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        assert waits["valkey"]["condition"] == "service_healthy"


def test_what_must_last_is_on_named_volumes() -> None:
    mounted = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"]) == {"postgres", "data", "files"}


def test_containers_run_what_up_runs() -> None:
    web = ", ".join(f'"{word}"' for word in programs.WEBS)
    assert f'\nCMD ["python", {web}, ' in DOCKERFILE
    worker = programs.WORKER[programs.WORKER.index("-A") :]
    assert SERVICES["worker"]["command"] == ["python", "-m", "fusion_site.celery_command", *worker]
