"""`/fusion/runs/<id>/sources/<n>`: a source as it was read, with what is quoted of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ... import access
from ...engine.findings.cited import quotes_in
from ...engine.state import RunState
from ...fragments.pooled import pool_view
from ...fragments.seats import columns
from ...record.pooled import answers_that_cite
from ...record.rows import state_from_rows
from .runs import private_page

# Characters: in a longer text quotes are not looked up while somebody waits.
MARKED = 100_000


@dataclass(frozen=True)
class SourcePiece:
    """`letters`: whose quote it is; "" of what nobody quotes."""

    text: str
    letters: str = ""


@login_required
@private_page
@require_safe
def source(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    spec, state = run.frozen_spec, state_from_rows(run)
    pool = pool_view(spec, state, columns(spec, state))
    known = next((s for s in pool.sources if s.number == number), None) if pool else None
    if known is None:
        raise Http404
    # Of a run that was brought along its answers came, and not what they rest on.
    kept = run.source_texts.filter(number=number).first()
    pieces = _pieces(kept.text, state, number) if kept else []
    context = {"run": run, "source": known, "pieces": pieces}
    return render(request, "console/run/source.html", context)


def _pieces(text: str, state: RunState, number: int) -> list[SourcePiece]:
    """In the order of the text. Where quotes overlap the first one counts."""
    if len(text) > MARKED:
        return [SourcePiece(text)]
    spans: dict[tuple[int, int], list[str]] = {}
    for who, said, its_number in answers_that_cite(state, number):
        for span in quotes_in(said, its_number, text):
            spans.setdefault(span, []).append(who)
    pieces: list[SourcePiece] = []
    at = 0
    for (start, end), who_quote in sorted(spans.items()):
        if start >= at:
            pieces += [
                SourcePiece(text[at:start]),
                SourcePiece(text[start:end], ", ".join(dict.fromkeys(who_quote))),
            ]
            at = end
    return [*pieces, SourcePiece(text[at:])]
