"""Environments of other people's programs, made from the registries once and kept.

They lie in the folder that FUSION_CLIENTS_DIR names, so that a second run installs nothing;
without it in one that goes with the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


@dataclass(frozen=True)
class Client:
    name: str
    title: str
    program: str
    packages: tuple[str, ...]
    is_node: bool
    environment: str
    model: str  # "" or "openrouter": in whose words it asks
    lacks: dict[str, str]  # scenario -> why not

    @property
    def versions(self) -> str:
        return ", ".join(self.packages)

    def command(self) -> list[str]:
        """Installs what it needs, if that is not there."""
        folder = installed(self.environment, self.packages, self.is_node)
        if self.program.endswith(".mjs"):
            # Node looks for packages from where a program lies.
            for name in ("asked.mjs", self.program):
                shutil.copy(PROGRAMS / name, folder)
            return ["node", str(folder / self.program)]
        python = sys.executable if self.is_node else str(folder / "bin" / "python")
        return [python, str(PROGRAMS / self.program)]

    @property
    def folder(self) -> Path:
        return folder_of_all() / self.environment


@cache
def clients() -> dict[str, Client]:
    listed: dict[str, dict[str, Any]] = tomllib.loads((HERE / "clients.toml").read_text())
    result = {}
    for name, entry in listed.items():
        whose = listed[entry.get("environment", name)]
        result[name] = Client(
            name=name,
            title=entry["title"],
            program=entry["program"],
            packages=tuple(whose.get("packages") or whose["npm"]),
            is_node="npm" in whose,
            environment=entry.get("environment", name),
            model=entry.get("model", ""),
            lacks=entry.get("lacks", {}),
        )
    return result


@cache
def folder_of_all() -> Path:
    named = os.environ.get("FUSION_CLIENTS_DIR")
    folder = Path(named) if named else Path(tempfile.mkdtemp(prefix="fusion-clients-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def installed(name: str, packages: tuple[str, ...], is_node: bool) -> Path:
    folder = folder_of_all() / name
    stamp = folder / "installed"
    wanted = "\n".join(packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    if is_node:
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        _run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *packages, at=folder)
    else:
        _run(sys.executable, "-m", "venv", str(folder), at=folder)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
        _run(*pip, *packages, at=folder)
    stamp.write_text(wanted)
    return folder


def _run(*command: str, at: Path) -> None:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
