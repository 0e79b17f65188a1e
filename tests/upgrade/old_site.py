"""A stored site, opened with the code of today: its rows in a database of its own, migrated, its
logs in a Valkey of its own, web server and worker as processes.

All that these tests reach of the product they reach by address, command or process; what they
import is the tests' own.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.data import cast
from tests.data.stored import StoredSite
from tests.live.member import Member, View
from tests.stack import Stack, until
from tests.upstream import Upstream

ENDED = ("completed", "failed", "cancelled")


WITHOUT_LIMIT = """
from console.models import ApiToken
ApiToken.objects.update(requests_per_minute=None)
"""


class OldSite(Stack):
    """Nobody works on its runs until `start_worker`."""

    def __init__(self, stored: StoredSite, upstream: Upstream, *, postgres: bool) -> None:
        super().__init__(
            FUSION_LEASE_SECONDS="3",
            FUSION_HEARTBEAT_SECONDS="0.5",
            FUSION_SWEEP_SECONDS="0.2",
            **stored.facts["keys"],
        )
        if not postgres:
            self.database = None
            self.env.pop("DATABASE_URL", None)
        self.stored, self.upstream = stored, upstream
        self.facts, self.runs = stored.facts, stored.facts["runs"]

    def begin(self) -> None:
        cast.speak(self.upstream, slowly=False)
        self.upstream.keep()
        self.valkey.start()
        self.stored.into_redis(self.valkey.url)
        if self.database:
            self.database.make()
            self.stored.into_postgres(self.database.url, self.upstream)
        else:
            self.stored.into_sqlite(self.dir / "fusion.sqlite3", self.upstream)
        self.shell.command("migrate", "-v0")
        # On a quick machine these tests ask more in a minute than that day's token may.
        self.shell(WITHOUT_LIMIT)
        self.start_web()
        until(self.is_served, 40)

    def is_served(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def signed_in(self, name: str) -> Member:
        """By the session of that day, whose cookie the browser still has."""
        member = Member(self)
        member.http.cookies.set("sessionid", self.facts["sessions"][name], domain="127.0.0.1")
        return member

    def id_of(self, name: str) -> str:
        run: str = self.runs[name]["run"]
        return run

    def api(self, method: str, path: str, token: str = "", **kw: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.facts['token']}"}
        headers |= kw.pop("headers", {})
        return httpx.request(method, f"{self.url}/v1{path}", headers=headers, timeout=60, **kw)

    def read(self, name: str) -> dict[str, Any]:
        """A run of alice's, or the team's, as her program reads it."""
        answer = self.api("GET", f"/runs/{self.id_of(name)}")
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def until_over(self, run: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            said: dict[str, Any] = self.api("GET", f"/runs/{run}").json()
            return said if said["status"] in ENDED else None

        ended: dict[str, Any] = until(over, 30)
        return ended

    def asked_for(self, prompt: str) -> Counter[str]:
        """Calls by model, of a run whose prompt nobody else has."""
        calls = (c for c in self.upstream.calls if prompt in json.dumps(c.body["messages"]))
        return Counter(c.model for c in calls)

    def told_for(self, prompt: str) -> str:
        """All that models were told for it."""
        told = (json.dumps(call.body["messages"]) for call in self.upstream.calls)
        return "\n".join(messages for messages in told if prompt in messages)

    def evaluate(self, folder: Path) -> Any:
        """Goes on with the results of that day; the report."""
        facts = self.facts["evaluation"]
        for name in ("tasks.jsonl", "results.jsonl"):
            (folder / name).write_bytes((self.stored.folder / "evaluation" / name).read_bytes())
        self.manage(
            *("evaluate", str(folder / "tasks.jsonl"), "--preset", facts["preset"]),
            *("--grader", facts["grader"], "--out", str(folder / "results.jsonl")),
            *("--json", str(folder / "report.json")),
        )
        return json.loads((folder / "report.json").read_text())


async def watched(member: Member, runs: dict[str, dict[str, Any]]) -> dict[str, View]:
    """What each run's viewer has been shown once all is there that was saved of it."""

    async def watch(run: dict[str, Any]) -> View:
        def all_is_shown(view: View) -> bool:
            shown = " ".join(map(view.text, view.places))
            return bool(view.fragments) and all(t.strip() in shown for t in run["saved"].values())

        view = View()
        async with member.socket(run["run"]) as socket:
            await view.follow(socket, until=all_is_shown)
        return view

    views = await asyncio.gather(*map(watch, runs.values()))
    return dict(zip(runs, views, strict=True))


def admin_pages(ada: Member) -> dict[str, int]:
    """Address -> status: every list of the admin's, and everything in them."""
    lists = _links(ada.http.get("/admin/").text, r"/admin/\w+/\w+/")
    pages: dict[str, int] = {}
    for address in lists:
        page = ada.http.get(address)
        pages[address] = page.status_code
        further = (ada.http.get(f"{address}{n}").text for n in _links(page.text, r"\?p=\d+"))
        text = "".join([page.text, *further])
        for detail in _links(text, rf"{address}[\w-]+/change/"):
            pages[detail] = ada.http.get(detail).status_code
    return pages


def _links(html: str, address: str) -> list[str]:
    return sorted(set(re.findall(rf'href="({address})', html)))
