"""A claim of an analysis is looked up on the web, for whoever asks for it."""

from __future__ import annotations

import time

from django.db import transaction

from ..engine import pool
from ..engine.findings.ruling import find_claim
from ..engine.spec import Panelist
from ..engine.state import CallStatus, RunStatus, Step, call_key
from ..engine.terms import NONE, Terms
from ..models import Call, Run
from ..record.rows import state_from_rows
from .errors import Refused
from .reopening import must_be_of_here, must_have_credential, reopen
from .runs import spec_of
from .terms import OnTerms
from .web import NO_ENGINE, is_offered

MOST = 50  # of a run


def claim_look_up(
    *, run: Run, fusion: int, claim: str, token: int | None = None, terms: Terms = NONE
) -> int:
    """One more look at what pages of the web say of it. The judge of that fusion reads them, in a
    call of its own, on `terms` beside those of the run, and paid for by `token`; where none can
    judge, nobody is asked. What came to nothing in the look before is tried anew. Returns its
    number. Raises Refused."""
    must_be_of_here(run)
    if not is_offered():
        raise Refused(NO_ENGINE)
    with transaction.atomic():
        ended = reopen(run)
        state, spec = state_from_rows(ended), spec_of(ended)
        if state.status is not RunStatus.COMPLETED:
            raise Refused("A claim is looked up once the run is completed.")
        judging = state.fusions.get(fusion)
        named = find_claim(judging.analysis or {}, claim) if judging else None
        if judging is None or named is None:
            raise Refused("There is no such claim.")
        earlier = pool.lookups(state.research)
        if len(earlier) >= MOST:
            raise Refused(f"Of a run at most {MOST} claims are looked up.")
        judge = Panelist.from_dict(judging.judge) if judging.judge else spec.judge
        judge = OnTerms(terms).must_keep(judge, "judge") if judge.can_judge else judge
        number = max((one["id"] for one in earlier), default=0) + 1
        one = {
            "id": number,
            "fusion": fusion,
            "claim": claim,
            "text": named.text,
            "stances": [*named.stances],
            "at": round(time.time(), 3),
            "token": token,
        }
        if judge.can_judge:
            must_have_credential(judge)
            one["call"] = _call(run, fusion, judge)
        known = state.research
        before = [look for look in pool.lookups(known) if look["text"] == named.text]
        if before and before[-1].get("note"):
            known = pool.without_failed(known, before[-1])
        # In today's shape, which a worker of the version before leaves to one of this.
        research, frozen = pool.with_lookup(known, one), spec.to_dict()
        Run.objects.filter(pk=run.pk).update(research=research, spec=frozen)
    return number


def _call(run: Run, fusion: int, judge: Panelist) -> str:
    row = run.fusions.get(number=fusion)
    earlier = run.calls.filter(step=Step.LOOKUP, fusion=row).order_by("-number").first()
    number = earlier.number + 1 if earlier else 1
    key = call_key(Step.LOOKUP, fusion, number)
    Call.objects.create(
        run=run,
        fusion=row,
        key=key,
        step=Step.LOOKUP,
        number=number,
        cause="asked",
        panelist=judge.to_dict(),
        status=CallStatus.WAITING,
    )
    return key
