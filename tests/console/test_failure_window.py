"""How long a failure stands for the same request, on a clock of our own: as long as programs
repeat it, and no longer than ten minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from console.api.http.base import ApiCall
from console.api.openai.requests import ChatRequest
from console.api.planning.failures import seconds_left
from console.api.planning.idempotency import Started, start
from console.engine.spec import Spec
from console.models import ApiToken, Call, Fusion, Run
from console.models.runs import Origin
from console.services.runs import run_start

from .story import a_spec

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PATH = "/v1/chat/completions"
PANEL = a_spec("lost/one", "lost/two")
OTHERS = a_spec("found/one", "found/two")


@dataclass
class House:
    """Somebody with a token, whose requests fail until they are told not to."""

    token: ApiToken
    now: datetime = datetime(2026, 11, 28, 12, tzinfo=UTC)
    panels: int = 0
    runs: list[Run] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def ask(self, question: str = "Why?", *, key: str = "", spec: Spec = PANEL) -> Started:
        """A request, and its end a second after it where a panel is asked."""
        body: dict[str, Any] = {
            "model": "fusion",
            "messages": [{"role": "user", "content": question}],
        }
        headers = {"Idempotency-Key": key} if key else {}
        call = ApiCall(
            RequestFactory().post(PATH, headers=headers),
            "req_1",
            self.token,
            ChatRequest.model_validate(body),
            body,
            began_at=self.now,
        )
        started = start(call, spec, prompt=question, fails_again=(spec,))
        if started.is_new:
            self.panels += 1
            self.runs.append(started.run)
            self.end(started.run)
        return started

    def end(
        self,
        run: Run,
        status: str = "failed",
        reason: str = "all_panels_failed",
        of_seats: str = "unauthorized",
    ) -> None:
        self.wait(1)
        if status == "failed":
            for seat, panelist in enumerate(run.frozen_spec.panel):
                Call.objects.create(
                    run=run,
                    key=f"panel-{seat}-1",
                    step="panel",
                    seat=seat,
                    number=1,
                    cause="first",
                    panelist=panelist.to_dict(),
                    status="failed",
                    reason=of_seats,
                )
        run.status, run.reason, run.finished_at = status, reason, self.now
        run.save()

    def succeed(self, spec: Spec, owner: User | None = None) -> None:
        """A run of the page that goes well."""
        run = run_start(owner=owner or self.token.owner, prompt="Else?", spec=spec)
        self.end(run, "completed", "")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, settings: Any) -> House:
    settings.SAME_FAILURE_SECONDS = 60
    alice = User.objects.create_user("alice")
    token = ApiToken.objects.create(owner=alice, name="of a test", secret_hash="x")
    house = House(token)
    monkeypatch.setattr(timezone, "now", lambda: house.now)
    return house


# Seconds between a reply and the next repetition, from the programs' own source or as they were
# watched.
SCHEDULES = {
    # aider/coders/base_coder.py: from 0.125 s doubled while no more than 60
    "aider": [0.25, 0.5, 1, 2, 4, 8, 16, 32],
    # codex-rs: 200 ms doubled, five times
    "Codex CLI": [0.2, 0.4, 0.8, 1.6, 3.2],
    # @langchain/core: p-retry, six times from 1 s, each up to twice as long by chance
    "LangChain.js, lucky": [1, 2, 4, 8, 16, 32],
    "LangChain.js, unlucky": [2, 4, 8, 16, 32, 64],
    "LangChain.js, at its worst in the end": [1.3, 2.6, 5.2, 10.4, 20.8, 64],
    # opencode: 2 s doubled up to 30
    "opencode": [2, 4, 8, 16, 30, 30, 30],
    "the AI SDK": [2, 4],
    "one that doubles up to two minutes": [5, 10, 20, 40, 80, 120, 120],
    "one that asks every fifty seconds": [50] * 11,
    "one that asks at once": [0] * 20,
}


@pytest.mark.parametrize("program", SCHEDULES)
def test_a_program_that_repeats_what_failed_has_one_panel(house: House, program: str) -> None:
    first = house.ask()
    for gap in SCHEDULES[program]:
        house.wait(gap)
        again = house.ask()
        assert again.has_failed and again.run == first.run
        assert 0 < seconds_left(again.run) <= 600
    assert house.panels == 1


@pytest.mark.parametrize(
    "gaps",
    [
        pytest.param([60], id="a minute after it failed"),
        pytest.param([3600], id="an hour after it failed"),
        pytest.param([10, 61], id="a minute after it was last repeated"),
        pytest.param([40, 81], id="twice as long as it had stood when it was last repeated"),
        pytest.param([50] * 12, id="ten minutes after it failed, however often it was repeated"),
        pytest.param([0] * 20 + [60], id="a minute after many at once"),
    ],
)
def test_who_asks_later_has_a_panel_of_their_own(house: House, gaps: list[float]) -> None:
    house.ask()
    for gap in gaps:
        house.wait(gap)
        house.ask()
    assert house.panels == 2


def test_a_reply_says_when_the_same_is_asked_anew(house: House) -> None:
    house.ask()
    house.wait(30)
    assert seconds_left(house.ask().run) == 60
    house.wait(59)
    assert seconds_left(house.ask().run) == 178  # twice the 89 s since it failed
    house.wait(177)
    assert seconds_left(house.ask().run) == 600 - 266
    house.wait(334)
    assert house.ask().is_new


def test_the_next_failure_begins_a_minute_of_its_own(house: House) -> None:
    house.ask()
    house.wait(60)
    house.ask()
    house.wait(30)
    assert house.ask().has_failed and house.panels == 2


def another_question(house: House) -> None:
    assert house.ask("Why not?").is_new


def another_key(house: House) -> None:
    assert house.ask(key="once more").is_new


def another_token(house: House) -> None:
    house.token = ApiToken.objects.create(owner=house.token.owner, name="another", secret_hash="y")
    assert house.ask().is_new


def other_models(house: House) -> None:
    """What the preset means by now."""
    assert house.ask(spec=OTHERS).is_new


def a_run_of_the_page_that_went_well(house: House) -> None:
    house.succeed(PANEL)
    assert house.ask().is_new


def a_person_who_presses_again(house: House) -> None:
    run = run_start(owner=house.token.owner, prompt="Why?", spec=PANEL)
    assert run.origin == Origin.PAGE and run.status == "queued"


@pytest.mark.parametrize(
    "means",
    [
        another_question,
        another_key,
        another_token,
        other_models,
        a_run_of_the_page_that_went_well,
        a_person_who_presses_again,
    ],
)
def test_nothing_is_withheld_from(house: House, means: Any) -> None:
    house.ask()
    for _ in range(3):
        house.wait(1)
        assert house.ask().has_failed
    means(house)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda house: house.succeed(OTHERS), id="other models went well"),
        pytest.param(
            lambda house: house.succeed(PANEL, User.objects.create_user("bob")),
            id="the same went well for somebody else",
        ),
        pytest.param(lambda house: house.ask("Why not?"), id="another question failed, too"),
    ],
)
def test_it_is_withheld_although(house: House, meanwhile: Any) -> None:
    house.ask()
    meanwhile(house)
    assert house.ask().has_failed


def test_what_began_before_the_failure_and_went_well_says_nothing_of_it(house: House) -> None:
    beside = run_start(owner=house.token.owner, prompt="Else?", spec=PANEL)
    house.wait(1)
    house.ask()
    house.end(beside, "completed", "")
    assert house.ask().has_failed


def test_a_run_that_somebody_stopped_stays_stopped_although_others_go_well(house: House) -> None:
    run = house.ask().run
    Call.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(status="cancelled", reason="cancelled")
    for gap in SCHEDULES["aider"]:
        house.succeed(PANEL)
        house.wait(gap)
        assert house.ask().has_failed
    assert house.panels == 1


def test_no_failure_stands_where_the_setting_is_nothing(house: House, settings: Any) -> None:
    settings.SAME_FAILURE_SECONDS = 0
    house.ask()
    house.ask()
    assert house.panels == 2 and not Fusion.objects.exists()
