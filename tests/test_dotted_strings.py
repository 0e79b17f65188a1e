"""Dotted strings and names of templates, which no type checker looks at: each names something."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.template.loader import get_template

from console.worker.doorbell import TASK

ROOT = Path(__file__).resolve().parent.parent
CODE = [*ROOT.glob("console/**/*.py"), *ROOT.glob("fusion_site/*.py"), ROOT / "manage.py"]
OURS = re.compile(r"(console|fusion_site|tests)(\.\w+)+")
IMPORTS = re.compile(r"^ *from ((?:console|fusion_site)[\w.]*) import ([\w, ]+)$", re.MULTILINE)
# Ids of checks and of receivers, the task's name, and labels of models.
NO_PATH = re.compile(
    rf"console\.[EW]\d{{3}}|console\.[A-Z]\w+|console\.(?:starters|followers)|{re.escape(TASK)}"
)


def imported(path: str) -> Any:
    """The module of this name, or what a module holds under it."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        parent, _, name = path.rpartition(".")
        return getattr(imported(parent), name)


def strings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def dotted(file: Path) -> Iterator[str]:
    """Paths in a file's strings, those in programs that stand in strings included."""
    for text in strings(file):
        if OURS.fullmatch(text):
            yield text
        for module, names in IMPORTS.findall(text):
            yield from (f"{module}.{name.strip()}" for name in names.split(","))


def files() -> list[Path]:
    return [f for f in [*CODE, *ROOT.glob("tests/**/*.py")] if "migrations" not in f.parts]


def test_every_dotted_string_names_something() -> None:
    paths = {path: file for file in files() for path in dotted(file) if not NO_PATH.fullmatch(path)}
    assert len(paths) > 15
    wrong = {}
    for path, file in paths.items():
        try:
            imported(path)
        except (ImportError, AttributeError) as error:
            wrong[f"{file.relative_to(ROOT)}: {path}"] = str(error)
    assert wrong == {}


def test_every_template_can_be_read_with_all_it_includes() -> None:
    names = [str(p.relative_to(ROOT / "templates")) for p in ROOT.glob("templates/**/*.html")]
    assert len(names) > 20
    for name in names:
        source = get_template(name).template.source  # type: ignore[attr-defined]
        for other in re.findall(r"{% (?:include|extends) \"([^\"]+)\"", source):
            assert get_template(other)


def test_every_model_named_in_a_string_is_there() -> None:
    labels = {s for f in files() for s in strings(f) if re.fullmatch(r"console\.[A-Z][a-z]\w+", s)}
    assert labels and all(apps.get_model(label) for label in labels)


def test_what_the_project_file_names_is_there() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tools = told["tool"]
    named = {
        tools["pytest"]["ini_options"]["DJANGO_SETTINGS_MODULE"],
        tools["django-stubs"]["django_settings_module"],
    }
    assert all(list(ROOT.glob(file)) for file in tools["mypy"]["files"])
    for override in tools["mypy"]["overrides"]:
        named |= {name for name in override["module"] if OURS.match(name)}
    for contract in tools["importlinter"]["contracts"]:
        for key in ("containers", "source_modules"):
            named |= set(contract.get(key, []))
    assert all(imported(path) for path in named)
