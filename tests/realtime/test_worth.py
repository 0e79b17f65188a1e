"""What a fusion brought, on its run's page and over time at its preset."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Run
from console.services import fusions
from console.services.presets import presets_changed
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.console.story import link_to
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

BEST = "Water is wet and ice floats on it because it is lighter."


def carried_out(worker: Worker, run: Run) -> Run:
    carry_out(worker, str(run.pk))
    return Run.objects.get(pk=run.pk)


def test_page_and_preset_say_whether_fusion_changed_the_answer(
    worker: Worker, upstream: Upstream, start: StartRun, ada: User
) -> None:
    for text in (f"{BEST} [^A] Steam burns the skin at once. [^B]", f"{BEST} [^A]"):
        upstream.script("same", Script(text=BEST))
        upstream.script("writes", Script(text=text))
        run = carried_out(worker, start("same", "same", judge="writes"))
        Run.objects.filter(pk=run.pk).update(preset="local")
    first, second = (r.fusions.get() for r in Run.objects.order_by("created_at"))
    assert (first.changed, second.changed) == (True, False)
    assert presets_changed()["local"] == (1, 2)
    client = Client()
    client.force_login(ada)
    listed = client.get("/admin/console/preset/").content.decode()
    assert "Fusion changed the answer in 1 of 2 runs" in listed and ">50% of 2<" in listed
    assert run.owner
    client.force_login(run.owner)
    page = client.get(f"/fusion/runs/{first.run_id}").content.decode()
    assert "Fusion changed the answer." in page and "Steam burns the skin at once" in page
    assert re.search(r"It took [\d.]+ s longer than A alone at a cost that is not known\.", page)
    assert (
        "Fusion hardly changed the answer." in client.get(f"/fusion/runs/{run.pk}").content.decode()
    )


def test_a_shared_page_tells_no_cost(worker: Worker, upstream: Upstream, start: StartRun) -> None:
    run = carried_out(worker, start("good", "echo"))
    Run.objects.filter(pk=run.pk).update(visibility="link")
    link_to(run, "t" * 43)
    page = Client().get(f"/fusion/shared/{'t' * 43}").content.decode()
    assert "Was it worth it?" in page and "longer than" in page and "and cost" not in page
    assert "Ask the panel" not in page


def test_related_judges_are_named_and_every_fusion_has_its_marks(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    upstream.script("good", Script(text="Both say so [^A,B]."))
    run = carried_out(worker, start("good", "echo", judge="good"))
    fusions.run_fuse(run=run, judge="test:other", synthesizer="test:good")
    run = carried_out(worker, run)
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Writer on the panel" in page and "Judge on the panel" not in page
    for number in ("1", "2"):
        page = client.get(f"/fusion/runs/{run.pk}", {"fusion": number}).content.decode()
        fused = page.split('data-text="fused"')[1].split("</section>")[0]
        assert fused.count('class="source"') == 2 and "[^A" not in fused
