"""The locks hold what pyproject.toml asks for, with hashes and without addresses."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .running import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
ASKED: dict[str, list[str]] = {
    "requirements.lock": PYPROJECT["project"]["dependencies"],
    "requirements-dev.lock": [
        *PYPROJECT["project"]["dependencies"],
        *PYPROJECT["dependency-groups"]["dev"],
    ],
    "requirements-local-model.lock": PYPROJECT["dependency-groups"]["local-model"],
    "requirements-uv.lock": PYPROJECT["dependency-groups"]["installer"],
}


def entries(lock: str) -> list[str]:
    text = (PROJECT / lock).read_text()
    return [block for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE) if "==" in block]


def pinned(lock: str) -> dict[str, str]:
    found = {}
    for entry in entries(lock):
        name, _, rest = entry.partition("==")
        found[canonicalize_name(name.partition("[")[0])] = re.split(r"[\s;\\]", rest)[0]
    return found


@pytest.mark.parametrize("lock", ASKED)
def test_every_package_asked_for_is_locked_in_a_version_that_fits(lock: str) -> None:
    versions = pinned(lock)
    for line in ASKED[lock]:
        wanted = Requirement(line)
        version = versions[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version, prereleases=True), line


@pytest.mark.parametrize("lock", ASKED)
def test_every_package_has_hashes_and_no_address(lock: str) -> None:
    assert entries(lock)
    for entry in entries(lock):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
    assert "://" not in (PROJECT / lock).read_text()


def test_the_tests_run_on_the_very_versions_that_people_get() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()
