"""A script written to OpenRouter's documentation, unchanged but for base URL and key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api

SCRIPT = Path(__file__).with_name("openrouter_script.py")


def test_it_runs_and_finds_what_it_looks_for(api: Api) -> None:
    api.script(OPUS, Script(text="By Opus."))
    api.script(GPT, Script(text="By GPT."))
    done = subprocess.run(
        [sys.executable, SCRIPT],
        env={**os.environ, "BASE_URL": api.url, "API_KEY": api.key},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for name in ("alias", "plugin", "tool"):
        fusion = said[name]["fusion"]
        assert "analysis" in fusion, (name, json.dumps(fusion))
        assert fusion["deliberated"] and set(fusion["analysis"]) >= {"consensus", "blind_spots"}
        assert [r["model"] for r in fusion["responses"]] == [OPUS, GPT, GEMINI]
        assert said[name]["usage"]["total_tokens"] > 0
    assert said["preset"]["fusion"]["preset"] == "budget"
    assert said["bypassed"]["fusion"]["deliberated"] is False
    texts = {k: v["choices"][0]["message"]["content"] for k, v in said.items() if k != "streamed"}
    assert texts["alias"] == texts["plugin"] == texts["bypassed"] == "By Opus."
    assert texts["tool"] == "By GPT.", "with the tool form the outer model writes"
    assert said["streamed"] == "By Opus."
