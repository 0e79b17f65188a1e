"""The sample: given once to a new site, read by the team, in no list, count or figure."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from console.engine.findings.evidence import share_of_verified, verify
from console.engine.findings.provenance import plain
from console.engine.state import CallStatus, Step
from console.models import Call, Credential, Preset, Run, Seed
from console.models.runs import Origin
from console.providers.secret import Secret
from console.record.portable import to_json, write
from console.record.rows import state_from_rows
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.fusions import run_fuse
from console.services.presets import presets_changed
from console.services.quickest import quickest_seats
from console.services.reopening import reopen
from console.services.tokens import token_create
from console.site.sample import FILE, SEED, sample_give, sample_remove
from tests.console.story import Story


@pytest.fixture
def sample(db: None, settings: Settings) -> Run:
    settings.SAMPLE = True
    sample_give()
    return Run.objects.get(origin=Origin.SAMPLE, follows=None)


def samples() -> int:
    return Run.objects.filter(origin=Origin.SAMPLE).count()


# ---- what it is ----


def test_it_shows_everything_that_a_run_may_have(sample: Run) -> None:
    state = state_from_rows(sample)
    spec = sample.frozen_spec
    answers = [state.latest(Step.PANEL, seat=seat) for seat in range(4)]
    assert [call.status for call in answers if call] == [*3 * ["completed"], "failed"]
    failed = answers[3]
    assert failed and failed.reason == "disconnected" and failed.text
    texts = "\n".join(call.text for call in answers if call)
    assert all(part in texts for part in ("```bash", "```sql", "|---|", "\n1. ", "\n- ", "> "))
    assert state.fusion and state.fusion.analysis
    analysis = state.fusion.analysis
    for part in ("consensus", "contradictions", "partial_coverage", "unique_insights"):
        assert analysis[part], part
    assert analysis["blind_spots"] and analysis["ratings"]
    found, given = share_of_verified(analysis)
    assert given - found == 1  # one quote is invented, and shown as not found
    fused = state.fused
    assert fused and {"[^A,C]", "[^B]", "[^own]"} <= set(_marks(fused.text))
    assert plain(fused.text).count("|---|") and "```bash" in fused.text
    # Who wrote it is nobody's model, and nobody is said to be paid.
    names = {p.model for p in (*spec.panel, spec.judge, spec.writer)}
    assert all(name.startswith("sample-") for name in names)
    assert {call.cost for call in state.calls.values()} == {None}


def _marks(text: str) -> list[str]:
    return re.findall(r"\[\^[^\]]+\]", text)


def test_its_quotes_are_found_where_it_says(sample: Run) -> None:
    for run in Run.objects.filter(origin=Origin.SAMPLE):
        state = state_from_rows(run)
        assert state.fusion and state.fusion.analysis
        answers = {
            c.seat: c.text for k in state.fusion.judged if (c := state.calls[k]).seat is not None
        }
        stored = json.loads(json.dumps(state.fusion.analysis))
        assert verify(stored, answers) == state.fusion.analysis


def test_what_goes_on_from_it_came_along(sample: Run) -> None:
    (after,) = Run.objects.filter(follows=sample)
    state = state_from_rows(after)
    assert after.origin == Origin.SAMPLE and state.fusion and state.is_fused(state.fusion)


def test_its_file_is_what_is_written_of_it(sample: Run) -> None:
    runs = list(Run.objects.filter(origin=Origin.SAMPLE).order_by("created_at"))
    assert to_json(write(runs)) == FILE.read_text()


# ---- who gets it ----


def test_it_is_given_once_and_stays_away_when_it_was_removed(sample: Run) -> None:
    assert samples() == 2
    sample_give()
    assert samples() == 2
    sample_remove()
    assert samples() == 0 and not Call.objects.exists()
    call_command("migrate", verbosity=0)
    assert samples() == 0 and Seed.objects.filter(name=SEED).exists()
    assert SEED == "sample:1"  # another name would bring it back to who removed it


def test_migrating_gives_it_to_a_new_site(db: None, settings: Settings) -> None:
    settings.SAMPLE = True
    call_command("migrate", verbosity=0)
    assert samples() == 2


def test_a_site_where_something_was_asked_gets_none_and_never_will(
    alice: User, settings: Settings
) -> None:
    settings.SAMPLE = True
    run = Story().whole().save(alice)
    sample_give()
    run.delete()
    sample_give()
    assert samples() == 0


def test_who_wants_none_gets_none(db: None, settings: Settings) -> None:
    settings.SAMPLE = False
    sample_give()
    assert samples() == 0


# ---- who reads it ----


def test_everybody_of_the_team_reads_it_and_nobody_else(
    sample: Run, alice: User, ada: User, charlie: User, client: Client
) -> None:
    url = f"/fusion/runs/{sample.pk}"
    assert client.get(url).status_code == 302
    for person in (alice, ada):
        client.force_login(person)
        html = client.get(url).content.decode()
        assert "Sample: no model was asked" in html
        assert ("Remove the sample" in html) is (person == ada)
        assert 'aria-label="Receipt"' not in html and "$" not in html
    client.force_login(charlie)
    assert client.get(url).status_code in (302, 404)


def test_only_an_admin_removes_it(sample: Run, alice: User, ada: User, client: Client) -> None:
    assert client.post("/fusion/sample/remove").status_code == 302 and samples() == 2
    client.force_login(alice)
    client.post("/fusion/sample/remove")
    assert samples() == 2
    client.force_login(ada)
    assert client.get("/fusion/sample/remove").status_code == 405
    client.post("/fusion/sample/remove")
    assert samples() == 0


def test_it_goes_and_who_asked_on_keeps_what_was_asked(sample: Run, alice: User) -> None:
    _can_run()
    run = run_follow(run=sample, owner=alice, prompt="And with 16?")
    sample_remove()
    run.refresh_from_db()
    assert samples() == 0 and len(run.messages) == 3


# ---- what knows nothing of it ----


def test_no_list_and_no_figure_has_it(sample: Run, alice: User, client: Client) -> None:
    client.force_login(alice)
    html = client.get("/fusion/runs").content.decode()
    assert html.count("badge-sample") == 1 and "Nothing has been asked yet." in html
    Story().whole().save(alice)
    assert "Page 1" not in client.get("/fusion/runs").content.decode()
    compose = client.get("/fusion").content.decode()
    assert "badge-sample" not in compose and 'class="recent"' in compose
    Preset.objects.filter(slug="quality").update(slug="sample")
    assert "sample" not in presets_changed()
    Credential.objects.create(slug="sample", name="S", kind="fake", base_url="http://127.0.0.1:9")
    assert all(seat.credential.slug != "sample" for seat in quickest_seats())


def test_programs_find_it_only_where_they_ask_for_samples(
    sample: Run, alice: User, client: Client
) -> None:
    _, secret = token_create(owner=alice, name="t")
    headers: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    assert client.get("/v1/runs", **headers).json()["data"] == []
    asked = client.get("/v1/runs?origin=sample", **headers).json()["data"]
    assert [row["origin"] for row in asked] == ["sample", "sample"]
    whole = client.get(f"/v1/runs/{sample.pk}", **headers).json()
    assert (whole["origin"], whole["cost"], whole["preset"]) == ("sample", None, "sample")
    assert whole["is_own"] is False


# ---- asking on ----


def _can_run() -> None:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret("sk-or-" + "x" * 20)
    credential.save()


def test_asking_on_asks_ones_own_models_and_is_ones_own_run(sample: Run, alice: User) -> None:
    with pytest.raises(Refused, match="The sample's models are made up"):
        run_follow(run=sample, owner=alice, prompt="And with 16?")
    _can_run()
    run = run_follow(run=sample, owner=alice, prompt="And with 16?")
    assert (run.origin, run.visibility, run.owner) == ("page", "private", alice)
    assert all("sample" not in p.model for p in run.frozen_spec.panel)
    assert run.preset == "quality"


def test_it_is_not_fused_again(sample: Run) -> None:
    with pytest.raises(Refused):
        run_fuse(run=sample)
    with pytest.raises(Refused, match="This is a sample"), transaction.atomic():
        reopen(sample)
    sample.refresh_from_db()
    assert sample.is_final and sample.fusions.count() == 1
    assert set(sample.calls.values_list("status", flat=True)) == {
        CallStatus.COMPLETED.value,
        CallStatus.FAILED.value,
    }
