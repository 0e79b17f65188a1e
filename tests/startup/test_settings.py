"""What settings make of the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.startup.running import PROJECT, environment


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
