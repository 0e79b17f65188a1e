"""The site that the programs talk to, and the models behind it.

Panel and judge are scripted; the writer does what an agent's model would: it answers in JSON
where a schema is asked for, calls a tool as often as the prompt says, and says what it was
told at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.api.conftest import tool_call
from tests.stack import Stack
from tests.upstream import Script, Upstream

ANSWER = "The panel says hello."
WEATHER = "It is 7 degrees in Oslo."
SILENCE = 65.0  # seconds: longer than clients of MCP wait
JUDGE = {
    "consensus": [{"claim": "This is the scripted answer.", "seats": ["A", "B"], "quotes": []}],
    "contradictions": [],
    "partial_coverage": [],
    "unique_insights": [],
    "blind_spots": [],
}

PEOPLE = """
from django.contrib.auth.models import User
from console.models import CatalogModel, Credential, Preset
User.objects.create_user("alice")
at = Credential.objects.get(slug="openrouter")
for slug, seats, judge in {presets!r}:
    preset = Preset.objects.create(slug=slug, name=slug.title(), judge_model=judge,
        judge_credential=at, synthesizer_model="writer", synthesizer_credential=at, retries=0)
    for number, model in enumerate(seats):
        preset.panelists.create(seat=number, model=model, credential=at)
Preset.objects.filter(slug="quality").delete()
for model, inputs in (("alpha", ["text", "image", "file"]), ("beta", ["text"])):
    CatalogModel.objects.update_or_create(
        credential=at, model=model, defaults=dict(inputs=inputs))
"""
PRESETS = [
    ("good", ["alpha", "beta"], "judge"),
    ("degraded", ["alpha", "beta", "fault-401"], "judge"),
    ("failing", ["fault-401", "fault-500"], "judge"),
    ("silent", ["alpha", "beta"], "slow-judge"),
]


@dataclass
class House:
    stack: Stack
    upstream: Upstream

    @property
    def url(self) -> str:
        return f"{self.stack.url}/v1"

    @cached_property
    def key(self) -> str:
        options = ("--requests-per-minute", "0")
        return self.stack.token("alice", *options)

    def make_default(self, slug: str) -> None:
        """What `openrouter/fusion` stands for, which names no preset."""
        # Starting Django for this would take longer than most programs.
        with sqlite3.connect(self.stack.dir / "fusion.sqlite3", timeout=60) as database:
            database.execute("UPDATE console_preset SET position = 100")
            database.execute("UPDATE console_preset SET position = 0 WHERE slug = ?", [slug])

    def calls_to(self, *models: str) -> int:
        return sum(call.model in models for call in self.upstream.calls)


@contextmanager
def house() -> Iterator[House]:
    with (
        Upstream() as upstream,
        Stack(
            OPENROUTER_API_KEY="sk-or-scripted-upstream",
            OPENROUTER_BASE_URL=upstream.url,
        ) as stack,
    ):
        listed = [*{seat for _, seats, _ in PRESETS for seat in seats}, "writer", "judge"]
        takes = {"alpha": ["text", "image", "file"], "beta": ["text"]}
        rows = [
            {
                "id": name,
                "context_length": 200_000,
                "architecture": {"input_modalities": takes.get(name, ["text", "image"])},
            }
            for name in listed
        ]
        upstream.script("/v1/models", Script(body=json.dumps({"data": rows})))
        upstream.script("judge", Script(text=json.dumps(JUDGE)))
        upstream.script("slow-judge", Script(text=json.dumps(JUDGE), first_token_after=SILENCE))
        upstream.script("writer", _written)
        upstream.keep()
        stack.shell(PEOPLE.format(presets=PRESETS))
        yield House(stack, upstream)


def _written(body: dict[str, Any]) -> Script:
    messages = body["messages"]
    whole = json.dumps([m for m in messages if m.get("role") == "user"])
    wanted = 5 if "five times" in whole else 1
    results = [m for m in messages if m.get("role") == "tool"]
    tools = {
        t["function"]["name"]: t["function"] for t in body.get("tools") or [] if "function" in t
    }
    if "get_weather" in tools and len(results) < wanted:
        place = json.dumps({"city": "Oslo"})
        return tool_call("get_weather", place, f"call_{len(results) + 1}")
    if (shell := _shell(tools)) and "use the shell" in whole and len(results) < wanted:
        return tool_call(*shell, f"call_{len(results) + 1}")
    if schema := _schema(body):
        told = {name: _value(name) for name in schema["properties"]}
        return Script(judge=Script(text=json.dumps(told)))
    if tools and "final" in (last := list(tools)[-1]):
        return tool_call(last, json.dumps({"city": "Oslo", "degrees": 7}))
    return Script(text=WEATHER if results else ANSWER)


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted = body.get("response_format") or {}
    return (wanted.get("json_schema") or {}).get("schema")


def _value(name: str) -> Any:
    return 7 if name == "degrees" else "Oslo"


def _shell(tools: dict[str, Any]) -> tuple[str, str] | None:
    """How an agent's own shell is called, whatever it is named."""
    for name, tool in tools.items():
        fields = (tool.get("parameters") or {}).get("properties", {})
        if name in ("shell", "shell_command", "exec_command", "bash", "Bash", "run_command"):
            key = next((k for k in ("cmd", "command") if k in fields), "command")
            is_list = fields.get(key, {}).get("type") == "array"
            command: Any = ["echo", "hello"] if is_list else "echo hello"
            more = {"description": "says hello"} if "description" in fields else {}
            return name, json.dumps({key: command, **more})
    return None
