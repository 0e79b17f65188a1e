"""What can be done to the answers of a run: stop waiting for them, ask a seat again, fuse anew.

A panel is frozen: an answer given never changes. What is asked later is one more
call in its seat, or one more fusion beside the others, and costs only its own
calls. Each function only leaves a row; a worker finds there what is still to be
done, exactly as it does after another worker was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ..engine.provider import Message
from ..engine.spec import HEEDS_WISHES, MAX_SEATS, Panelist, Spec, letter
from ..engine.state import (
    CallState,
    CallStatus,
    RunState,
    RunStatus,
    Step,
    call_key,
    seat_of,
)
from ..engine.steps.poll import voters
from ..engine.steps.seating import seated
from ..models import Call, Fusion, Run
from ..money.amounts import read
from ..money.purses import budget_of, run_budget, usual_budget_lifted
from ..record.rows import state_from_rows
from .build_spec import build, find_panelist
from .errors import Refused
from .fusion_wish import begins_from, called, copied, fusion_wish
from .reopening import must_be_of_here, must_have_credential, reopen
from .rulings import PLAIN, ReaderWish, wished
from .runs import ApiOrigin, clean_text, spec_of
from .wish import Who

FINAL = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)
MAX_CRITERIA = 2000

# while it runs


def fuse_now(*, run: Run) -> None:
    """Fuse what is there, without waiting for the rest of the panel. Raises Refused."""
    state = state_from_rows(run)
    if run.is_final or state.fusions:
        raise Refused("The panel has already been waited for.")
    if not any(state.answer(seat) for seat in range(len(spec_of(run).panel))):
        raise Refused("There is no answer to fuse yet.")
    Run.objects.filter(pk=run.pk, fuse_requested_at=None).exclude(status__in=FINAL).update(
        fuse_requested_at=timezone.now()
    )


def seat_stop(*, run: Run, seat: int) -> None:
    """Stop one seat; the others go on. Raises Refused."""
    _must_exist(run, seat)
    with transaction.atomic():
        held = Run.objects.select_for_update().filter(pk=run.pk).exclude(status__in=FINAL).first()
        if held is None:
            raise Refused("The run has already ended.")
        if seat not in held.stopped_seats:
            held.stopped_seats = [*held.stopped_seats, seat]
            held.save(update_fields=["stopped_seats"])


# when it has ended


def run_fuse(
    *,
    run: Run,
    judge: Who = "",
    synthesizer: Who = "",
    criteria: str = "",
    seats: Sequence[int] | None = None,
    wish: ReaderWish = PLAIN,
    api: ApiOrigin | None = None,
) -> Fusion:
    """Another fusion of the same answers. Names as people type them; empty means as before.

    `seats` are those whose answers are fused, None for all. With a `wish` it starts from the
    fusion that was ruled on: who judged and wrote that is who is asked again, and where the
    judge would read the same answers again, its analysis is copied. Raises Refused.
    """
    must_be_of_here(run)
    spec, state = spec_of(run), state_from_rows(run)
    base = begins_from(state, wish)
    if seats is None and base:
        seats = [seat for key in base.judged if (seat := seat_of(key)) is not None] or None
    chosen = sorted(set(seats or ()))
    for seat in chosen:
        _must_exist(run, seat)
        if not state.answer(seat):
            raise Refused(f"{letter(seat)} has no answer to fuse.")
    if not any(state.answer(seat) for seat in range(len(spec.panel))):
        raise Refused("There is no answer to fuse.")
    if seats is not None and not chosen:
        raise Refused("Choose at least one answer to fuse.")
    criteria = clean_text(criteria)
    if len(criteria) > MAX_CRITERIA:
        raise Refused(f"Criteria have at most {MAX_CRITERIA:,} characters.")
    answers = {c.seat or 0: c for seat in range(len(spec.panel)) if (c := state.answer(seat))}
    answers = {seat: answers[seat] for seat in chosen or answers}
    asked = wished(state, wish, {seat: call.text for seat, call in answers.items()})
    again = build(
        fusion_wish(
            spec,
            judge=judge,
            synthesizer=synthesizer,
            criteria=criteria,
            preset=wish.preset,
            person=run.owner,
            base=base,
        )
    )
    may_copy = base if asked and not asked.get("analysis_only") else None
    taken = copied(may_copy, again, answers) if may_copy else {}
    asked |= {"root": base.root} if taken and base else {}
    for panelist in called(again, asked, is_judged=bool(taken)):
        must_have_credential(panelist)
    with transaction.atomic():
        reopen(run)
        last = run.fusions.aggregate(last=Max("number"))["last"] or 0
        if spec.stop_after == "analysis":
            last = max(last, 1)  # the first is the one that ends with the analysis
        return Fusion.objects.create(
            run=run,
            number=last + 1,
            status=RunStatus.QUEUED,
            judge=again.judge.to_dict(),
            synthesizer=again.writer.to_dict() | (HEEDS_WISHES if asked else {}),
            criteria=again.criteria,
            seats=chosen,
            wish=asked,
            token=api.token if api else None,
            request_hash=api.request_hash if api else "",
            idempotency_key=api.idempotency_key if api else None,
            **taken,
        )


def go_on(*, run: Run, dollars: str, fuses: bool) -> None:
    """With a budget of so much from now on, where the run has one: answers that it did not pay
    to fuse are fused, or whoever was not asked can be. Raises Refused."""
    must_be_of_here(run)
    try:
        more = read(dollars)
    except ValueError:
        raise Refused("Say for how much it may go on, in US dollars, as in 0.50.") from None
    with transaction.atomic():
        if budget_of(run.pk) is None and run.usual_budget_nano is None:
            raise Refused("This run has no budget of its own.")
        run_budget(run_id=run.pk, more=more)
        usual_budget_lifted(run_id=run.pk)
        Run.objects.filter(pk=run.pk).update(usual_budget_nano=None)
        if fuses:
            run_fuse(run=run)


def run_turn(
    *,
    run: Run,
    after: int,
    messages: list[Message],
    request: dict[str, Any],
    writer: Panelist,
    api: ApiOrigin | None = None,
) -> Fusion:
    """One more call, of the writer: it goes on from the fusion `after`, whose tool calls have
    been answered. Answers and analysis stay. Raises Refused."""
    with transaction.atomic():
        reopen(run)
        before = run.fusions.filter(number=after).first()
        if before is None:
            raise Refused("There is no such fusion.")
        last = run.fusions.aggregate(last=Max("number"))["last"] or 0
        root = before.turn.get("root", after)
        return Fusion.objects.create(
            run=run,
            number=last + 1,
            status=RunStatus.QUEUED,
            judge=before.judge,
            synthesizer=writer.to_dict(),
            criteria=before.criteria,
            seats=before.seats,
            judged=before.judged,
            analysis=before.analysis,
            analysis_by=before.analysis_by,
            analysis_reason=before.analysis_reason,
            analysis_error=before.analysis_error,
            turn={"root": root, "after": after, "messages": messages, "request": request},
            token=api.token if api else None,
            request_hash=api.request_hash if api else "",
            idempotency_key=api.idempotency_key if api else None,
        )


def seat_ask(*, run: Run, seat: int, model: str = "") -> Call:
    """Ask whoever sits there again, or put another model there. Older answers stay.

    Raises Refused.
    """
    must_be_of_here(run)
    _must_exist(run, seat)
    if spec_of(run).panel[seat].is_brought:
        raise Refused(
            f"{letter(seat)} is an answer from elsewhere: there is nobody to ask. Add a seat "
            "instead."
        )
    other = find_panelist(model, spec_of(run).panel[seat].terms) if model.strip() else None
    with transaction.atomic():
        ended = reopen(run)
        spec = spec_of(ended)
        if other:
            panelist = _with_model(spec.panel[seat], other)
        else:
            panelist = seated(spec, state_from_rows(ended), seat)
        return _ask(ended, seat, panelist)


def seat_add(*, run: Run, model: str) -> Call:
    """One more seat, asked the same prompt. Raises Refused."""
    if not model.strip():
        raise Refused("Choose a model for the new seat.")
    must_be_of_here(run)
    panelist = find_panelist(model, spec_of(run).terms)
    with transaction.atomic():
        spec = spec_of(reopen(run))
        if len(spec.panel) >= MAX_SEATS:
            raise Refused(f"A panel has at most {MAX_SEATS} seats.")
        wider: Spec = replace(spec, panel=(*spec.panel, panelist))
        Run.objects.filter(pk=run.pk).update(spec=wider.to_dict())
        return _ask(run, len(spec.panel), panelist)


def run_poll(*, run: Run, fusion: int) -> list[Call]:
    """Ask every panelist, blind, whether it prefers its own answer or the fused one.

    Who has not voted yet is asked; a vote given stands. Raises Refused.
    """
    with transaction.atomic():
        state = state_from_rows(reopen(run))
        if state.status is not RunStatus.COMPLETED:
            raise Refused("The panel is asked what it prefers once the run is completed.")
        judging = state.fusions.get(fusion)
        if judging is None or not state.is_fused(judging):
            raise Refused("There is no such fused answer.")
        voted = {vote["seat"] for vote in judging.poll}
        asked = voters(state, judging)
        if not asked:
            raise Refused("None of these models is large enough to compare two answers.")
        seats = {c.seat: c for c in asked if c.seat is not None and c.seat not in voted}
        if not seats:
            raise Refused("Every seat has said which it prefers.")
        row = run.fusions.get(number=fusion)
        return [_ballot(run, state, row, seat, call) for seat, call in seats.items()]


def _ballot(run: Run, state: RunState, fusion: Fusion, seat: int, answer: CallState) -> Call:
    earlier = state.calls_of(Step.POLL, seat=seat, fusion=fusion.number)
    number = max((c.number for c in earlier), default=0) + 1
    return Call.objects.create(
        run=run,
        fusion=fusion,
        key=call_key(Step.POLL, fusion.number, number, seat),
        step=Step.POLL,
        seat=seat,
        number=number,
        cause="asked",
        panelist=answer.panelist,
        status=CallStatus.WAITING,
    )


def _ask(run: Run, seat: int, panelist: Panelist) -> Call:
    earlier = run.calls.filter(step=Step.PANEL, seat=seat)
    number = (earlier.aggregate(last=Max("number"))["last"] or 0) + 1
    return Call.objects.create(
        run=run,
        key=call_key(Step.PANEL, seat, number),
        step=Step.PANEL,
        seat=seat,
        number=number,
        cause="asked",
        panelist=panelist.to_dict(),
        status=CallStatus.WAITING,
    )


def _must_exist(run: Run, seat: int) -> None:
    if not 0 <= seat < len(spec_of(run).panel):
        raise Refused("There is no such seat.")


def _with_model(seat: Panelist, other: Panelist) -> Panelist:
    """The seat's own options stay; what belongs to a model comes with it."""
    limit = seat if seat.has_own_limit or other.max_output_tokens is None else other
    return replace(
        seat,
        model=other.model,
        credential=other.credential,
        price=other.price,
        context_length=other.context_length,
        max_output_tokens=limit.max_output_tokens,
        limit_is_chosen=limit.limit_is_chosen,
        reasons=other.reasons,
        usual_first_token=other.usual_first_token,
        fallback=None,
    )
