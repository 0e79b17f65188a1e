"""A stored site while it is made: what its people ask, and what is left in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from tests.data import cast
from tests.data.asking import PEOPLE, Asking
from tests.stack import ROOT, until

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

NARROW = f"""
from console.models import CatalogModel, Credential
CatalogModel.objects.update_or_create(
    credential=Credential.objects.get(slug="test"), model="narrow",
    defaults={{"context_length": {cast.NARROW_READS}}})
"""
PRICED = f"""
from django.contrib.auth.models import User
from console.models import ApiToken, CatalogModel, Credential, Purse
for model in {cast.PRICED}:
    CatalogModel.objects.update_or_create(
        credential=Credential.objects.get(slug="test"), model=model,
        defaults={{"input_price": 10**9, "output_price": 5 * 10**9}})
bob, day = User.objects.get(username="bob"), {{"period": "day", "limit_nano": 2 * 10**9}}
Purse.objects.create(kind="person", subject=str(bob.pk), **day)
"""
OWN_PRESET = """
from django.contrib.auth.models import User
from console.services.wish import Wish
from console.services.own_presets import own_preset_save
wish = Wish(panel=["test:north", "test:south"], judge="test:judge", criteria="Be fair.")
own_preset_save(owner=User.objects.get(username="alice"), name="Mine", wish=wish)
"""
TEMPLATE = """
from django.contrib.auth.models import User
from console.services.prompts import prompt_save, template_of
alice, text = User.objects.get(username="alice"), "What is the answer to {what}?"
kept = prompt_save(by=alice, name="Answers", text=text.replace("{what}", "{it}"))
kept = prompt_save(by=alice, name="Answers", text=text, template=kept)
print(template_of(kept).key)
"""
PROJECT = """
from django.contrib.auth.models import User
from console.models import Credential, FavouriteModel
from console.services.projects import project_save
alice = User.objects.get(username="alice")
project = project_save(by=alice, name="Cold store", context="It is cold here.")
FavouriteModel.objects.create(person=alice, credential="test", model="north")
print(project.slug)
"""
PROJECT_GONE = """
from console.models import Project
from console.services.projects import project_delete
project_delete(project=Project.objects.get(slug={slug!r}))
"""
# Of each part of an analysis that can be ruled on, in each way.
RULED = {
    "on": 1,
    "rulings": [
        {"claim": "contradictions-1", "verdict": "stance-2", "note": "South was there."},
        {"claim": "consensus-1", "verdict": "right"},
        {"claim": "unique_insights-1", "verdict": "wrong"},
    ],
}

BROUGHT = [
    {"name": "Mine", "content": "What I have to say."},
    {"name": "Theirs", "content": "What they have to say.", "model": "elsewhere-1"},
]


class Making(Asking):
    """The site while it is made."""

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
        self.ruled()
        self.ask("polling", "north", "voter")
        self.ask("writing as ruled", "north", "south", form={"judge": "test:ruler"})
        self.by_programs()
        self.brought()
        self.paid()
        self.looked_up()
        for name in self.runs:
            self.until(name)
        self.imported()
        self.gathered()
        self.kept()

    def cancelled(self) -> None:
        run = self.ask("cancelled", "north", "slow")
        until(lambda: self.upstream.calls_of("slow"))
        self.act("", f"{run}/cancel")

    def ruled(self) -> None:
        """What two readers found best, and what one asks of other fusions."""
        by_ruler = {"judge": "test:ruler", "visibility": "team"}
        run = self.ask("ruled", "north", "south", form=by_ruler)
        self.until("ruled")
        self.again("ruled", facts=["It is winter."], instruction="Be short.", **RULED)
        self.again("ruled", way="best", rulings=[], facts=[])
        self.again("ruled", judge="spare", analysis_only=True)
        form = {"again": "1", "on": "1", "preset": "house", "way": "fuse", "seat": ["0", "1"]}
        self.act("", f"{run}/fuse", form)
        self.until("ruled")
        best = {"best": "B", "note": "Shorter.", "look": "answers", "order": "BA"}
        self.act("", f"{run}/verdict", best)
        self.act("", f"{run}/verdict", {"best": "all_bad"}, by=self.bob)
        run = self.ask("counted", "yes", "yea", "north", form={"judge": "test:ruler"})
        self.until("counted")
        self.again("counted", way="vote")
        self.until("compare first")
        tie = {"best": "tie", "names_shown": False, "order": ["B", "A"]}
        self.post(f"runs/{self.runs['compare first']['run']}/verdict", tie)

    def again(self, name: str, **body: Any) -> None:
        self.post(f"runs/{self.runs[name]['run']}/fusions", body)
        self.until(name)

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

    def brought(self) -> None:
        """Answers from elsewhere, beside models and alone, and a second way on from a question."""
        self.program("brought", panel=["north"], answers=BROUGHT[:1])
        self.program("brought alone", panel=[], answers=BROUGHT, judge="")
        form = {"prompt": "And otherwise, followed on?"}
        self.act("another way on", f"{self.runs['completed']['run']}/follow", form)

    def program(
        self, name: str, *, judge: str = "test:judge", max_cost: float | None = None, **fusion: Any
    ) -> None:
        """Asked for by a program; without a judge, judge and writer are nobody."""
        prompt = f"What is the answer to {name}?"
        wish = fusion | ({"judge": judge} if judge else {})
        body = {"model": "fusion", "prompt": prompt, "fusion": wish, "max_cost": max_cost}
        run = self.post("runs", {k: v for k, v in body.items() if v is not None})
        self.runs[name] = {"run": run["id"], "prompt": prompt}

    def paid(self) -> None:
        """From budgets: all of it, nothing, and by bob, who may spend so much a day."""
        self.stack.shell(PRICED)
        for name, most in (("paid for", 2), ("not paid for", 0.000001)):
            self.program(name, panel=["paid"], judge="test:paid-judge", max_cost=most)
        self.ask("bob's day", "paid", form={"judge": "test:paid-judge"}, by=self.bob)

    def looked_up(self) -> None:
        """On the web, in a file that goes along, and by a preset of alice's own."""
        self.stack.shell(OWN_PRESET)
        key = self.stack.manage("shell", "-v0", "-c", TEMPLATE).stdout.strip()
        blank = {"template": key, "template_version": "2", "blank-what": "a template"}
        self.ask("a template", "north", form=blank)
        self.program("looked up", panel=["north", "south"], web="shared")
        doubtful: dict[str, Any] = {"web": "shared", "web_claims": True, "judge": "test:ruler"}
        self.program("doubts looked up", panel=["north", "south"], **doubtful)
        prompt = "What is the answer to by an own preset?"
        run = self.post("runs", {"model": "fusion/alice-mine", "prompt": prompt})
        self.runs["by an own preset"] = {"run": run["id"], "prompt": prompt}
        prompt = "What is the answer to the file?"
        data = f"data:text/plain;base64,{b64encode(b'A line of the file.').decode()}"
        file = {"type": "file", "file": {"filename": "notes.txt", "file_data": data}}
        said = [{"type": "text", "text": prompt}, file]
        body = {"model": "fusion/house", "messages": [{"role": "user", "content": said}]}
        run = self.post("runs", body)
        self.runs["with a file"] = {"run": run["id"], "prompt": prompt}

    def gathered(self) -> None:
        """In a project, asked again, and a claim that was looked up."""
        slug = self.stack.manage("shell", "-v0", "-c", PROJECT).stdout.strip()
        self.program("in a project", panel=["north"], project=slug)
        completed = self.runs["completed"]
        again = {"prompt": completed["prompt"]}
        self.act("asked again", f"{completed['run']}/again", again)
        self.until("in a project")
        self.until("asked again")
        self.post(f"runs/{completed['run']}/look-ups", {"claim": "consensus-1"})
        self.until("completed")
        gone = PROJECT.replace("Cold store", "Warm store").replace("FavouriteModel.obj", "#")
        slug = self.stack.manage("shell", "-v0", "-c", gone).stdout.strip()
        self.program("of a project that is gone", panel=["north"], project=slug)
        self.until("of a project that is gone")
        self.stack.shell(PROJECT_GONE.format(slug=slug))

    def kept(self) -> None:
        """A name, a tag, a star, what is archived, deleted, and shared without its costs, models
        and question."""
        named = self.runs["degraded"]["run"]
        form = {"title": "A name of its own", "tags": "kept, of the site", "star": "on"}
        self.act("", f"{named}/order", form)
        self.act("", f"{self.runs['failed']['run']}/order", {"archive": "on"})
        hidden = self.runs["ruled"]["run"]
        form = {"visibility": "link", "days": "0", "hides": ["costs", "models", "prompt"]}
        page = self.act("", f"{hidden}/share", form)
        self.facts["hidden_link"] = page.text.split("/fusion/shared/")[1].split('"')[0]
        prompt = "What is the answer to deleted?"
        gone = self.post("runs", {"model": "fusion/house", "prompt": prompt})["id"]
        until(lambda: self.stack.rows(gone)[gone].run["status"] == "completed", 60)
        self.act("", f"{gone}/delete")
        self.facts["deleted"] = {"run": gone, "prompt": prompt}

    def imported(self) -> None:
        """A run that another Fusion wrote to a file, brought in by bob."""
        path = f"/fusion/runs/{self.runs['ruled']['run']}/export?format=json"
        kept = self.alice.http.get(path)
        kept.raise_for_status()
        file = {"file": ("run.json", kept.content, "application/json")}
        page = self.bob.post("/fusion/import", {}, files=file)
        page.raise_for_status()
        run = page.url.path.rsplit("/", 1)[1]
        self.runs["imported"] = {"run": run, "prompt": self.runs["ruled"]["prompt"]}

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
        self.polling()
        self.condensing()
        ruled = self.runs["writing as ruled"]
        ruled["asked"] = {"slow": 1}
        body = {"facts": ["It is winter."], "synthesizer": "slow", **RULED}
        self.post(f"runs/{ruled['run']}/fusions", body)
        self.program("beside brought", panel=["north", "slow"], answers=BROUGHT[:1])
        self.runs["beside brought"] |= {"asked": {"slow": 1} | fused, "then": "completed"}
        panel = ["paid", "paid-slow"]
        self.program("money held", panel=panel, judge="test:paid-judge", max_cost=2)
        self.runs["money held"] |= {"asked": {"paid-slow": 1, "paid-judge": 2}, "then": "completed"}
        stopping = self.ask("stopping", *panel, asked={}, then="cancelled")
        self.evaluation(folder)
        held = {name: run["run"] for name, run in self.runs.items() if run.get("asked")}
        until(lambda: self.is_in_the_middle(held), 60, every=0.1)
        self.stack.kill("worker")
        self.act("", f"{stopping}/cancel")
        self.handed_on()
        self.ask("queued", "north", "south", asked={"north": 1, "south": 1, **fused})

    def is_in_the_middle(self, held: dict[str, str]) -> bool:
        """And of those that write a text that is read as it comes, some of it is saved."""
        rows = self.stack.rows(*held.values())
        last = {name: rows[run].calls[-1] for name, run in held.items()}
        unread = {"analysis": "analysis", "polling": "poll", "condensing": "condense"}
        writing = ("synthesis", "synthesis, log lost", "fused twice", "writing as ruled")
        steps = unread | dict.fromkeys(writing, "synthesis")
        there = all(last[n]["step"] == s and last[n]["sent_at"] for n, s in steps.items())
        read = [run for name, run in held.items() if name not in unread]
        return there and all(any(map(_is_written, rows[run].calls)) for run in read)

    def polling(self) -> None:
        """North has voted."""
        polled = self.runs["polling"]
        polled["asked"] = {"voter": 1}
        self.act("", f"{polled['run']}/fusions/1/poll")

    def condensing(self) -> None:
        """Both of two answers, for a judge who reads little at once."""
        self.stack.shell(NARROW)
        asked = {"narrow": 4}
        self.ask("condensing", "wordy", "wordy", form={"judge": "test:narrow"}, asked=asked)

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

    def found(self) -> dict[str, Any]:
        """What readers found best of her runs and asked of their fusions, as alice's program is
        told it."""
        told = {}
        for name, run in self.runs.items():
            if run["owner"] == "alice":
                read = self.get(f"runs/{run['run']}")
                wishes = {f["number"]: f["wish"] for f in read["fusions"] if f["wish"]}
                if wishes or read["verdicts"]:
                    told[name] = {"wishes": wishes, "verdicts": read["verdicts"]}
        return told

    def receipts(self) -> dict[str, Any]:
        """Of runs with a budget that have ended, as alice's program is told them."""
        runs = {name: self.runs[name]["run"] for name in ("paid for", "not paid for")}
        return {name: self.get(f"runs/{run}/receipt") for name, run in runs.items()}

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
