"""Runs carried out in the test process by a real `Worker`: real Valkey, real database
threads, real sockets to the scripted upstream. Only Celery's ring is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.engine.spec import Panelist, Policy, Spec
from console.engine.steps import prompts
from console.models import Credential, Run
from console.services import runs as services
from console.worker import worker as working
from console.worker.upkeep import Upkeep
from tests.loop_steps import short_steps
from tests.upstream import Upstream

FAST = Policy(first_token_timeout=5, stall_timeout=1, total_timeout=20)
PATIENT = Policy(first_token_timeout=10, stall_timeout=10, total_timeout=20)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


@pytest.fixture
def credential(transactional_db: None, upstream: Upstream) -> Credential:
    return Credential.objects.create(
        slug="test", name="Test", kind="openai_compatible", base_url=upstream.url
    )


@pytest.fixture
def worker(
    transactional_db: None,
    valkey: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[working.Worker]:
    settings.REDIS_URL = valkey
    settings.CHECKPOINT_SECONDS = 0.1
    monkeypatch.setattr(services, "ring", lambda run_id: True)
    with short_steps(monkeypatch):
        worker = working.Worker()
        yield worker
        worker.close()


@pytest.fixture
def upkeep(worker: working.Worker) -> Iterator[Upkeep]:
    upkeep = Upkeep(worker)
    upkeep.start()
    yield upkeep
    asyncio.run_coroutine_threadsafe(upkeep.stop(), worker.loop).result()


StartRun = Callable[..., Run]


@pytest.fixture
def start(credential: Credential, db: None) -> StartRun:
    """start("model-a", "model-b", judge=…, prompt=…) saves a run; nobody carries it out yet."""

    def start(*models: str, judge: str = "judge", policy: Policy = FAST, **kw: Any) -> Run:
        spec = Spec(
            panel=tuple(Panelist(m, "test") for m in models),
            judge=Panelist(judge, "test"),
            synthesizer=Panelist(kw.pop("synthesizer"), "test") if "synthesizer" in kw else None,
            prompts=prompts.load(),
            policy=policy,
            shuffle_seed=7,
        )
        owner = kw.pop("owner", None) or User.objects.get_or_create(username="alice")[0]
        return services.run_start(
            owner=owner, prompt=kw.pop("prompt", "What is the answer?"), spec=spec, **kw
        )

    return start
