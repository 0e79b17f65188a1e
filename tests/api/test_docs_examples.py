"""The examples of README and docs/api.md, copied and pasted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from console.models.tokens import Scope
from console.pages.snippets import snippets
from tests.upstream import Script

from .conftest import OPUS, Api

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_AT = "http://127.0.0.1:8000"
# As people have it, but an answer that refuses is a failure here.
CURL = 'curl() { command curl --fail-with-body -sS "$@"; }\nset -euo pipefail\n'
# The token is made already, for one of several people.
MAKES_TOKEN = "export FUSION_TOKEN=$(python3 manage.py create_token)\n"


def examples(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if language or "curl " in block]


def run(api: Api, *command: str) -> str:
    done = subprocess.run(
        command,
        env=os.environ | {"FUSION_TOKEN": api.key},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("page", "number"),
    [(page, n) for page in ("README.md", "docs/api.md") for n in range(len(examples(page, "")))],
)
def test_what_is_typed_into_a_shell_works(api: Api, page: str, number: int) -> None:
    api.script(OPUS, Script(text="Thirty-seven.", judge=Script()))
    example = examples(page, "")[number].replace(MAKES_TOKEN, "").replace(WRITTEN_AT, api.stack.url)
    assert "Thirty-seven." in run(api, "bash", "-c", CURL + example)


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_what_is_written_in_python_works(api: Api, page: str) -> None:
    api.script(OPUS, Script(text="Thirty-seven.", judge=Script()))
    found = examples(page, "python")
    assert found
    # One page's examples go on from each other.
    code = "\n".join(found).replace(WRITTEN_AT, api.stack.url).replace("fus_…", api.key)
    assert run(api, sys.executable, "-c", code).count("Thirty-seven.") == len(found)


@pytest.mark.parametrize("name", ["curl", "Python"])
def test_what_a_new_token_is_shown_with_works(api: Api, name: str) -> None:
    api.script(OPUS, Script(text="Thirty-seven.", judge=Script()))
    shown = snippets(base_url=api.url, token=api.key, scopes=list(Scope.values))
    text = next(snippet.text for snippet in shown if snippet.name == name)
    command = ("bash", "-c", CURL + text) if name == "curl" else (sys.executable, "-c", text)
    assert "Thirty-seven." in run(api, *command)
