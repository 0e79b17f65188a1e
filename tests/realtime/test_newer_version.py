"""A run that a newer version wrote: left to workers that can read it, and open to read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.engine import spec_versions as specs
from console.engine.errors import SENTENCES, Reason
from console.engine.spec import Research
from console.live.watch import _note
from console.mcp.asking import find
from console.mcp.callers import Shell
from console.models import Run
from console.services import tokens
from console.services.errors import Refused
from console.services.links import run_share
from console.services.runs import run_cancel
from console.worker.leases import LEFT_TO_NEWER_SECONDS, MAX_ATTEMPTS, claim
from console.worker.upkeep import RING_AGAIN_SECONDS, left_behind
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import StartRun
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = SENTENCES[Reason.NEEDS_NEWER_VERSION]


@pytest.fixture
def newer(start: StartRun) -> Run:
    run = start("good", "echo", judge="good")
    run.spec = run.spec | {"v": specs.VERSION + 1}
    run.save(update_fields=["spec"])
    return run


@pytest.fixture
def owner(newer: Run) -> Client:
    client = Client()
    assert newer.owner
    client.force_login(newer.owner)
    return client


def at(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specs, "VERSION", specs.VERSION + 1)


def test_an_older_worker_asks_nobody_and_a_newer_one_carries_it_out(
    worker: Worker, upstream: Upstream, newer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2 * MAX_ATTEMPTS):
        carry_out(worker, str(newer.pk))
    run = at(newer)
    assert (run.status, run.attempt, run.lease_until) == ("queued", 0, None)
    assert (run.reason, run.error) == ("needs_newer_version", SENTENCE)
    assert _note(run).startswith(SENTENCE) and not upstream.calls
    upgrade(monkeypatch)
    carry_out(worker, str(newer.pk))
    run = at(newer)
    assert (run.status, run.attempt, run.reason, run.error) == ("completed", 1, "", "")


def test_it_is_not_rung_for_again_at_once_and_takes_no_room_from_others(
    worker: Worker, newer: Run, start: StartRun
) -> None:
    carry_out(worker, str(newer.pk))
    other = start("good")
    Run.objects.filter(pk=other.pk).update(rung_at=None)
    assert left_behind(rings=1) == [] and left_behind() == [other.pk]
    rung_at = at(newer).rung_at
    assert rung_at
    earlier = rung_at - timedelta(seconds=LEFT_TO_NEWER_SECONDS + RING_AGAIN_SECONDS + 1)
    Run.objects.filter(pk=newer.pk).update(rung_at=earlier)
    assert left_behind() == [newer.pk]


def test_one_whose_worker_was_lost_is_not_said_to_have_been_handed_on(
    worker: Worker, newer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"status": "running", "attempt": MAX_ATTEMPTS - 1}
    lost["lease_until"] = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=newer.pk).update(**lost)
    for _ in range(MAX_ATTEMPTS):
        carry_out(worker, str(newer.pk))
    run = at(newer)
    assert (run.status, run.attempt, run.lease_until) == ("queued", MAX_ATTEMPTS - 1, None)
    upgrade(monkeypatch)
    claimed = claim(str(newer.pk))
    assert claimed
    run, state, handed_on = claimed
    assert (run.attempt, state.reason, handed_on) == (MAX_ATTEMPTS, "", False)


def test_it_is_stopped_like_any_other(worker: Worker, newer: Run) -> None:
    Run.objects.filter(pk=newer.pk).update(attempt=1)
    carry_out(worker, str(newer.pk))
    run_cancel(run=at(newer))
    assert left_behind() == [newer.pk]
    carry_out(worker, str(newer.pk))
    assert at(newer).status == "cancelled"


def test_its_pages_open_and_say_what_it_waits_for(
    worker: Worker, newer: Run, owner: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(worker, str(newer.pk))
    path = f"/fusion/runs/{newer.pk}"
    page = owner.get(path).content.decode()
    assert newer.prompt in page and SENTENCE in page and "Stop" in page
    assert owner.get("/fusion/runs").status_code == owner.get("/fusion").status_code == 200
    admin = Client()
    admin.force_login(ada)
    # Of a run that is not theirs to read admins see how it stands.
    seen = admin.get(f"/admin/console/run/{newer.pk}/change/").content.decode()
    assert Reason.NEEDS_NEWER_VERSION in seen and newer.prompt not in seen
    run = at(newer)
    assert run.owner
    token = run_share(run=run, visibility="link", by=run.owner)
    shared = Client().get(f"/fusion/shared/{token}")
    assert shared.status_code == 200 and SENTENCE in shared.content.decode()
    assert "Stop" not in shared.content.decode()
    for status, acts in {
        "queued": ("fuse-now", "seats/0/stop"),
        "completed": ("fuse", "follow", "seats", "seats/0/ask"),
    }.items():
        Run.objects.filter(pk=newer.pk).update(status=status)
        for act in acts:
            refused = owner.post(f"{path}/{act}", {"prompt": "On?", "model": "test:good"})
            assert refused.status_code == 422 and SENTENCE in refused.content.decode(), act
    ended = owner.get(path).content.decode()
    assert SENTENCE in ended and "waits" not in ended and "Stop" not in ended
    # Where the page is of the newer version already, and only the workers are not.
    Run.objects.filter(pk=newer.pk).update(status="queued")
    upgrade(monkeypatch)
    assert "It waits for one" in owner.get(path).content.decode()


def test_programs_are_told_so_in_plain_words(
    worker: Worker, newer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert newer.owner
    _, key = tokens.token_create(owner=newer.owner, name="A program", requests_per_minute=None)
    client = Client(headers={"Authorization": f"Bearer {key}"})
    carry_out(worker, str(newer.pk))
    refused = client.get(f"/v1/runs/{newer.pk}")
    assert refused.status_code == 501 and refused.headers["x-should-retry"] == "false"
    assert refused.json()["error"]["code"] == "needs_newer_version"
    assert refused.json()["error"]["message"] == SENTENCE
    (row,) = client.get("/v1/runs").json()["data"]
    assert (row["id"], row["status"]) == (str(newer.pk), "queued")
    with pytest.raises(Refused, match="newer version"):
        find(Shell(newer.owner), str(newer.pk))
    upgrade(monkeypatch)
    run = client.get(f"/v1/runs/{newer.pk}").json()
    assert run["status"] == "queued" and run["error"]["code"] == "needs_newer_version"


def test_one_that_no_version_can_read_ends_at_once_and_its_page_opens(
    worker: Worker, upstream: Upstream, newer: Run, owner: Client
) -> None:
    Run.objects.filter(pk=newer.pk).update(spec=newer.spec | {"v": specs.VERSION, "surprise": 1})
    carry_out(worker, str(newer.pk))
    run = at(newer)
    assert (run.status, run.reason) == ("failed", "internal") and not upstream.calls
    assert run.error == "What it was to ask cannot be read."
    page = owner.get(f"/fusion/runs/{run.pk}")
    assert page.status_code == 200 and "A Spec has no surprise." in page.content.decode()
    with pytest.raises(Refused):
        find(Shell(), str(run.pk))


def test_a_call_of_a_step_that_is_not_known_is_left_out_wherever_its_run_is_read(
    worker: Worker, start: StartRun
) -> None:
    run = start("good", "echo", judge="good")
    carry_out(worker, str(run.pk))
    run.calls.create(key="dream-f1-1", step="dream", number=1, cause="first", panelist={},
                     status="completed", fusion=run.fusions.get())  # fmt: skip
    assert run.owner
    owner = Client()
    owner.force_login(run.owner)
    page = f"/fusion/runs/{run.pk}"
    for address in ("", "/receipt.csv", "/export?format=md", "/export?format=json", "/compare"):
        assert owner.get(page + address).status_code == 200, address
    _, key = tokens.token_create(owner=run.owner, name="A program", requests_per_minute=None)
    program = Client(headers={"Authorization": f"Bearer {key}"})
    for address in ("", "/receipt"):
        assert program.get(f"/v1/runs/{run.pk}{address}").status_code == 200, address
    steps = {call["step"] for call in program.get(f"/v1/runs/{run.pk}").json()["calls"]}
    assert steps == {"panel", "analysis", "synthesis"}


@pytest.mark.parametrize("what", ["step", "judge", "way", "way of a fusion"])
def test_a_run_with_what_only_a_later_version_knows_is_left_to_it(
    worker: Worker, upstream: Upstream, start: StartRun, what: str
) -> None:
    run = start("good", "echo", judge="good")
    carry_out(worker, str(run.pk))
    if what == "step":
        run.calls.filter(step="synthesis").update(step="dream")
    elif what == "way":
        research = asdict(Research()) | {"way": "guessed"}
        Run.objects.filter(pk=run.pk).update(spec=run.spec | {"research": research})
    elif what == "way of a fusion":
        run.fusions.update(wish={"way": "guessed"})
    else:
        fusion = run.fusions.get()
        fusion.judge |= {"promises": "nothing leaves the house"}
        fusion.save(update_fields=["judge"])
    Run.objects.filter(pk=run.pk).update(status="queued")
    upstream.requests.clear()
    for _ in range(2 * MAX_ATTEMPTS):
        carry_out(worker, str(run.pk))
    left = at(run)
    assert (left.status, left.attempt, left.reason) == ("queued", 1, "needs_newer_version")
    assert not upstream.calls
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    assert client.get(f"/fusion/runs/{run.pk}").status_code == 200
