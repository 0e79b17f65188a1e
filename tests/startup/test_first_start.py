"""The real thing: a bare Python in a clean copy, the packages from the index."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.upstream import Upstream

from .running import BARE_PYTHON, Up, manage

pytestmark = [pytest.mark.startup, pytest.mark.timeout(400)]


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.status, answer.read().decode()


def test_a_bare_python_comes_to_a_fused_answer_and_the_second_start_reuses_everything(
    project: Path,
) -> None:
    with Upstream() as upstream:
        settings = {"OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": "any"}
        with Up(project, python=BARE_PYTHON, **settings) as up:
            url = up.wait_for("Fusion is ready: ", 300).split("ready: ")[1]
            assert get(f"{url}/readyz")[0] == 200
            link = up.wait_for("makes the first admin: ").split("admin: ")[1]
            assert get(link)[0] == 200
            up.wait_for("The built-in model is ready.", 200)
            assert "Kept a copy" not in up.output, "there is nothing to keep"
            assert not (project / "var" / "backups").exists()

            run = manage(project, "fuse", "Why?", "--panel", "alpha,beta", "--judge", "j", "--json")
            assert run.returncode == 0, run.stderr
            result = json.loads(run.stdout)
            assert result["status"] == "completed"
            assert [a["model"] for a in result["answers"]] == ["alpha", "beta"]
            assert result["fused_answer"]

            assert up.end(signal.SIGINT) == 0
            assert up.left(60) == []
            assert not (project / "var" / "runtime.json").exists()

    secrets = (project / "var" / "secrets.env").read_text()
    with Up(project, python=BARE_PYTHON) as again:
        again.wait_for("Fusion is ready: ")
        assert "Installing" not in again.output
        assert (project / "var" / "secrets.env").read_text() == secrets
        again.wait_for("The built-in model is ready.")
        assert again.end(signal.SIGINT) == 0
        assert again.left(60) == []
