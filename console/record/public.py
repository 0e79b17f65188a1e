"""A run as one object, for whoever tells programs of it: API, MCP, shell.

`told.py` lists what is told; here it is made of the rows' state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from django.db.models import prefetch_related_objects

from .. import models
from ..engine.findings.analysis import notes
from ..engine.findings.answering import answer_of, text_of
from ..engine.findings.by_words import WORDS
from ..engine.findings.doubtful import note_of
from ..engine.findings.given import given, why_best
from ..engine.findings.sourced import SourcedSentence
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallState, FusionState, RunState, RunStatus, Step
from ..engine.steps.condense import condensing_of
from .parts import (
    Analysis,
    analysis_object,
    in_place_of,
    judged,
    model_of,
    money,
    usage_of,
)
from .provenance import provenance
from .researched import researched
from .thread import Neighbours
from .told import (
    AttachedFile,
    Attachment,
    Best,
    Call,
    Fusion,
    GivenFile,
    GivenToSeat,
    RuledClaim,
    Run,
    Seat,
    SentenceProvenance,
    Source,
    Verdict,
    VerdictSeen,
    Wished,
)
from .with_run import holds_files, with_told


def with_verdicts(run: models.Run) -> models.Run:
    """For who tells it where no database can be asked: they change only while it stands still.
    With its files, which never change."""
    more = ["files__file"] if holds_files(run) else []
    prefetch_related_objects([run], "verdicts__person", *more)
    return run


def run_object(
    run: models.Run,
    spec: Spec,
    state: RunState,
    *,
    viewer_id: int | None = None,
    with_provenance: bool = True,
    beside: Neighbours | None = None,
) -> Run:
    """As it stands in `state`, which may be ahead of the rows. With its answer it is completed,
    also while a seat still writes beside it. `viewer_id`: whose own verdict is called so. `beside`
    is what they may read of its thread. What one that was imported cost is no cost of ours."""
    if run.is_imported:
        calls = {key: replace(call, cost=None, cost_source="") for key, call in state.calls.items()}
        state = replace(state, calls=calls)
    outcome = state.outcome
    answer = answer_of(spec, state) if outcome.is_final else None
    cost, partial = state.cost()
    return Run(
        id=str(run.pk),
        status=outcome.value,
        reason=state.reason or None,
        error=state.error or None,
        note=(state.error or None) if outcome is RunStatus.COMPLETED else None,
        stands_in=bool(answer and answer.stands_in),
        seats=[seat_object(spec, state, seat) for seat in range(len(spec.panel))],
        preset=run.preset,
        preset_name=run.preset_name,
        prompt=run.prompt,
        created_at=run.created_at.timestamp(),
        started_at=state.started_at,
        finished_at=state.finished_at,
        seconds=state.seconds,
        cost=money(cost),
        cost_is_partial=partial,
        followed=str(beside.before) if beside and beside.before else None,
        follow_ups=[*map(str, beside.after)] if beside else None,
        panel=[panelist.known_as for panelist in spec.panel],
        judge=asked(spec.judge),
        synthesizer=asked(spec.writer),
        answer=answer.text if answer else None,
        tool_calls=answer.tool_calls if answer else [],
        finish_reason=answer.finish_reason if answer else None,
        sources=[Source(**source) for source in sources(state)],
        usage=usage_of([state]),
        calls=[_call(call) for call in state.calls.values() if not call.is_by_words],
        fusions=[
            fusion_object(spec, state, fusion, with_provenance=with_provenance)
            for fusion in state.fusions.values()
        ],
        verdicts=[_verdict(row, viewer_id) for row in with_verdicts(run).verdicts.all()],
        research=researched(state) if state.research else None,
        files=_files(run, state) or None,
    )


def _files(run: models.Run, state: RunState) -> list[AttachedFile]:
    if not holds_files(run):
        return []
    return [
        AttachedFile(
            name=file.row.name,
            type=file.row.file.type,
            bytes=file.row.file.size,
            hash=file.row.file_id,
            earlier=file.row.is_earlier,
            given=[_given_to(letter(seat), told) for seat, told in sorted(file.given.items())],
        )
        for file in with_told(list(run.files.all()), state)
    ]


def _given_to(seat: str, told: dict[str, Any]) -> GivenToSeat:
    how = GivenFile.of(told)
    return GivenToSeat(seat=seat, given=how.given, shown=how.shown, why=how.why)


def _verdict(row: models.Verdict, viewer_id: int | None) -> Verdict:
    seen = row.seen
    return Verdict(
        best=row.best,
        note=row.note,
        by=row.person.get_username() if row.person else None,
        is_own=row.person_id is not None and row.person_id == viewer_id,
        calls=row.answers,
        seen=VerdictSeen(
            names_shown=seen.get("names", True),
            order=seen.get("order", []),
            look=seen.get("look", ""),
        ),
        at=row.changed_at.timestamp(),
    )


def _call(call: CallState) -> Call:
    return Call(
        key=call.key,
        step=call.step.value,
        seat=None if call.seat is None else letter(call.seat),
        fusion=call.fusion,
        number=call.number,
        cause=call.cause,
        name=call.panelist.get("label") or None if call.is_brought else None,
        brought_by=call.panelist.get("brought_by") or None,
        model=model_of(call),
        answered_by=call.model or None,
        provider=call.provider or None,
        status=call.status.value,
        text=text_of(call),
        reasoning=call.reasoning,
        tool_calls=call.tool_calls,
        sources=[Source(**source) for source in _sources([call])],
        attachments=[Attachment.model_validate(one) for one in call.attachments],
        files=[GivenFile.of(one) for one in call.files],
        finish_reason=call.finish_reason,
        unreadable=call.unreadable,
        taken_from=call.taken_from or None,
        reason=call.reason or None,
        error=call.error or None,
        status_code=call.status_code,
        usage=call.usage.to_dict(),
        cost=money(call.cost),
        cost_source=call.cost_source or None,
        retry_at=call.retry_at,
        started_at=call.started_at,
        sent_at=call.sent_at,
        first_token_at=call.first_token_at,
        finished_at=call.finished_at,
    )


def fusion_object(
    spec: Spec, state: RunState, fusion: FusionState, *, with_provenance: bool = False
) -> Fusion:
    analysis = (
        analysis_object(spec, fusion.analysis, judged(state, fusion)) if fusion.analysis else None
    )
    answer = given(state, fusion) if fusion.status.is_final else None
    shortened = condensing_of(state, fusion.number)
    return Fusion(
        number=fusion.number,
        after=fusion.turn.get("after"),
        status=fusion.status.value,
        judge=asked_as(fusion.judge),
        synthesizer=asked_as(fusion.synthesizer),
        criteria=fusion.criteria,
        seats=[letter(seat) for seat in fusion.seats],
        judged=fusion.judged,
        without=fusion.without,
        analysis=Analysis.model_validate(analysis) if analysis else None,
        analysis_notes=[
            *notes(fusion.analysis or {}),
            *filter(None, [note_of(state.research, fusion.number)]),
        ],
        answer=(answer.text or None) if answer else None,
        provenance=[*map(_sentence, provenance(state, fusion))]
        if answer and with_provenance
        else [],
        stands_in=fusion.best or None,
        best=best_of(state, fusion),
        condensed=[letter(seat) for seat in shortened.condensed],
        left_out=[letter(seat) for seat in shortened.left_out],
        analysis_by=analysis_by(fusion),
        failure_reason=fusion.analysis_reason or None,
        error=fusion.analysis_error or None,
        wish=_wished(fusion.wish),
    )


def _wished(wish: dict[str, Any]) -> Wished | None:
    if not wish:
        return None
    rulings = [
        {"verdict": None, "note": None, "stances": []} | one for one in wish.get("rulings", [])
    ]
    return Wished(
        rulings=[RuledClaim.model_validate(one) for one in rulings],
        facts=wish.get("facts", []),
        on=wish.get("on"),
        instruction=wish.get("instruction"),
        way=wish.get("way", "fuse"),
        preset=wish.get("preset"),
        analysis_only=wish.get("analysis_only", False),
    )


def _sentence(sentence: SourcedSentence) -> SentenceProvenance:
    return SentenceProvenance(
        start=sentence.start,
        end=sentence.end,
        seats=[*sentence.letters],
        own=sentence.is_own,
        you=sentence.is_yours,
        claims=[use.claim for use in sentence.uses],
        linked=sentence.is_linked,
    )


def asked(who: Panelist) -> str | None:
    """Of a judge or a writer: nobody where words stand in for it."""
    return who.model if who.can_judge else None


def asked_as(who: dict[str, Any]) -> str | None:
    """The same of one as a fusion stores it."""
    return None if who.get("judges") is False else str(who.get("model", ""))


def analysis_by(fusion: FusionState) -> Literal["model", "words"] | None:
    """None where they were not compared."""
    if fusion.analysis is None:
        return None
    return "words" if fusion.analysis_by == WORDS else "model"


def best_of(state: RunState, fusion: FusionState) -> Best | None:
    call = state.calls.get(fusion.best)
    if call is None or call.seat is None:
        return None
    return Best(seat=letter(call.seat), model=model_of(call), reason=why_best(state, fusion))


def seat_object(spec: Spec, state: RunState, seat: int) -> Seat:
    call = state.answer(seat) or state.latest(Step.PANEL, seat=seat)
    who = Panelist.from_dict(call.panelist) if call else spec.panel[seat]
    return Seat(
        seat=letter(seat),
        call=call.key if call else None,
        model=model_of(call) if call else spec.panel[seat].known_as,
        in_place_of=in_place_of(spec, call) if call else None,
        name=spec.name_of(seat, who),
        brought=who.is_brought,
        brought_by=who.brought_by or None,
        status=call.status.value if call else "waiting",
        text=call.text if call else "",
        finish_reason=call.finish_reason if call else None,
        reason=(call.reason or None) if call else None,
        error=(call.error or None) if call else None,
    )


def sources(state: RunState) -> list[dict[str, str]]:
    """Of the panel's answers, by seat, and of what was written from them; each page once."""
    seats = {call.seat for call in state.calls.values() if call.step is Step.PANEL}
    answers = [state.answer(seat) for seat in sorted(s for s in seats if s is not None)]
    return _sources([call for call in (*answers, state.fused) if call and call.is_usable])


def _sources(calls: Sequence[CallState]) -> list[dict[str, str]]:
    """A page without a title goes by its address."""
    titles: dict[str, str] = {}
    for cited in (cited for call in calls for cited in call.citations):
        titles[cited["url"]] = titles.get(cited["url"]) or cited["title"]
    return [{"url": url, "title": title or url} for url, title in titles.items()]
