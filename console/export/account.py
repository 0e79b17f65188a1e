"""One run told in parts, for who writes it down to be read: what was asked, what came of it, who
says what, each answer, and what it cost.

Parts are of the run as programs are told it (`record/told.py`), as far as the reader is shown
them. Moments are those of UTC, so that the same run is the same file everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

from ..engine.attachments import alt_of, amount, kept, not_kept
from ..engine.findings.ruling import told
from ..engine.given_files import by_how
from ..engine.spec import Spec, letter
from ..engine.state import CallState, FusionState, RunState, Step
from ..engine.usage import UNKNOWN, money
from ..files.answered import data_address
from ..files.attached import described
from ..models import Run, Verdict
from ..models.shown import Shown
from ..record import public
from ..record import told as shapes
from ..record.changed_since import CHANGE_WORDS, changed_since, said_by
from ..record.parts import Analysis, JudgesQuote
from ..record.pooled import pooled
from ..record.portable.withheld import fusion_for
from ..record.rows import state_from_rows
from ..record.with_run import FileWithRun, files_with
from .parts import (
    Account,
    ToldAnswer,
    ToldChanges,
    ToldClaim,
    ToldFile,
    ToldFusion,
    ToldLine,
    ToldPart,
    ToldPicture,
    ToldQuote,
    ToldSource,
)

_STATUS = {"failed": "It failed.", "cancelled": "It was stopped."}
_STEPS = {
    Step.PANEL: "answer",
    Step.CONDENSE: "condensing",
    Step.ANALYSIS: "analysis",
    Step.SYNTHESIS: "fused answer",
    Step.POLL: "poll",
    Step.RESEARCH: "search queries",
    Step.LOOKUP: "claim looked up",
}
_BEST = {
    "fused_failed": "No fused answer could be written: the best single answer stands in.",
    "fused_unusable": "What was written repeats itself: the best single answer stands in.",
    "chosen": "The best answer as it is, as the reader wished.",
}
_FOUND = {"tie": "tie", "all_bad": "all bad"}


def account(run: Run, shown: Shown, before: Run | None = None) -> Account:
    """`before`: the run whose question it asks again, for who may read that. Raises
    SpecUnreadable."""
    spec, state = run.frozen_spec, state_from_rows(run)
    has_costs = shown.costs and not run.is_read_only
    lines = tuple(_lines(state)) if has_costs else ()
    files = files_with(run, state) if shown.prompt else []
    return Account(
        prompt=run.prompt,
        asked=_moment(run.asked_at),
        facts=tuple(_facts(run, spec, state, shown, files)),
        error=state.error or _STATUS.get(state.status, ""),
        fusions=tuple(_fusions(spec, state, shown)),
        answers=tuple(_answers(spec, state)),
        found_best=tuple(map(_found, run.verdicts.select_related("person")))
        if shown.people
        else (),
        sources=tuple(_sources(state)) if state.research else (),
        files=tuple(map(_file, files)),
        receipt=lines,
        total=_total(state) if lines else None,
        changed=_changed(before, spec, state) if before else None,
    )


def _changed(before: Run, spec: Spec, state: RunState) -> ToldChanges | None:
    """None where either has no answer."""
    sides = said_by(before.frozen_spec, state_from_rows(before)), said_by(spec, state)
    if not all(side.fused for side in sides):
        return None
    found = changed_since(*sides)
    told = ((CHANGE_WORDS[one.kind], one.before, one.now) for one in found)
    return ToldChanges(_moment(before.asked_at), tuple(told))


def _sources(state: RunState) -> Iterator[ToldSource]:
    """Of a run for which something was looked up. What was read, then what was not."""
    for one in pooled(state):
        if urlsplit(one.url).scheme not in ("http", "https"):
            continue
        notes = [one.failure] if one.failure else []
        if one.named_by and not one.was_read:
            letters = ", ".join(map(letter, one.named_by))
            notes.append(f"Named by the provider of {letters}, not read here.")
        if one.quotes:
            notes.append(f"{one.found} of {one.quotes} quotes found in it.")
        notes += [f"Not found in it: “{quote}”." for quote in dict.fromkeys(one.missing)]
        if one.orders:
            notes.append(f"It tells models what to do (“{one.orders}”), which was not followed.")
        cited = ["fused" if c.seat is None else letter(c.seat) for c in one.cited_by]
        yield ToldSource(one.number, one.url, one.title, ", ".join(cited), " ".join(notes))


def _file(file: FileWithRun) -> ToldFile:
    kept = file.row.file
    what = f"{described(kept.type, kept.read)}, {amount(kept.size)}"
    given = (f"{', '.join(map(letter, seats))}: {how}" for how, seats in by_how(file.given).items())
    return ToldFile(file.row.name, what, "; ".join(given))


def _facts(
    run: Run, spec: Spec, state: RunState, shown: Shown, files: Sequence[FileWithRun]
) -> Iterator[str]:
    if run.is_sample:
        yield "Sample: no model was asked"
    elif run.is_read_only:
        yield f"Imported {_moment(run.created_at.timestamp())}"
    yield f"Preset: {run.preset_told}"
    names = (f"{letter(s)} {name}" for s, name in enumerate(spec.seat_names()))
    yield f"Panel: {', '.join(names)}"
    for role, who in (("Judge", public.asked(spec.judge)), ("Writer", public.asked(spec.writer))):
        if who and not (role == "Writer" and spec.synthesizer is None):
            yield f"{role}: {who}"
    if run.project:
        yield f"Project: {run.project.name}"
    if run.context:
        yield f"Told before the question: {' '.join(run.context.split())}"
    for file in files:
        what = described(file.row.file.type, file.row.file.read)
        yield f"Attached: “{file.row.name}” ({what})"
    if shown.prompt and (kept := run.template):
        yield f"From the template “{kept['name']}”, version {kept['version']}: " + "; ".join(
            f"{name}: {' '.join(value.split())}" for name, value in kept["values"].items() if value
        )
    if state.seconds is not None and not run.is_sample:
        yield f"Took {state.seconds:.1f} s"


def _fusions(spec: Spec, state: RunState, shown: Shown) -> Iterator[ToldFusion]:
    several = len(state.fusions) > 1
    for number in sorted(state.fusions, reverse=True):
        fusion = state.fusions[number]
        told_of = public.fusion_object(spec, state, fusion)
        if not (told_of.answer or told_of.analysis or told_of.error or fusion.wish):
            continue
        call = state.answering(fusion)
        is_written = call is not None and call.step is Step.SYNTHESIS
        title = "Fused answer" if is_written or not told_of.best else "Best single answer"
        yield ToldFusion(
            number=number,
            title=f"{title} {number}" if several else title,
            text=told_of.answer or "",
            marked=call.text if call and is_written else "",
            letters=state.letters_of(number),
            notes=tuple(_notes(told_of)),
            asked=_wish(fusion_for(fusion, shown)),
            parts=tuple(_parts(told_of.analysis)) if told_of.analysis else (),
            why_no_analysis=told_of.error or "",
            pictures=_pictures(call) if is_written else (),
        )


def _notes(fusion: shapes.Fusion) -> Iterator[str]:
    if fusion.best:
        yield f"{_BEST[fusion.best.reason]} It is {fusion.best.seat}'s."
    if fusion.judge and fusion.analysis_by == "model":
        yield f"Compared by {fusion.judge}."
    if fusion.analysis_by == "words":
        yield "Compared by their words: no model judged."
    if fusion.synthesizer and fusion.answer and not fusion.best:
        yield f"Written by {fusion.synthesizer}."
    if fusion.condensed:
        yield f"Condensed before they were compared: {', '.join(fusion.condensed)}."
    if fusion.left_out:
        yield f"Too long and left out: {', '.join(fusion.left_out)}."
    yield from fusion.analysis_notes


def _wish(fusion: FusionState) -> str:
    wish = fusion.wish
    asked = [told(wish)] if told(wish) else []
    if instruction := wish.get("instruction"):
        asked.append(f"- The reader wishes: {' '.join(instruction.split())}")
    return "\n".join(asked)


def _parts(analysis: Analysis) -> Iterator[ToldPart]:
    claims = []
    for one in analysis.contradictions:
        stances: dict[str, tuple[list[str], list[JudgesQuote]]] = {}
        for stance in one.stances:
            who, quotes = stances.setdefault(stance.stance, ([], []))
            who.append(stance.seat)
            quotes += stance.quotes
        told_stances = (
            ToldClaim(text, ", ".join(who), _quotes(quotes))
            for text, (who, quotes) in stances.items()
        )
        claims.append(ToldClaim(one.topic, stances=tuple(told_stances)))
    yield ToldPart("Contradictions", "they disagree", tuple(claims))
    claims = [
        ToldClaim(c.claim, ", ".join(c.seats), _quotes(c.quotes))
        for c in analysis.consensus_evidence
    ]
    yield ToldPart("Consensus", "they agree", tuple(claims))
    claims = [
        ToldClaim(p.point, ", ".join(p.seats), _quotes(p.quotes)) for p in analysis.partial_coverage
    ]
    yield ToldPart("Partial coverage", "only some cover it", tuple(claims))
    claims = [ToldClaim(i.insight, i.seat, _quotes(i.quotes)) for i in analysis.unique_insights]
    yield ToldPart("Unique insights", "only one saw it", tuple(claims))
    yield ToldPart("Blind spots", "nobody said it", tuple(map(ToldClaim, analysis.blind_spots)))


def _quotes(quotes: Iterable[JudgesQuote]) -> tuple[ToldQuote, ...]:
    return tuple(ToldQuote(q.seat, q.quote, _place(q)) for q in quotes)


def _place(quote: JudgesQuote) -> str:
    if quote.verified:
        return ""
    return f"stands in {quote.found_in}'s answer" if quote.found_in else "not found in the answer"


def _answers(spec: Spec, state: RunState) -> Iterator[ToldAnswer]:
    for place in range(len(spec.panel)):
        seat = public.seat_object(spec, state, place)
        call = state.calls.get(seat.call or "")
        cited = call.citations if call else []
        sources = (
            (int(one.get("number", n)), one["url"], one["title"] or one["url"])
            for n, one in enumerate(cited, 1)
            if urlsplit(one["url"]).scheme in ("http", "https")
        )
        yield ToldAnswer(
            seat=place,
            letter=seat.seat,
            name=seat.name,
            model=_model(seat, call),
            text=seat.text,
            reasoning=call.reasoning if call else "",
            note=seat.error or _lost(call),
            sources=tuple(sources),
            pictures=_pictures(call),
        )


def _lost(call: CallState | None) -> str:
    if call is None:
        return "It was never asked."
    lost = not_kept(call.attachments)
    return f"It came with {lost}." if lost else ""


def _pictures(call: CallState | None) -> tuple[ToldPicture, ...]:
    found = ((data_address(one), alt_of(one)) for one in kept(call.attachments if call else ()))
    return tuple(ToldPicture(address, alt) for address, alt in found if address)


def _model(seat: shapes.Seat, call: CallState | None) -> str:
    if not seat.brought:
        return call.model if call and call.model else seat.model
    return "from elsewhere" if seat.model == seat.name else f"from elsewhere, {seat.model}"


def _found(verdict: Verdict) -> str:
    who = verdict.person.get_username() if verdict.person else "Somebody"
    said = f"{who}: {_FOUND.get(verdict.best, verdict.best)}"
    return f"{said} ({' '.join(verdict.note.split())})" if verdict.note else said


def _lines(state: RunState) -> Iterator[ToldLine]:
    order = {step: place for place, step in enumerate(_STEPS)}
    calls = sorted(state.calls.values(), key=lambda c: (order[c.step], c.seat or 0, c.number))
    for call in calls:
        if call.status.is_final and not (call.is_by_words or call.is_brought):
            what = _STEPS[call.step]
            if call.seat is not None:
                what = f"{letter(call.seat)} {what}" if call.step is not Step.PANEL else ""
                what = what or letter(call.seat)
            yield ToldLine(
                what=what,
                who=str(call.panelist.get("model", "")) + (", taken over" * call.is_taken),
                tokens_in=_count(call.usage.input_tokens),
                tokens_out=_count(call.usage.output_tokens),
                cost=_dollars(call.charged),
            )


def _total(state: RunState) -> ToldLine:
    usage, (cost, partial) = state.usage(), state.cost()
    total = _dollars(cost, partial)
    return ToldLine("Total", "", _count(usage.input_tokens), _count(usage.output_tokens), total)


def _dollars(cost: Decimal | None, partial: bool = False) -> str:
    return money(cost, partial)


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _moment(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
