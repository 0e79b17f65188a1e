"""Workers read lists of models that got old, beside their runs."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import CatalogList, CatalogModel, Credential
from console.worker import upkeep as upkeep_module
from console.worker.upkeep import Upkeep
from console.worker.worker import Worker
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep_module, "LISTS_SECONDS", 0.1)


def test_a_list_that_is_a_day_old_is_read_by_itself_and_once(
    credential: Credential, upstream: Upstream, worker: Worker
) -> None:
    body = json.dumps({"data": [{"id": f"maker/model-{n}"} for n in range(1500)]})
    upstream.script("/v1/models", Script(body=body))
    CatalogList.objects.create(
        credential=credential,
        address=credential.url,
        asked_at=timezone.now() - timedelta(days=2),
        read_at=timezone.now() - timedelta(days=2),
    )
    upkeep = Upkeep(worker)
    upkeep.start()
    try:
        upstream.wait_until(lambda: CatalogModel.objects.count() == 1500)
    finally:
        asyncio.run_coroutine_threadsafe(upkeep.stop(), worker.loop).result()
    assert len(upstream.requests) == 1
