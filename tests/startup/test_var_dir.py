from __future__ import annotations

import base64
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from fusion_site import env, valkey
from fusion_site.var_dir import VarDir


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VarDir:
    monkeypatch.setenv("FUSION_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("FUSION_ENCRYPTION_KEYS", raising=False)
    return VarDir()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_for_the_owner_only(var: VarDir) -> None:
    var.make_secrets()
    path = var.path / "secrets.env"
    first = path.read_text()
    assert (mode(var.path), mode(path)) == (0o700, 0o600)
    values = dict(line.split("=", 1) for line in first.splitlines() if not line.startswith("#"))
    assert len(values["SECRET_KEY"]) >= 50
    assert len(base64.urlsafe_b64decode(values["FUSION_ENCRYPTION_KEYS"])) == 32

    path.chmod(0o644)
    var.make_secrets()
    assert path.read_text() == first
    assert mode(path) == 0o600


def test_a_secret_of_the_environment_is_not_written_down(
    var: VarDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the operator's own")
    var.make_secrets()
    text = (var.path / "secrets.env").read_text()
    assert "SECRET_KEY=" not in text
    assert "FUSION_ENCRYPTION_KEYS=" in text


def test_an_empty_secret_of_the_environment_is_none(
    var: VarDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    var.make_secrets()
    assert "SECRET_KEY=" in (var.path / "secrets.env").read_text()
    env.load()
    assert len(os.environ["SECRET_KEY"]) >= 50


def test_commands_in_another_shell_find_the_running_stack(
    var: VarDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    var.tell_runtime({"REDIS_URL": "unix:///here/valkey.sock?db=0"})
    assert json.loads((var.path / "runtime.json").read_text())
    monkeypatch.setattr(os, "environ", dict(os.environ))
    env.load()
    assert os.environ["REDIS_URL"] == "unix:///here/valkey.sock?db=0"
    var.forget_runtime()
    assert not (var.path / "runtime.json").exists()


def test_a_socket_path_too_long_for_the_kernel_moves_to_a_private_place(tmp_path: Path) -> None:
    assert valkey.socket_path(Path("/short")) == Path("/short/valkey.sock")
    path = valkey.socket_path(tmp_path / ("long" * 30))
    try:
        assert len(str(path)) <= valkey.LONGEST_SOCKET_PATH
        assert mode(path.parent) == 0o700
    finally:
        shutil.rmtree(path.parent)
