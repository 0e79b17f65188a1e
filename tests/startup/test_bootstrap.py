"""Everything that can stop a start is one plain sentence with the way out."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fusion_site import bootstrap, installation
from fusion_site.var_dir import VarDir

from .running import copy_project, environment, manage


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for all that leave it as it is."""
    return copy_project(tmp_path_factory.mktemp("tree") / "fusion")


def one_sentence(ended: object, *words: str) -> None:
    stderr = getattr(ended, "stderr", "")
    assert getattr(ended, "returncode", 0) == 1, stderr
    assert len(stderr.strip().splitlines()) == 1, stderr
    for word in words:
        assert word in stderr


@pytest.fixture
def path_without_uv(tmp_path: Path) -> str:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return str(folder)


def python_that(tmp_path: Path, does: str) -> str:
    """PYTHONPATH of a Python that does this before anything else."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\n{does}\n")
    return str(folder)


def test_a_taken_port_is_said_before_anything_is_installed(tree: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = manage(tree, "up", "--port", str(port))
    one_sentence(ended, f"Port {port} on 127.0.0.1 is taken", "--port")
    assert not (tree / ".venv").exists()


def test_an_address_of_another_machine_is_said(tree: Path) -> None:
    ended = manage(tree, "up", "--host", "192.0.2.1", "--port", "0")
    one_sentence(ended, "192.0.2.1", "try --host 127.0.0.1")


def test_any_other_command_says_to_run_up_first(tree: Path) -> None:
    one_sentence(manage(tree, "fuse", "Why?"), "run `python3 manage.py up` first")
    assert not (tree / ".venv").exists()


def test_a_venv_without_its_python_counts_as_none(project: Path) -> None:
    (project / ".venv/lib/python3.11/site-packages/django").mkdir(parents=True)
    one_sentence(manage(project, "fuse", "Why?"), "run `python3 manage.py up` first")


@pytest.mark.parametrize("package", ["django", "channels"])
def test_an_environment_that_lacks_a_package_is_said_with_the_way_out(
    tree: Path, tmp_path: Path, package: str
) -> None:
    lacking = python_that(tmp_path, f"sys.modules[{package!r}] = None")
    for command in (["up", "--port", "0", "--no-local-model"], ["create_token"]):
        ended = manage(
            tree,
            *command,
            python=sys.executable,
            FUSION_BOOTSTRAP="0",
            PYTHONPATH=lacking,
        )
        one_sentence(ended, package, "delete .venv and run")


def test_a_missing_venv_module_names_the_package(
    project: Path, tmp_path: Path, path_without_uv: str
) -> None:
    no_ensurepip = python_that(tmp_path, 'sys.modules["ensurepip"] = None')
    ended = manage(project, "up", "--port", "0", PYTHONPATH=no_ensurepip, PATH=path_without_uv)
    one_sentence(ended, "venv module is missing", "apt install python3-venv")


def test_an_old_python_says_which_one_is_needed(
    tree: Path, tmp_path: Path, path_without_uv: str
) -> None:
    old = python_that(tmp_path, "sys.version_info = (3, 9, 2, 'final', 0)")
    ended = manage(tree, "up", "--port", "0", PYTHONPATH=old, PATH=path_without_uv)
    one_sentence(ended, "needs Python 3.11 or newer and this is 3.9")


def test_an_old_python_hands_over_to_a_newer_one(
    tree: Path, tmp_path: Path, path_without_uv: str
) -> None:
    old = python_that(tmp_path, "sys.version_info = (3, 9, 2, 'final', 0)")
    newer = Path(path_without_uv, "python3.12")
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "newer: $2"\n')
    newer.chmod(0o755)
    ended = manage(tree, "up", "--port", "0", PYTHONPATH=old, PATH=path_without_uv)
    assert ended.stdout == "newer: up\n"


def test_a_full_disk_while_installing_is_said(project: Path, path_without_uv: str) -> None:
    full = Path(path_without_uv, "uv")
    # A real write to a real full device.
    full.write_text(f"#!{sys.executable}\nwith open('/dev/full', 'w') as f: f.write('a package')\n")
    full.chmod(0o755)
    ended = manage(project, "up", "--port", "0", PATH=path_without_uv)
    one_sentence(ended, "The disk is full", "free some space")


@pytest.mark.startup
def test_an_index_that_cannot_be_reached_is_said(
    project: Path, tmp_path: Path, path_without_uv: str
) -> None:
    nowhere = "http://127.0.0.1:1/simple"
    ended = manage(
        project,
        *("up", "--port", "0"),
        PATH=path_without_uv,
        PIP_INDEX_URL=nowhere,
        PIP_CONFIG_FILE=os.devnull,
        PIP_EXTRA_INDEX_URL=None,
        PIP_FIND_LINKS=None,
    )
    one_sentence(ended, "package index cannot be reached", "check the network")
    assert not (project / ".venv" / "fusion.stamp").exists()


def test_a_directory_that_may_not_be_written_is_said(tree: Path) -> None:
    # Not even root may write here.
    place = "/sys/fusion" if sys.platform == "linux" else "/System/fusion"
    changes = {"FUSION_BOOTSTRAP": "0", "FUSION_VAR_DIR": place}
    ended = manage(tree, "up", "--port", "0", **changes)
    one_sentence(ended, "No permission while preparing", place)


def test_a_directory_that_is_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("var", "var/logs"):
        place = tmp_path / name
        place.touch()
        monkeypatch.setenv("FUSION_VAR_DIR", str(tmp_path / "var"))
        with pytest.raises(SystemExit, match="Failed while preparing .+file in its place") as said:
            VarDir()
        assert str(said.value).count(f"{place}") == 1
        place.unlink()
        (tmp_path / "var").mkdir(exist_ok=True)


def test_windows_is_told_where_fusion_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="WSL2"):
        patch.setattr(os, "name", "nt")
        bootstrap.enter(["up"])


def test_a_machine_without_a_valkey_wheel_is_told_the_ways(
    monkeypatch: pytest.MonkeyPatch, path_without_uv: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setenv("PATH", path_without_uv)
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(SystemExit, match="riscv64: install valkey-server or redis-server"):
        installation.check_platform()
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    installation.check_platform()


def test_tests_without_a_browser_say_what_to_install(tree: Path, path_without_uv: str) -> None:
    ended = manage(tree, "test", PATH=path_without_uv)
    one_sentence(ended, "apt install chromium", "--install-browser")


@pytest.mark.parametrize(
    ("there", "asked_for", "installed"),
    [
        ("chromium chromium-headless-shell apt-get", True, []),
        ("chromium apt-get", False, []),
        ("chromium", True, []),
        ("chromium apt-get", True, ["chromium-headless-shell"]),
        ("apt-get", True, ["chromium fonts-liberation", "chromium-headless-shell"]),
    ],
)
@pytest.mark.parametrize("has_shell", [True, False])
def test_the_headless_shell_comes_with_chromium_and_is_missed_nowhere(
    monkeypatch: pytest.MonkeyPatch,
    there: str,
    asked_for: bool,
    installed: list[str],
    has_shell: bool,
) -> None:
    apt: list[str] = []

    def run(doing: str, command: list[str], environment: object) -> None:
        _, does, *words = command
        if does == "install":
            apt.append(" ".join(word for word in words if not word.startswith("-")))
            if "headless" in doing and not has_shell:
                raise SystemExit("Unable to locate package")

    with monkeypatch.context() as patch:
        patch.setattr(installation.shutil, "which", lambda name: name in there.split())
        patch.setattr(os, "geteuid", lambda: 0)
        patch.setattr(installation, "_run", run)
        installation.need_browser(asked_for)
    assert apt == installed


def test_help_needs_no_installation(tree: Path) -> None:
    ended = manage(tree, "up", "--help")
    assert ended.returncode == 0
    assert "--no-local-model" in ended.stdout
    assert not (tree / ".venv").exists()


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert not installation.is_current(tmp_path / ".venv", lock)
    (tmp_path / ".venv" / "fusion.stamp").write_text(installation._sum(lock))
    assert installation.is_current(tmp_path / ".venv", lock)
    lock.write_text("a==2\n")
    assert not installation.is_current(tmp_path / ".venv", lock)


@pytest.mark.parametrize("where", ["the project", "elsewhere"])
def test_a_stray_module_is_not_taken_for_a_librarys(tmp_path: Path, where: str) -> None:
    project = copy_project(tmp_path / "project")
    folder = project if where == "the project" else tmp_path
    for name in ("rich", "httpx", "argparse", "glob", "redis"):
        (folder / f"{name}.py").write_text("raise RuntimeError('the stray one')\n")
    look = "import rich, httpx, argparse, glob, redis, console; print(rich.__file__)"
    for command in (["shell", "-v0", "-c", look], ["mcp"]):
        ended = subprocess.run(
            [sys.executable, str(project / "manage.py"), *command],
            cwd=folder,
            env=environment(FUSION_BOOTSTRAP="0"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        assert "the stray one" not in ended.stderr + ended.stdout
