"""`/fusion/runs/<id>/receipt.csv`: what each call of a run cost, for a spreadsheet."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from ... import access
from ...money.receipt import as_csv, receipt_of
from ...record.rows import state_from_rows
from ...services.estimates import quoted_of
from .runs import private_page


@login_required
@private_page
@require_safe
def receipt(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    state = state_from_rows(run)
    body = as_csv(receipt_of(run, state), quoted_of(run, state))
    disposition = content_disposition_header(True, f"receipt-{run.pk}.csv")
    headers = {"Content-Disposition": disposition or ""}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)
