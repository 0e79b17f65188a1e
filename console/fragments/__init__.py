"""The parts of a run's page that change while it runs.

`run_context` turns a spec and a folded state into what the templates need, and
knows neither request nor clock: a live page and a reloaded one are the same.
Running seconds are therefore not text but a `data-since` for the browser.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.template.loader import render_to_string

from ..engine.findings.given import fused_answer
from ..engine.spec import Spec
from ..engine.state import CallState, RunState, RunStatus, Step
from ..record import by_words
from . import agreement, figures, phases, pooled, receipt, seats, sentences, sources
from .renderings import rendered

LOCAL_CREDENTIAL = "local"


def run_context(
    spec: Spec,
    state: RunState,
    *,
    show_costs: bool,
    show_notes: bool | None = None,
    names_runs: bool = True,
    note: str = "",
) -> dict[str, Any]:
    """`note` says what a silent run is waiting for; it stands above everything else. Who is shown
    no costs is shown no notes to rulings either, where nothing else is said. `names_runs`: others
    than this one."""
    columns = seats.columns(spec, state)
    sentence = sentences.status(spec, state)
    if pooled.is_researching(spec, state):
        sentence = pooled.words(state)
    return {
        "spec": spec,
        "state": state,
        "show_costs": show_costs,
        "show_notes": show_costs if show_notes is None else show_notes,
        "seats": columns,
        "phases": phases.phases(spec, state, pooled.phase(spec, state)),
        "pool": pooled.pool_view(spec, state, columns),
        "total": phases.total(state),
        "status_sentence": sentence,
        "status_is_told": sentences.is_told_by_steps(sentence),
        "in_title": sentences.in_title(spec, state),
        "waiting": sentences.waiting(spec, state),
        "waits": sentences.seat_waits(spec, state),
        "notice": sentences.notice(state, note),
        "marks": sentences.marks(spec, state),
        # Why another answer stands in is said once: where it is, by the notice above everything.
        "notice_says_why": state.status is RunStatus.COMPLETED and bool(state.error),
        "receipt": receipt.receipt(spec, state, columns, names_runs=names_runs)
        if show_costs
        else None,
        "is_demonstration": is_demonstration(spec),
    } | _outcome(spec, state, columns)


def fusion_context(spec: Spec, state: RunState, number: int, *, show_costs: bool) -> dict[str, Any]:
    """In the place of the latest fusion's, what there is of an earlier one."""
    columns, alone = seats.columns(spec, state), state.of_turn(number)
    found = receipt.receipt(spec, alone.without_panel(), columns) if show_costs else None
    return _outcome(spec, alone, columns) | {"receipt": found, "notice_says_why": False}


def _outcome(spec: Spec, state: RunState, columns: list[seats.SeatView]) -> dict[str, Any]:
    """Text and analysis of the latest fusion, and who made them."""
    return {
        "analysis": agreement.analysis(spec, state, columns),
        "fused": seats.fused(spec, state),
        "fused_answer": (answer := fused_answer(state)),
        "fused_marked": _marked(state, answer),
        "put_together": by_words.put_together(state, state.fusion),
        "stand_in": seats.stand_in(state),
        "fused_from": sentences.fused_from(spec, state),
        "criteria": own_criteria(spec, state),
        "beside": {key: sources.beside(call) for key, call in _shown(spec, state).items()},
    }


def _marked(state: RunState, answer: str) -> str:
    """The fused answer with its marks of source, as it was written; "" where it has none."""
    call = state.final_call
    return call.text if call and call.step is Step.SYNTHESIS and call.text != answer else ""


def own_criteria(spec: Spec, state: RunState) -> str:
    """Those that a reader gave to this fusion alone."""
    criteria = state.fusion.criteria if state.fusion else ""
    return "" if criteria == spec.criteria else criteria


