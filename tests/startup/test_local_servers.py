"""`up` finds a model server on the machine: a person at its terminal is asked, once."""

from __future__ import annotations

import json
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from fusion_site.questions import Questions
from tests.upstream.ollama import Ollama

from .running import Up, manage

pytestmark = [pytest.mark.startup, pytest.mark.timeout(400)]

SIZES = {"gemma3:12b": "12.2B", "qwen3:8b": "8.2B", "phi4:latest": "14.7B"}
QUESTION = "Ollama was found on this machine: 3 models. Make the Local preset of"


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    with Ollama(SIZES) as ollama:
        yield ollama


@contextmanager
def at_terminal(project: Path, ollama: Ollama, *arguments: str) -> Iterator[tuple[Up, int]]:
    """`up`, and where somebody types."""
    keyboard, terminal = pty.openpty()
    try:
        ports = {"FUSION_LOCAL_SERVERS": str(ollama.port)}
        with Up(project, "--no-local-model", *arguments, stdin=terminal, **ports) as up:
            up.wait_for("Fusion is ready: ")
            yield up, keyboard
    finally:
        os.close(keyboard)
        os.close(terminal)


def test_a_yes_at_the_terminal_makes_the_local_preset_of_its_models(
    project: Path, ollama: Ollama, ordinary_signals: None
) -> None:
    with at_terminal(project, ollama) as (up, keyboard):
        assert "phi4:latest, gemma3:12b, qwen3:8b?" in up.wait_for(QUESTION)
        assert ollama.calls == []
        os.write(keyboard, b"y\n")
        up.wait_for("Local asks them now. Three models of Ollama on this machine.")
        command = ("fuse", "Does it hold?", "--preset", "local", "--json")
        run = manage(project, *command, python=sys.executable, FUSION_BOOTSTRAP="0")
        assert run.returncode == 0, run.stderr
        said = json.loads(run.stdout)
        assert [a["model"] for a in said["answers"]] == ["phi4:latest", "gemma3:12b", "qwen3:8b"]
        assert said["fused_answer"] == "phi4:latest says: it **holds**."
        listing = manage(
            project,
            "local_servers",
            python=sys.executable,
            FUSION_BOOTSTRAP="0",
            FUSION_LOCAL_SERVERS=None,
        )
        assert f"{ollama.url}  Ollama (in use): gemma3:12b" in listing.stdout


def test_a_no_is_remembered_and_nobody_is_asked_against_their_word(
    project: Path, ollama: Ollama, ordinary_signals: None
) -> None:
    with at_terminal(project, ollama, "--no-local-servers") as (up, _):
        assert up.end(15) == 0
        assert QUESTION not in up.output
    assert ollama.requests == []
    with at_terminal(project, ollama) as (up, keyboard):
        up.wait_for(QUESTION)
        os.write(keyboard, b"\n")
        up.wait_for("They stay at hand under Provider keys.")
        # What the next start looks at before it asks.
        listing = manage(
            project,
            *("local_servers", "--unanswered"),
            python=sys.executable,
            FUSION_BOOTSTRAP="0",
            FUSION_LOCAL_SERVERS=None,
        )
        assert listing.stdout.strip() == "[]"
        assert up.end(15) == 0
        assert up.output.count(QUESTION) == 1
    assert ollama.calls == []


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is looked for what could be asked."""
    looked: list[tuple[str, ...]] = []

    def manage(*command: str) -> NoReturn:
        looked.append(command)
        raise AssertionError

    with open(os.devnull) as nobody, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", nobody)
        questions = Questions(manage)
        questions.begin()
        questions.go_on()
    assert looked == []
