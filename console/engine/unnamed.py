"""A run as it is told to who is not to know which models were asked.

Seats go by their letters, and whoever judged and wrote by what they did. What a server said of
itself or of a failure may name it, and is told in our words. What is written in the texts stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .errors import SENTENCES, Reason
from .spec import NOBODY, Panelist, Spec, letter
from .state import CallState, FusionState, RunState, Step
from .terms import Terms

JUDGE, WRITER, ANOTHER = "the judge", "the writer", "another model"
LOCAL = "local"  # of the built-in model: that it only demonstrates, every page says
PANEL = "A panel"


class Unnamed:
    """`spec` is as the run was asked."""

    def __init__(self, spec: Spec) -> None:
        self._seats = [panelist.model for panelist in spec.panel]
        self.spec = replace(
            spec,
            panel=tuple(_who(p, _seat(n)) for n, p in enumerate(spec.panel)),
            judge=_who(spec.judge, JUDGE),
            synthesizer=_who(spec.synthesizer, WRITER) if spec.synthesizer else None,
            preset="custom",
            preset_name=PANEL,
            request={},
            terms=_promised(spec.terms),
        )

    def state(self, state: RunState) -> RunState:
        return replace(
            state,
            error=_said(state.reason, state.error),
            calls={key: self._call(call) for key, call in state.calls.items()},
            fusions={n: self._fusion(fusion) for n, fusion in state.fusions.items()},
        )

    def _call(self, call: CallState) -> CallState:
        return replace(
            call,
            panelist=_stored(call.panelist, self._name(call)),
            model="",
            provider="",
            generation_id="",
            error=_said(call.reason, call.error),
        )

    def _name(self, call: CallState) -> str:
        if call.seat is None:
            return JUDGE if call.step is Step.ANALYSIS else WRITER
        if call.step is Step.CONDENSE:
            return JUDGE
        is_meant = call.panelist.get("model") == self._seats[call.seat]
        return _seat(call.seat) if is_meant else ANOTHER

    def _fusion(self, fusion: FusionState) -> FusionState:
        return replace(
            fusion,
            judge=_stored(fusion.judge, JUDGE),
            synthesizer=_stored(fusion.synthesizer, WRITER),
            analysis_error=_said(fusion.analysis_reason, fusion.analysis_error),
            wish={name: one for name, one in fusion.wish.items() if name != "preset"},
        )


def _seat(seat: int) -> str:
    return f"model {letter(seat)}"


def _said(reason: str, error: str) -> str:
    if not (error and reason):
        return ""
    try:
        return SENTENCES[Reason(reason)]
    except (KeyError, ValueError):
        return "It failed."


def _stored(panelist: dict[str, Any], name: str) -> dict[str, Any]:
    """Its version, which says who can read it, stays."""
    if not panelist:
        return panelist
    version = {"v": panelist["v"]} if "v" in panelist else {}
    return _who(Panelist.from_dict(panelist), name).to_dict() | version


def _who(panelist: Panelist, name: str) -> Panelist:
    if panelist == NOBODY:
        return panelist
    return replace(
        panelist,
        model="" if panelist.is_brought else name,
        label=name if panelist.is_brought else "",
        brought_by="" if panelist.is_brought else None,
        credential=LOCAL if panelist.credential == LOCAL else "",
        system_prompt="",
        price=None,
        context_length=None,
        fallback=_who(panelist.fallback, ANOTHER) if panelist.fallback else None,
        terms=_promised(panelist.terms),
    )


def _promised(terms: Terms) -> Terms:
    """That nothing leaves the machine says nobody's name."""
    return Terms(
        only_local=terms.only_local,
        zero_retention=terms.zero_retention,
        no_training=terms.no_training,
    )
