"""Who is there in a stored site, and how they ask, on the page and by the API."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from httpx import Response

from tests.live.member import Member
from tests.stack import Stack, until
from tests.upstream import Upstream

PASSWORD = "a password of the stored site"
PROVIDER_KEY = "sk-of-the-stored-site-0123456789"
KEYS = {
    "SECRET_KEY": "of-the-stored-site-and-no-secret-" + "x" * 40,
    "FUSION_ENCRYPTION_KEYS": urlsafe_b64encode(b"of the stored site, no secret!!!").decode(),
}
PEOPLE = ("alice", "bob", "charlie", "ada")

# What is done where no page can do it, by the code of today.
FILL = f"""
from django.contrib.auth.models import User
from console.models import Credential, Preset, PresetPanelist
from console.providers.secret import Secret
for name in ("alice", "bob", "charlie"):
    User.objects.create_user(name, password={PASSWORD!r})
User.objects.create_superuser("ada", password={PASSWORD!r})
test = Credential.objects.create(
    slug="test", name="Test", kind="openai_compatible", base_url={{url!r}}, max_concurrent=30,
    secret=Secret({PROVIDER_KEY!r}))
house = Preset.objects.create(
    slug="house", name="House", judge_model="judge", judge_credential=test,
    judge_fallback_model="spare", judge_fallback_credential=test, criteria="Weigh legal risk.",
    quorum=2, grace=3.5, retries=1, max_calls=50, analysis_max_output_tokens=2000)
for seat, model in enumerate(["north", "south"]):
    PresetPanelist.objects.create(
        preset=house, seat=seat, model=model, credential=test, label=f"seat {{{{seat}}}}",
        temperature=0.5, max_output_tokens=700, reasoning_effort="low",
        system_prompt="Be brief.", fallback_model="spare")
trial = Preset.objects.create(
    slug="trial", name="Trial", judge_model="foreman", judge_credential=test)
for seat, model in enumerate(["alpha", "beta"]):
    PresetPanelist.objects.create(preset=trial, seat=seat, model=model, credential=test)
"""


class Asking:
    """`runs` by name, each with what should become of it."""

    def __init__(self, stack: Stack, upstream: Upstream) -> None:
        self.stack, self.upstream = stack, upstream
        self.runs: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}

    def people(self) -> None:
        self.stack.manage("shell", "-v0", "-c", FILL.format(url=self.upstream.url))
        members = {name: Member(self.stack, name, PASSWORD) for name in PEOPLE}
        self.alice, self.bob, self.charlie = (members[n] for n in ("alice", "bob", "charlie"))
        token = self.stack.manage("create_token", "alice", "--expires-days", "0")
        self.token = token.stdout.strip()
        self.facts |= {
            "keys": KEYS,
            "password": PASSWORD,
            "provider_key": PROVIDER_KEY,
            "token": self.token,
            "sessions": {name: m.http.cookies["sessionid"] for name, m in members.items()},
        }

    def ask(
        self,
        name: str,
        *panel: str,
        by: Member | None = None,
        asked: dict[str, int] | None = None,
        then: str = "completed",
        form: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        prompt = f"What is the answer to {name}?"
        said = {"judge": "test:judge", "prompt": prompt, **form}
        run = (by or self.alice).ask(*(f"test:{model}" for model in panel), **said)
        self.runs[name] = {"run": run, "prompt": prompt}
        if asked is not None:
            self.runs[name] |= {"asked": asked, "then": then}
        return run

    def act(
        self,
        name: str,
        path: str,
        form: Mapping[str, Any] = MappingProxyType({}),
        *,
        by: Member | None = None,
    ) -> Response:
        """On a run's page; what leads to another run names it."""
        path = f"/fusion/runs/{path}"
        run_page = "/".join(path.split("/")[:4])
        page = (by or self.alice).post(path, dict(form), token_from=run_page)
        page.raise_for_status()
        if name:
            run = page.url.path.rsplit("/", 1)[1]
            self.runs[name] = {"run": run, "prompt": form["prompt"]}
        return page

    def post(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        return self._program("POST", path, json=body, headers=headers)

    def get(self, path: str) -> dict[str, Any]:
        return self._program("GET", path, headers={})

    def _program(
        self, method: str, path: str, *, headers: dict[str, str], **how: Any
    ) -> dict[str, Any]:
        headers = headers | {"Authorization": f"Bearer {self.token}"}
        answer = self.alice.http.request(method, f"/v1/{path}", headers=headers, timeout=60, **how)
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def until(self, name: str) -> None:
        run, ended = self.runs[name]["run"], ("completed", "failed", "cancelled")
        until(lambda: self.stack.rows(run)[run].run["status"] in ended, 60)