class SeatFragments:
    """As they were made last, for who makes them again and again: mostly no seat has changed, or
    one of them."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], tuple[Any, dict[str, str]]] = {}

    def of(self, seat: seats.SeatView, waits: Any, *, show_costs: bool) -> dict[str, str]:
        place, made_of = (seat.id, show_costs), (seat.is_shown_as, waits)
        before = self._made.get(place)
        if before is None or before[0] != made_of:
            html = _seat_fragments(seat, waits, show_costs=show_costs)
            before = self._made[place] = made_of, html
        return before[1]


def _seat_fragments(seat: seats.SeatView, waits: Any, *, show_costs: bool) -> dict[str, str]:
    own = {"seat": seat, "show_costs": show_costs, "waits": waits}
    return {
        f"{seat.id}-head": render_to_string("console/run/_seat_head.html", own),
        f"{seat.id}-source": seat.source,
        f"{seat.id}-note": render_to_string("console/run/_seat_note.html", own),
        f"{seat.id}-waits": render_to_string("console/run/_seat_waits.html", own).strip(),
        f"{seat.id}-end": render_to_string("console/run/_seat_end.html", own).strip()
        if seat.has_text
        else "",
    }


def run_fragments(context: dict[str, Any], made: SeatFragments | None = None) -> dict[str, str]:
    """Element id -> its inner HTML, from the very templates the page includes. `made`: by the
    same who asks now, of the same run."""
    parts = {
        "run-status": "_status",
        "run-notice": "_notice",
        "run-badges": "_badges",
        "phases": "_phases",
        "fused-head": "_fused_head",
        "fused-note": "_fused_note",
        "analysis": "_analysis",
    }
    if context["show_costs"]:
        parts["receipt"] = "_receipt"
    if context["pool"]:
        parts["sources"] = "_pool"
    if not context["state"].status.is_final:
        parts["fuse-now"] = "_fuse_now"
    html: dict[str, str] = {
        i: render_to_string(f"console/run/{name}.html", context) for i, name in parts.items()
    }
    made = made or SeatFragments()
    for seat in context["seats"]:
        waits = context["waits"].get(seat.id)
        html |= made.of(seat, waits, show_costs=context["show_costs"])
    for key, beside in context["beside"].items():
        html[f"{key}-sources"] = render_to_string("console/run/_sources.html", {"beside": beside})
    return html


def run_figures(spec: Spec, state: RunState) -> dict[str, str]:
    """`data-figure` of the page -> its text: what changes with every word, as data."""
    calls = state.of_seats()
    tokens = {
        f"seat-{i}-tokens": figures.output_tokens(calls.get(i)) for i in range(len(spec.panel))
    }
    return tokens | {"in-title": sentences.in_title(spec, state)}


def run_texts(spec: Spec, state: RunState) -> dict[str, str]:
    """Text container -> HTML of all there is: what a page holds before its socket opens."""
    calls = _shown(spec, state)
    return {key: _html(state, call) if call else "" for key, call in calls.items()}


_Also = Callable[..., dict[str, str]] | None


class RunTexts:
    """`run_texts`, made where a template shows them: what is told of the end has none of them.
    `also` is made of them then, with what else it is given."""

    def __init__(self, spec: Spec, state: RunState, also: _Also = None, *given: Any) -> None:
        self._of = spec, state, also, *given

    def __reduce__(self) -> tuple[Any, ...]:
        """It is what it is made of."""
        return RunTexts, self._of

    def __call__(self) -> dict[str, str]:
        return self._made

    @cached_property
    def _made(self) -> dict[str, str]:
        spec, state, also, *given = self._of
        texts = run_texts(spec, state)
        return also(texts, *given) if also else texts

    def and_then(self, also: _Also, *given: Any) -> RunTexts:
        spec, state, *_ = self._of
        return RunTexts(spec, state, also, *given)


def _shown(spec: Spec, state: RunState) -> dict[str, CallState | None]:
    """Text container -> the call whose text it holds."""
    calls = {f"seat-{i}": state.latest(Step.PANEL, seat=i) for i in range(len(spec.panel))}
    return calls | {"fused": state.final_call}


def _html(state: RunState, call: CallState) -> str:
    """Only the fused answer has marks of provenance."""
    letters = state.letters_of(call.fusion) if call.fusion else ""
    return rendered(call.text, sources=letters, cited=sources.addresses(call))


def is_demonstration(spec: Spec) -> bool:
    panelists = [*spec.panel, spec.judge, spec.writer]
    return any(p.credential == LOCAL_CREDENTIAL for p in panelists)
