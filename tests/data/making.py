"""A stored site while it is made: who is there, what they ask, and what is left in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from httpx import Response

from tests.data import cast
from tests.live.member import Member
from tests.stack import ROOT, Stack, until
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
# Charlie has left, what was signed in stays so for long, and nobody holds the runs any more.
CLOSE = """
import json
from datetime import datetime, timezone
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from console.engine.steps import prompts
from console.models import Run
from dataclasses import asdict
User.objects.filter(username="charlie").update(is_active=False)
Session.objects.update(expire_date=datetime(2100, 1, 1, tzinfo=timezone.utc))
long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
Run.objects.filter(status="running").update(lease_until=long_ago)
Run.objects.filter(status="queued").update(rung_at=long_ago)
print(json.dumps(asdict(prompts.load())))
"""


class Making:
    """The site while it is made: `runs` by name, each with what should become of it."""

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

    # ---- runs that have ended

    def ended(self) -> None:
        whole = self.ask("completed", "north", "south", form={"visibility": "team"})
        self.until("completed")
        self.act("followed on", f"{whole}/follow", {"prompt": "And then, followed on?"})
        self.until("followed on")
        own = {"prompt": "And each?", "from": "own"}
        self.act("each its own", f"{whole}/follow", own)
        self.act("", f"{whole}/fusions/1/poll")
        self.ask("degraded", "north", "south", "broken")
        self.ask("no analysis", "north", "south", form={"judge": "test:babbler"})
        self.ask("failed", "broken", "broken")
        self.ask("compare first", "north", "south", form={"stop_after_panel": "on"})
        self.ask("fallback", "north", "broken", form={"seat-1-fallback_model": "test:spare"})
        self.ask("by preset", form={"preset": "house"})
        self.ask("bob's", "north", by=self.bob)
        for name, member in (("shared", self.alice), ("shared by charlie", self.charlie)):
            run = self.ask(name, "north", "south", by=member)
            page = self.act("", f"{run}/share", {"visibility": "link"}, by=member)
            self.runs[name]["link"] = page.text.split("/fusion/shared/")[1].split('"')[0]
        again = self.ask("fused twice", "north", "south")
        self.until("fused twice")
        form = {"judge": "test:babbler", "seat": ["0", "1"], "criteria": "Brevity."}
        self.act("", f"{again}/fuse", form)
        self.until("fused twice")
        self.act("", f"{again}/seats/0/ask", {"model": "test:spare"})
        self.cancelled()
        self.by_programs()
        for name in self.runs:
            self.until(name)

    def cancelled(self) -> None:
        run = self.ask("cancelled", "north", "slow")
        until(lambda: self.upstream.calls_of("slow"))
        self.act("", f"{run}/cancel")

    def by_programs(self) -> None:
        tool = {"type": "function", "function": {"name": "weather", "parameters": {}}}
        told = {"model": "fusion/house", "tools": [tool]}
        prompt = "What is the answer to tools?"
        said = self.post("chat/completions", told | {"messages": [_user(prompt)]})
        assert said["choices"][0]["message"]["tool_calls"], said
        self.runs["tools"] = {"run": said["fusion"]["run_id"], "prompt": prompt}
        prompt = "What is the answer to one key?"
        key = {"Idempotency-Key": "a key of the stored site"}
        body = {"model": "fusion/house", "prompt": prompt}
        self.runs["one key"] = {"run": self.post("runs", body, **key)["id"], "prompt": prompt}
        self.facts["repeated"] = {"headers": key, "body": body}
        prompt = "What is the answer to shell?"
        done = self.stack.manage("fuse", prompt, "--preset", "house", "--json")
        self.runs["shell"] = {"run": json.loads(done.stdout)["id"], "prompt": prompt}

    # ---- runs in the middle

    def middle(self, folder: Path) -> None:
        """Each is held up by one slow model; `asked`: whom a worker that goes on asks."""
        panel = ("north", "slow", "south", "silent")
        fused = {"judge": 2}
        waited = {"slow": 1, "silent": 1}
        everyone = {"policy-quorum": "4"}
        self.ask("panel", *panel, asked=waited | fused, form=everyone)
        compared = everyone | {"stop_after_panel": "on"}
        self.ask("comparing, log lost", *panel, asked=waited, form=compared)
        pair = ("north", "south")
        self.ask("analysis", *pair, form={"judge": "test:slow-judge"}, asked={"slow-judge": 2})
        for name in ("synthesis", "synthesis, log lost"):
            self.ask(name, *pair, form={"synthesizer": "test:slow"}, asked={"slow": 1})
        twice = self.runs["fused twice"]
        twice["asked"] = {"slow": 1}
        form = {"synthesizer": "test:slow", "seat": ["0", "1"]}
        self.act("", f"{twice['run']}/fuse", form)
        stopping = self.ask("stopping", *panel, asked={}, then="cancelled")
        self.evaluation(folder)
        held = {name: run["run"] for name, run in self.runs.items() if run.get("asked")}
        until(lambda: self.is_in_the_middle(held), 60, every=0.1)
        self.stack.kill("worker")
        self.act("", f"{stopping}/cancel")
        self.handed_on()
        self.ask("queued", "north", "south", asked={"north": 1, "south": 1, **fused})

    def is_in_the_middle(self, held: dict[str, str]) -> bool:
        """And of those that write a text, some of it is saved."""
        rows = self.stack.rows(*held.values())
        last = {name: rows[run].calls[-1] for name, run in held.items()}
        steps = {"analysis": "analysis"} | dict.fromkeys(
            ("synthesis", "synthesis, log lost", "fused twice"), "synthesis"
        )
        saved = [any(_is_written(c) for c in rows[run].calls) for run in held.values()]
        there = all(last[n]["step"] == s and last[n]["sent_at"] for n, s in steps.items())
        return there and sum(saved) >= len(held) - 1  # a judge's JSON is not read as it comes

    def handed_on(self) -> None:
        """By a worker that was told to end: queued again, begun already."""
        self.stack.start_worker("next")
        run = self.ask("handed on", "north", "slow", asked={"slow": 1, "judge": 2})
        until(lambda: any(map(_is_written, self.stack.rows(run)[run].calls)), 30)
        self.stack.kill("next", signal.SIGTERM)

    def evaluation(self, folder: Path) -> None:
        """Killed, as its run will be, while the second of its arms is fused."""
        folder.mkdir()
        tasks = folder / "tasks.jsonl"
        tasks.write_text("".join(json.dumps(task) + "\n" for task in cast.TASKS))
        command = ["evaluate", str(tasks), "--preset", "trial", "--grader", "test:grader"]
        command += ["--out", str(folder / "results.jsonl")]
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.stack.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        calls_of = self.upstream.calls_of
        until(lambda: len(calls_of("foreman")) == cast.INTERRUPTED_AT, 60)
        until(lambda: calls_of("foreman")[-1].deltas_sent > 3)
        process.kill()
        process.wait()
        asked = Counter(c.model for c in self.upstream.calls if c.model in cast.WHOLE)
        # What was paid for is not bought again; the call that was interrupted is.
        left = Counter(cast.WHOLE) - asked + Counter({"foreman": 1})
        self.facts["evaluation"] = {
            "preset": "trial",
            "grader": "test:grader",
            "models": list(cast.WHOLE),
            "asked": dict(left),
        }

    # ---- how

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
        headers["Authorization"] = f"Bearer {self.token}"
        answer = self.alice.http.post(f"/v1/{path}", json=body, headers=headers, timeout=60)
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def until(self, name: str) -> None:
        run, ended = self.runs[name]["run"], ("completed", "failed", "cancelled")
        until(lambda: self.stack.rows(run)[run].run["status"] in ended, 60)

    # ---- what is kept

    def logs(self) -> dict[str, list[Any]]:
        """Of runs that have not ended; of some Redis has lost it."""
        rows = self.stack.rows(*(run["run"] for run in self.runs.values()))
        kept: dict[str, list[Any]] = {}
        for name, run in self.runs.items():
            if rows[run["run"]].run["status"] in ("queued", "running") and "lost" not in name:
                for key in self.stack.valkey.do("KEYS", f"*{run['run']}*"):
                    entries = self.stack.valkey.do("XRANGE", key.decode(), "-", "+")
                    kept[key.decode()] = [_entry(*entry) for entry in entries]
        return kept

    def ends(self) -> dict[str, dict[str, Any]]:
        """Every run with its rows' word: whose it is, who may read it, how it stands."""
        rows = self.stack.rows(*(run["run"] for run in self.runs.values()))
        for run in self.runs.values():
            row = rows[run["run"]]
            owner = row.run["owner_id"]
            run |= {
                "owner": PEOPLE[owner - 1] if owner else None,
                "visibility": row.run["visibility"],
                "status": row.run["status"],
                "then": run.get("then", "completed" if "asked" in run else row.run["status"]),
                "saved": {c["key"]: c["text"] for c in row.calls if _is_written(c)},
            }
        return self.runs


def _user(said: str) -> dict[str, str]:
    return {"role": "user", "content": said}


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> list[Any]:
    return [entry_id.decode(), {name.decode(): said.decode() for name, said in fields.items()}]


def _is_written(call: dict[str, Any]) -> bool:
    return call["status"] == "streaming" and "word3 " in call["text"]
