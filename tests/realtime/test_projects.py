"""A project's context and budget, by a real worker."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.engine.pool import NotRead, SearchHits
from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.engine.usage import Price
from console.models import Credential, Hold, ProjectFile, Run, SourceText, Window
from console.money.asking import Payer
from console.research.researcher import SiteResearcher
from console.services import runs as services
from console.services.attaching import file_bring
from console.services.follow import run_follow
from console.services.project_files import project_file_add
from console.services.projects import project_save
from console.worker.research import RunResearcher
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT
from tests.realtime.test_run_way import rows
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

CONTEXT = "We bill 40,000 customers."
PRICE = Price(Decimal(1), Decimal(10), Decimal("0.1"))


def spec(*models: str) -> Spec:
    asked = [Panelist(m, "test", price=PRICE, max_output_tokens=1_000) for m in models]
    return Spec(
        panel=tuple(asked),
        judge=Panelist("judge", "test", price=PRICE),
        prompts=prompts.load(),
        policy=PATIENT,
    )


def start(owner: User, **more: object) -> Run:
    return services.run_start(owner=owner, prompt="Move it?", spec=spec("a", "b"), **more)  # type: ignore[arg-type]


def test_panel_judge_and_writer_read_its_context_and_a_follow_up_that_of_today(
    worker: Worker, upstream: Upstream, credential: Credential, alice: User
) -> None:
    upstream.script("judge", Script(text="Fused."))
    project = project_save(by=alice, name="Billing", context=CONTEXT)
    run = start(alice, project=project)
    project_save(by=alice, name="Billing", context="We bill nobody.", project=project)
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    for model in ("a", "b"):
        [call] = upstream.calls_of(model)
        assert call.body["messages"][0] == {"role": "system", "content": CONTEXT}
    judged, written = (str(call.body) for call in upstream.calls_of("judge"))
    assert CONTEXT in judged and CONTEXT in written
    run.refresh_from_db()
    after = run_follow(run=run, owner=alice, prompt="And then?")
    assert (after.project, after.context) == (project, "We bill nobody.")
    carry_out(worker, str(after.pk))
    said = [m["content"] for m in upstream.calls_of("a")[-1].body["messages"]]
    assert said == ["We bill nobody.", "Move it?", "Fused.", "And then?"]


def test_its_budget_pays_for_its_runs_alone(
    worker: Worker, upstream: Upstream, credential: Credential, alice: User
) -> None:
    project = project_save(by=alice, name="Billing", per_day=Decimal(5))
    other = project_save(by=alice, name="Other", per_day=Decimal("0.000001"))
    run = start(alice, project=project)
    carry_out(worker, str(run.pk))
    spent = int((rows(run).cost()[0] or 0) * 10**9)
    window = Window.objects.get(purse__kind="project")
    assert (window.spent_nano, window.held_nano) == (spent, 0) and spent > 0
    without = start(alice)
    carry_out(worker, str(without.pk))
    held = Hold.objects.filter(run=without).values_list("windows", flat=True)
    assert window.pk not in [pk for windows in held for pk in windows]
    refused = start(alice, project=other)
    carry_out(worker, str(refused.pk))
    assert "The project's budget of" in rows(refused).calls["panel-0-1"].error


def test_its_files_are_looked_up_and_cited_without_any_engine(
    worker: Worker,
    upstream: Upstream,
    credential: Credential,
    alice: User,
    settings: Any,
    tmp_path: Any,
) -> None:
    settings.FILES_DIR, settings.SEARCH_ENGINES = str(tmp_path), {}
    settings.BASE_URL = "https://fusion.example"
    queries = Script(text=json.dumps({"queries": ["reminder cost"]}))
    upstream.script(
        "judge", lambda body: replace(Script(text="“five euros” [1]."), judge=queries)
        if "search queries" in str(body) else Script(text="It costs “five euros” [1].")
    )  # fmt: skip
    upstream.script("a", Script(text="“A reminder costs five euros” [1], “nothing” [1]."))
    project = project_save(by=alice, name="Billing")
    pages = "Invoices are blue.\n" * 300 + "A reminder costs five euros.\n"
    for name, text in (("rules.txt", pages), ("menu.txt", "On Monday there is soup.")):
        brought = file_bring(name=name, data=text.encode())
        project_file_add(project=project, file=brought, by=alice)
    run = start(alice, project=project)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, state.error) == ("completed", "")
    [source] = state.research["sources"]
    file = ProjectFile.objects.get(name="rules.txt")
    assert source["url"] == f"https://fusion.example/fusion/projects/billing/files/{file.pk}"
    assert source["title"].startswith("rules.txt") and source["number"] == 1
    assert "five euros" in SourceText.objects.get(run=run).text
    told = str(upstream.calls_of("a")[0].body)
    assert "SOURCE 1" in told and "A reminder costs five euros." in told and "soup" not in told
    [cited] = state.calls["panel-0-1"].citations
    assert (cited["found"], cited["missing"]) == ("1 of 2", "nothing")


async def test_files_and_the_web_are_read_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def db(work: Any, *args: Any) -> Any:
        names = ("one", "two", "three")
        return [{"url": f"http://here.example/{name}", "title": name} for name in names]

    async def search(self: Any, query: str, count: int) -> SearchHits:
        return SearchHits([{"url": "http://web.example/", "title": "web"}])

    monkeypatch.setattr(SiteResearcher, "search", search)
    payer = Payer(1, None, None, 7)
    found = await RunResearcher(payer, 1, db, web=True).search("why", 8)
    assert [one["title"] for one in found.hits] == ["one", "web", "two", "three"]
    gone = RunResearcher(payer, 1, lambda *_: asyncio.sleep(0, {}), web=False)
    with pytest.raises(NotRead, match="not there any more"):
        await gone.read("http://here.example/one")
