"""What a provider's own search named is read later, by us: it joins the sources with a number, and
what answers quote of it is looked up there."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.engine.spec import Panelist, Spec
from console.engine.steps import prompts
from console.models import Credential, Run
from console.record.pooled import pooled
from console.record.public import run_object
from console.services import runs as services
from console.services.errors import Refused
from console.services.source_reads import source_read
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = pytest.mark.django_db(transaction=True)

SAID = "It is “1,094 km long” [2], “2,000 km at most” [2] and “are wet things” [1]."


@pytest.fixture
def web(settings: Any) -> Iterator[Web]:
    """No search engine: only pages."""
    with Web() as web:
        web.add("/elbe", "Elbe river", "The Elbe is 1,094 km long.", "It rises in the mountains.")
        web.add("/wet", "Wet", "Rivers are wet things.")
        settings.SEARCH_ENGINES, settings.FETCH_ALLOW = {}, [web.place]
        yield web


@pytest.fixture
def answered(
    worker: Worker, credential: Credential, upstream: Upstream, web: Web
) -> Callable[[], Run]:
    def answered() -> Run:
        named = [web.url + "/wet", web.url + "/elbe", web.url + "/away"]
        upstream.script("good", Script(text=SAID, chunk={"citations": named}))
        owner = User.objects.get_or_create(username="alice")[0]
        spec = Spec(
            panel=(Panelist("good", "test"), Panelist("echo", "test")),
            judge=Panelist("judge", "test"),
            prompts=prompts.load(),
            policy=PATIENT,
            stop_after="panel",
        )
        run = services.run_start(owner=owner, prompt="How long is the Elbe?", spec=spec)
        carry_out(worker, str(run.pk))
        return Run.objects.get(pk=run.pk)

    return answered


@pytest.mark.database
def test_it_joins_the_sources_and_each_quote_of_it_is_looked_up_there(
    worker: Worker, upstream: Upstream, web: Web, answered: Callable[[], Run]
) -> None:
    run = answered()
    before = len(upstream.calls)
    assert [one.number for one in pooled(rows(run))] == [None, None, None] and not web.read
    source_read(run=run, url=web.url + "/elbe")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, len(upstream.calls)) == ("completed", before)
    assert (web.asked, web.read) == ([], ["/elbe"])
    assert "wanted" not in state.research
    assert_log_equals_rows(run)
    first, *others = pooled(state)
    assert (first.number, first.title, first.found, first.quotes) == (1, "Elbe river", 1, 2)
    assert first.missing == ["2,000 km at most"]
    assert [call.key for call in first.cited_by] == ["panel-0-1"]
    assert all(one.named_by == [0] and one.may_be_read for one in others)
    object = run_object(run, run.frozen_spec, state).model_dump(mode="json")
    assert object["research"]["sources"][0]["cited_by"] == ["panel-0-1"]
    # Its page marks what is quoted by the number that the answer has for it.
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    html = client.get(f"/fusion/runs/{run.pk}/sources/1").content.decode()
    assert re.findall(r"<mark[^>]*>([^<]*)", html) == ["1,094 km long"]


def test_one_that_cannot_be_read_says_why_and_is_tried_again(
    worker: Worker, web: Web, answered: Callable[[], Run]
) -> None:
    run, url = answered(), web.url + "/away"
    for _ in range(2):
        source_read(run=run, url=url)
        carry_out(worker, str(run.pk))
        one = next(one for one in pooled(rows(run)) if one.url == url)
        assert one.failure and one.may_be_read
    web.add("/away", "Away", "It is here by now.")
    source_read(run=run, url=url)
    carry_out(worker, str(run.pk))
    assert pooled(rows(run))[0].url == url


def test_what_is_quoted_of_one_that_leads_to_a_known_source_is_looked_up_there(
    worker: Worker, web: Web, answered: Callable[[], Run]
) -> None:
    """Of “1,094 km long” [2] and “2,000 km at most” [2], and of “are wet things” [1]."""
    web.moved["/away"] = "/wet"
    web.moved["/elbe"] = "/wet"
    run = answered()
    for path in ("/wet", "/elbe", "/away"):
        source_read(run=run, url=web.url + path)
        carry_out(worker, str(run.pk))
    state = rows(run)
    first, *others = pooled(state)
    assert (first.number, first.found, first.quotes) == (1, 1, 3)
    assert first.missing == ["1,094 km long", "2,000 km at most"]
    assert [call.key for call in first.cited_by] == ["panel-0-1"]
    assert [one.failure for one in others] == ["It leads to source 1."] * 2
    assert not any(one.may_be_read or one.named_by for one in others)
    assert_log_equals_rows(run)
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    html = client.get(f"/fusion/runs/{run.pk}/sources/1").content.decode()
    assert re.findall(r"<mark[^>]*>([^<]*)", html) == ["are wet things"]
    assert "Not found here: “1,094 km long”" in html
    assert client.get(f"/fusion/runs/{run.pk}/export?format=json").status_code == 200


def test_what_nobody_named_is_not_asked_for(web: Web, answered: Callable[[], Run]) -> None:
    run = answered()
    for url in (web.url + "/other", "", "http://127.0.0.1/", "file:///etc/passwd"):
        with pytest.raises(Refused, match="No provider has named"):
            source_read(run=run, url=url)
    run.refresh_from_db()
    assert (run.status, run.research, web.read) == ("completed", {}, [])


def test_a_worker_that_takes_over_reads_what_was_not_read_yet(
    worker: Worker, web: Web, answered: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = answered()
    source_read(run=run, url=web.url + "/wet")
    is_asked: list[str] = []

    async def silent(self: Any, url: str) -> Any:
        is_asked.append(url)
        await asyncio.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr("console.worker.research.RunResearcher.read", silent)
        thread = in_background(worker, run)
        wait_for(lambda: bool(is_asked))
        time.sleep(0.1)
        worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "lost")
        thread.join(60)
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
    assert len(rows(run).research["wanted"]) == 1
    carry_out(worker, str(run.pk))
    first = pooled(rows(run))[0]
    assert (first.number, first.found, first.quotes) == (1, 1, 1)
    assert_log_equals_rows(run)


def test_only_its_owner_is_offered_to_have_it_read(web: Web, answered: Callable[[], Run]) -> None:
    run = answered()
    Run.objects.filter(pk=run.pk).update(visibility="team")
    bob = User.objects.create_user("bob", is_staff=True)
    seen = {}
    for user in (User.objects.get(username="alice"), bob):
        client = Client()
        client.force_login(user)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        posted = client.post(f"/fusion/runs/{run.pk}/sources/read", {"url": web.url + "/elbe"})
        seen[user.username] = (html.count(">Read it</button>"), posted.status_code)
    assert seen == {"alice": (3, 302), "bob": (0, 404)}
    run.refresh_from_db()
    assert run.status == "queued" and len(run.research["wanted"]) == 1
