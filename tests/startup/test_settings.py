"""What settings make of the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.startup.running import PROJECT, environment, manage


def host_names(var_dir: Path, **env: str) -> list[str]:
    code = "from fusion_site import settings; print(*settings.ALLOWED_HOSTS)"
    asked = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(FUSION_VAR_DIR=str(var_dir), **env),
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.split()


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://fusion.example.org", "fusion.example.org"),
        ("https://Fusion.example.org:8443/", "fusion.example.org"),
        ("http://[2001:db8::7]:8000", "[2001:db8::7]"),
    ],
)
def test_the_address_people_use_is_served(tmp_path: Path, base_url: str, name: str) -> None:
    names = host_names(tmp_path, FUSION_BASE_URL=base_url)
    assert name in names and "127.0.0.1" in names and "*" not in names
    assert host_names(tmp_path, FUSION_BASE_URL=base_url, ALLOWED_HOSTS="other") == ["other", name]


def test_without_one_this_machine_alone_is(tmp_path: Path) -> None:
    assert host_names(tmp_path) == ["127.0.0.1", "localhost", "[::1]", "127.0.0.1"]


@pytest.mark.parametrize("command", ["create_token", "rotate_keys"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "There is no database of Fusion here yet: run `python3 manage.py up` first."),
        ({"FUSION_LEASE_SECONDS": "many"}, "FUSION_LEASE_SECONDS"),
    ],
)
def test_a_command_that_cannot_be_says_so_in_one_line(
    tmp_path: Path, command: str, changes: dict[str, str], sentence: str
) -> None:
    changes |= {"FUSION_VAR_DIR": str(tmp_path / "none"), "FUSION_BOOTSTRAP": "0"}
    ended = manage(PROJECT, command, python=sys.executable, **changes)
    assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1, ended.stderr
    assert sentence in ended.stderr
