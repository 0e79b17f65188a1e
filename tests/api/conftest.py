"""The whole stack, asked as programs ask it; the models are the scripted upstream's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import openai
import pytest

from fusion_site.programs import WEB
from tests.door import Door
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream
from tests.upstream.server import Choice

MAKE_PEOPLE = """
from django.contrib.auth.models import User
from console.models import Credential, Preset
for name in ("alice", "bob"):
    User.objects.create_user(name)
Credential.objects.create(
    slug="twin", name="Twin", kind="openai_compatible", base_url={twin!r}, enabled=False)
router = Credential.objects.get(slug="openrouter")
dead = Preset.objects.create(
    slug="dead", name="Dead", judge_model="j",
    judge_credential=Credential.objects.get(slug="ollama"))
dead.panelists.create(seat=0, model="a", credential=router)
off = Preset.objects.create(
    slug="off", name="Off", enabled=False, judge_model="j", judge_credential=router)
"""
GOING_ON = """
from console.models import Run
print(Run.objects.filter(status__in=["queued", "running"]).count())
"""
APP = "https://app.example.org"
OPUS, GPT, GEMINI = (
    "~anthropic/claude-opus-latest",
    "~openai/gpt-latest",
    "~google/gemini-pro-latest",
)


@dataclass
class Api:
    """A running stack with its upstream, and a token of alice's. `at`: another of its web
    servers."""

    stack: Stack
    upstream: Upstream
    key: str
    at: str = ""

    def script(self, model: str, *choices: Choice) -> None:
        self.upstream.script(model, *choices)

    @property
    def url(self) -> str:
        return f"{self.at or self.stack.url}/v1"

    @contextmanager
    def another_web(self, **env: str) -> Iterator[Api]:
        """The same site by a further web server, of other settings."""
        with Door() as door:
            at = f"http://127.0.0.1:{door.port}"
            name = f"web-{door.port}"
            self.stack.serve(name, door, *WEB, **env)
            try:
                until(lambda: httpx.get(f"{at}/readyz", timeout=PATIENCE).status_code == 200)
                yield replace(self, at=at)
            finally:
                self.stack.kill(name)

    def token(self, *options: str, user: str = "alice") -> str:
        return self.stack.token(user, *options)

    def client(self, key: str = "", **options: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, api_key=key or self.key, **options)

    def post(self, path: str = "/chat/completions", **kw: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | kw.pop("headers", {})
        return httpx.post(self.url + path, headers=headers, timeout=60, **kw)

    def get(self, path: str, key: str = "", **kw: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.get(self.url + path, headers=headers, timeout=60, **kw)

    def lose_log(self, run_id: str) -> bool:
        return bool(self.stack.valkey.do("DEL", self.log_of(run_id)) == 1)

    def log_of(self, run_id: str) -> str:
        return f"fusion:run:{run_id}:log:2"

    def shell(self, code: str) -> Any:
        """What `code` leaves in `said`, through JSON."""
        return json.loads(self.stack.shell(f"import json\n{code}\nprint(json.dumps(said))"))


def listed() -> Script:
    """As OpenRouter lists its models."""
    rows: list[dict[str, Any]] = [
        {
            "id": name,
            "name": name,
            "context_length": 100_000 * (n + 1),
            "pricing": {"prompt": "0.000001", "completion": "0.000002"},
        }
        for n, name in enumerate([OPUS, GPT, GEMINI, "good", "writer", "outer", "echo"])
    ]
    for model in ("~google/gemini-flash-latest", "fault-401", "fault-429", "nobody-listed"):
        rows.append({"id": model})
    return Script(body=json.dumps({"data": rows}))


@pytest.fixture(scope="package")
def api() -> Iterator[Api]:
    """OpenRouter is the upstream: the Quality preset is the default one."""
    with Upstream() as upstream:
        # Before anybody asks for it: the worker reads lists when it begins.
        upstream.script("/v1/models", listed())
        upstream.keep()
        with Stack(
            OPENROUTER_API_KEY="sk-or-scripted-upstream",
            OPENROUTER_BASE_URL=upstream.url,
            FUSION_STALL_TIMEOUT="15",
            FUSION_PERMISSION_SECONDS="1",
            FUSION_SAME_FAILURE_SECONDS="0",  # what one test let fail, the next may ask
        ) as stack:
            stack.shell(MAKE_PEOPLE.format(twin=upstream.url))
            key = stack.token("alice", "--requests-per-minute", "0")
            yield Api(stack, upstream, key)


@pytest.fixture(autouse=True)
def runs_have_ended(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test began and did not wait for asks no model while the next one counts who did."""
    yield
    if "api" in request.fixturenames:
        api: Api = request.getfixturevalue("api")
        api.upstream.release()
        until(lambda: int(api.stack.shell(GOING_ON)) == 0)


@pytest.fixture(scope="package")
def another(api: Api) -> Iterator[Api]:
    """A further web server, of settings that none but their own module notices: a failure stands
    for a minute, an app's page may ask, and who asks by MCP is answered within two seconds."""
    with api.another_web(
        FUSION_SAME_FAILURE_SECONDS="60",
        FUSION_CORS_ORIGINS=f"{APP}/,http://localhost:3000",
        FUSION_MCP_ANSWER_SECONDS="2",
    ) as another:
        yield another


@pytest.fixture
def program(api: Api) -> Iterator[openai.OpenAI]:
    with api.client(max_retries=0) as client:
        yield client


def tool_call(name: str, arguments: str = "{}", number: str = "call_1") -> Script:
    """A model that asks for a tool."""
    deltas: list[dict[str, Any]] = [
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": number,
                    "type": "function",
                    "function": {"name": name, "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]},
    ]
    events: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": d}]} for d in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    events.append({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})
    lines = [b"data: " + json.dumps(e).encode() + b"\n\n" for e in events]
    return Script(raw=[*lines, b"data: [DONE]\n\n"])
