"""A run's receipt as a file: every call that has ended, its price, and who said what it cost."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Hold, Run
from console.money.receipt import as_csv, receipt_of
from console.record.rows import state_from_rows

pytestmark = pytest.mark.django_db

CALL = {
    "step": "panel", "cause": "first", "status": "completed", "text": "x",
    "panelist": {"model": "maker/m", "credential": "c",
                 "price": {"input": "2", "output": "10", "cached_input": "0.2"}},
}  # fmt: skip


@pytest.fixture
def run(alice: User) -> Run:
    run = Run.objects.create(
        owner=alice, prompt="?", messages=[], spec={}, preset="p", preset_name="P",
        status="completed", visibility="team",
    )  # fmt: skip
    usage = {
        "input_tokens": 9,
        "cached_tokens": 4,
        "output_tokens": 5,
        "reasoning_tokens": 3,
        "searches": 2,
        "search_tokens": 7,
    }
    run.calls.create(key="panel-1-1", seat=1, number=1, usage=usage, cost=Decimal("0.00006"),
                     cost_source="reported", model="=cmd()", provider="azure",
                     generation_id="gen-1", **CALL)  # fmt: skip
    run.calls.create(key="panel-0-1", seat=0, number=1, **CALL | {"status": "failed"})
    run.calls.create(key="panel-0-2", seat=0, number=2, **CALL | {"status": "streaming"})
    Hold.objects.create(run=run, call="panel-0-1", attempt=1, amount_nano=42_000_000,
                        settled_nano=500_001, is_estimated=True, input_tokens=1,
                        input_price_nano=1, output_price_nano=1, priced_by="list")  # fmt: skip
    return run


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_receipt_has_a_line_for_each_call_that_has_ended(run: Run) -> None:
    failed, done = rows(as_csv(receipt_of(run, state_from_rows(run))))
    told = ("call", "seat", "cost", "held", "booked", "is_estimated")
    assert [failed[name] for name in told] == [
        *("panel-0-1", "A", "", "0.042", "0.000500001", "True")
    ]
    assert [done[name] for name in told] == ["panel-1-1", "B", "0.00006", "", "", ""]
    assert [done[name] for name in done if name.endswith("tokens")] == [*"94537"]
    assert done["searches"] == "2" and failed["searches"] == ""
    assert [done[name] for name in done if name.startswith("price")] == ["2", "0.2", "10"]
    assert (done["cost_source"], done["generation_id"]) == ("reported", "gen-1")
    assert done["answered_by"] == "'=cmd()", "no spreadsheet takes it for a formula"


def test_who_may_read_a_run_may_have_its_receipt(
    run: Run, alice: User, bob: User, charlie: User, ada: User
) -> None:
    address = f"/fusion/runs/{run.pk}/receipt.csv"
    for person in (alice, bob, ada):
        client = Client()
        client.force_login(person)
        reply = client.get(address)
        assert reply.status_code == 200 and reply["Content-Type"] == "text/csv; charset=utf-8"
        assert len(rows(reply.content.decode())) == 2
    Run.objects.update(visibility="private")
    client.force_login(bob)
    assert client.get(address).status_code == 404
    assert Client().get(address).status_code == 302
