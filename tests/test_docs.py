"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from console.engine.events import EventType
from console.providers import kinds
from fusion_site import settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_readme() -> None:
    source = Path(settings.__file__).read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source)) - {"FUSION_TEST_DATABASE"}
    assert len(names) > 20
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_the_readme_and_the_containers_know_the_variables_of_every_provider() -> None:
    known = {*kinds.key_variables(), *kinds.address_variables()}
    configuration = README.split("## Configuration")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in configuration.splitlines() if line.startswith("| `")]
    rows = [re.findall(r"`([A-Z_]+)`", cell) for cell in cells]
    for _, server in kinds.servers():
        variables = [v for v in (server.key_variable, server.address_variable) if v]
        assert not variables or variables in rows, f"README has no row for {server.name}"
    of_providers = re.compile(r"(?!FUSION_)\w+_(API_KEY|BASE_URL|HOST)")
    assert {name for row in rows for name in row if of_providers.fullmatch(name)} == known
    compose = (ROOT / "docker-compose.yml").read_text()
    assert {name for name in known if f"    {name}: ${{{name}:-}}\n" not in compose} == set()


def test_every_event_type_is_described_where_events_are_declared() -> None:
    from console.engine import events

    assert {t.value for t in EventType if t.value not in (events.__doc__ or "")} == set()


def test_every_folder_of_tests_is_described() -> None:
    described = (ROOT / "tests" / "README.md").read_text()
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert {f for f in folders if f"`{f}/`" not in described} == set()


def test_linked_files_exist() -> None:
    for page in (ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "docs" / "design.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_nothing_stands_at_the_root_that_does_not_belong_there() -> None:
    listed = {
        *("manage.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"),
        *("fusion_site", "console", "templates", "static", "tests", "docs"),
        *("docker-compose.yml", "Dockerfile", "var"),
    }
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert {f for f in found - listed if not re.fullmatch(r"requirements[\w-]*\.lock", f)} == set()
