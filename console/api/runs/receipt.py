"""`GET /v1/runs/{id}/receipt`: what each call of a run cost, who said so, and what was held for
it."""

from __future__ import annotations

import uuid

from django.http import HttpResponseBase, JsonResponse

from ... import access
from ...models.tokens import Scope
from ...money.receipt import receipt_of
from ...record.parts import money
from ...record.rows import state_from_rows
from ...services.estimates import EstimateAndCost, outcome
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from . import replies


@endpoint(Scope.READ, reply=replies.ReceiptReply)
async def receipt(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """What each call of a run cost, who said so, and what its budgets held for it."""
    return JsonResponse((await db(_receipt, call, run_id)).model_dump(mode="json"))


def _receipt(call: ApiCall[NoBody], run_id: uuid.UUID) -> replies.ReceiptReply:
    run = access.run_visible_to(call.token.owner, run_id)
    state = state_from_rows(run)
    cost, partial = state.cost()
    lines = [replies.EntryReply(**line.to_dict()) for line in receipt_of(run, state)]
    return replies.ReceiptReply(
        run=str(run.pk),
        calls=lines,
        cost=money(cost),
        cost_is_partial=partial,
        estimate=_estimate(outcome(run, state)),
    )


def _estimate(found: EstimateAndCost | None) -> replies.Expectation | None:
    if found is None:
        return None
    estimate, who = found.estimate, found.estimate.reference
    return replies.Expectation(
        low=money(estimate.low),
        high=money(estimate.high),
        seconds=estimate.seconds,
        runs=estimate.runs,
        cost=money(found.cost),
        cost_is_partial=found.is_partial,
        reference=who.model if who else None,
        reference_cost=money(found.alone),
    )
