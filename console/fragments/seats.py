"""Columns: one per seat, and the fused answer, which is told in the same terms."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from ..engine.errors import Reason
from ..engine.given_files import was_given
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallState, CallStatus, RunState, RunStatus, Step
from ..engine.text import ended
from ..engine.usage import MILLION, UNKNOWN, money
from . import figures
from .call_words import FAILURES, kept_of, marks_of
from .options import options
from .trail import NO_TRAIL, TrailView, trails
from .tries import Try, tries_of
from .wishes import wished

AT_ONCE = 0.5  # seconds

# Of a call, but its texts.
_BESIDE = [f.name for f in fields(CallState) if f.name not in ("text", "reasoning")]


@dataclass(frozen=True)
class CallView:
    """One call as the page tells it; `call` is None until it has been made."""

    id: str
    panelist: Panelist
    call: CallState | None
    run_status: RunStatus
    tries: list[Try] = field(default_factory=list, kw_only=True)
    # Of a fusion: what came of it instead of a text, and with what it was asked.
    way: str = field(default="fuse", kw_only=True)
    wished: str = field(default="", kw_only=True)
    # What a seat looked up by itself.
    trail: TrailView = field(default=NO_TRAIL, kw_only=True)
    # Of a seat that was stopped before its turn: the others have been asked.
    is_passed_over: bool = field(default=False, kw_only=True)

    @property
    def is_shown_as(self) -> tuple[Any, ...]:
        """All that is told of it: of a text that is still being written only that it is there, of
        how the run stands what that makes of it."""
        own = [getattr(self, f.name) for f in fields(self) if f.name not in ("call", "run_status")]
        own += (self.state, self.kept)
        call = self.call
        if call is None:
            return tuple(own)
        text = call.text if call.status.is_final else bool(call.text)
        reasoning = self.reasoning or bool(call.reasoning)
        return *own, text, reasoning, *(getattr(call, name) for name in _BESIDE)

    @property
    def until(self) -> float | None:
        """When the next call is made, while one is waited for."""
        return self.call.retry_at if self.call and self.state == "retrying" else None

    @property
    def next_try(self) -> str:
        """What follows the failed call, in words that hold until it does."""
        if self.call is None or self.state != "retrying":
            return ""
        if self.call.retry_cause == "fallback":
            return "Its fallback is asked next."
        return f"Try {self.call.number + 1} follows."

    @property
    def state(self) -> str:
        """The word CSS knows."""
        if self.call is None:
            is_skipped = self.is_passed_over or self.run_status.is_final
            return "skipped" if is_skipped else "waiting"
        if self.call.retry_at is not None and not self.run_status.is_final:
            return "retrying"
        if self.call.is_turn:  # the next one follows at once
            return "stopped" if self.run_status.is_final else "waiting"
        match self.call.status:
            case CallStatus.STREAMING:
                return "writing" if self.call.text else "thinking"
            case CallStatus.COMPLETED:
                return "done"
            case CallStatus.CANCELLED:
                return "stopped"
            case status:
                return status.value

    @property
    def word(self) -> str:
        """The word people read."""
        if self.state == "failed" and self.call and self.call.reason:
            return FAILURES.get(Reason(self.call.reason), "failed")
        if self.call and self.call.is_brought:
            return "brought"
        return {"skipped": "not asked", "retrying": "trying again"}.get(self.state, self.state)

    @property
    def looks_up(self) -> bool:
        """Tools are at work for it, before it is asked what comes next."""
        call = self.call
        is_between = call is not None and (call.is_turn or call.cause == "turn")
        return is_between and self.state == "waiting" and not (call and call.sent_at)

    @property
    def since(self) -> float | None:
        return self.call.started_at if self.call and not self.call.status.is_final else None

    @property
    def writes_since(self) -> float | None:
        """Since its first token, thoughts or text, as long as more come."""
        is_writing = self.state in ("writing", "thinking")
        return self.call.first_token_at if self.call and is_writing else None

    @property
    def thinks_since(self) -> float | None:
        call = self.call
        return (call.first_token_at or call.sent_at) if call else None

    @property
    def thought_for(self) -> str:
        """What is seen of it: thoughts that came in one piece say nothing of their time."""
        call = self.call
        end = (call.first_text_at or call.finished_at) if call else None
        seconds = figures.span(call.first_token_at, end) if call else None
        if seconds is None or seconds < AT_ONCE:
            return ""
        return f"Thought for {figures.about(seconds)}"

    @property
    def seconds(self) -> str:
        """From when it was asked to its end."""
        call = self.call
        if call is None:
            return UNKNOWN
        return figures.about(figures.span(call.sent_at or call.started_at, call.finished_at))

    @property
    def first_token(self) -> str:
        call = self.call
        return figures.seconds(_waited(call))

    @property
    def dollars_per_token(self) -> str:
        """Of what it writes, by its list price; "" where there is none."""
        price = self._asked.price
        return f"{price.output / MILLION:f}" if price else ""

    @property
    def rate(self) -> str:
        return figures.rate(self.call) if self.call else UNKNOWN

    @property
    def tokens(self) -> str:
        return figures.output_tokens(self.call)

    @property
    def cost(self) -> str:
        return money(self.call.cost if self.call else None)

    @property
    def cost_is_estimated(self) -> bool:
        return bool(self.call and figures.is_estimated(self.call))

    @property
    def concrete_model(self) -> str:
        """What answered, where it is not what was asked for."""
        answered = self.call.model if self.call else ""
        return "" if answered == self._asked.model else answered

    @property
    def asked_name(self) -> str:
        """Who was really asked last: a fallback goes by its own name."""
        return self._asked.short_name

    @property
    def asked_model(self) -> str:
        return self._asked.model

    @property
    def _asked(self) -> Panelist:
        return Panelist.from_dict(self.call.panelist) if self.call else self.panelist

    @property
    def options(self) -> str:
        return " · ".join(options(self._asked))

    @property
    def given(self) -> list[str]:
        """How it was given what is attached."""
        return was_given(self.call.files) if self.call else []

    @property
    def marks(self) -> list[str]:
        return marks_of(self.call, self.panelist) if self.call else []

    @property
    def problem(self) -> str:
        if self.call is None or self.state not in ("failed", "retrying"):
            return ""
        # `kept` says more exactly what became of the text.
        return ended(self.call.error.removesuffix(" What had arrived is kept."))

    @property
    def kept(self) -> str:
        return kept_of(self.call, self.run_status) if self.call else ""

    @property
    def reasoning(self) -> str:
        """Only once it is whole: sending it anew with every token would cost its square."""
        call = self.call
        return call.reasoning if call and (call.text or call.status.is_final) else ""

    @property
    def source(self) -> SafeString:
        """What a reader copies: the text as it was written, once it is whole. Escaped once, since
        fragments are made many times."""
        call = self.call
        return _escaped(call.text) if call and call.status.is_final else SafeString()

    @property
    def has_text(self) -> bool:
        return bool(self.call and self.call.text)


@dataclass(frozen=True)
class SeatView(CallView):
    seat: int
    name: str
    # The fused answer that is shown was begun while it still wrote.
    was_late: bool = field(default=False, kw_only=True)

    @property
    def letter(self) -> str:
        return letter(self.seat)

    @property
    def has_yet_to_begin(self) -> bool:
        """It was asked at most, for the first time, and nothing has come of it."""
        call = self.call
        if call is None:
            return not self.is_passed_over
        is_first = call.number == 1 and not self.tries and call.retry_at is None
        return is_first and call.status is CallStatus.WAITING

    @property
    def lateness(self) -> str:
        if not self.was_late or self.call is None:
            return ""
        if not self.call.status.is_final:
            return "The fused answer was begun without it. It goes on."
        return "It came when the fused answer had been begun." if self.call.is_usable else ""

    @property
    def is_brought(self) -> bool:
        """An answer from elsewhere, about which there are no figures."""
        return self._asked.is_brought

    @property
    def brought_by(self) -> str:
        return self._asked.brought_by or ""

    @property
    def may_be_retried(self) -> bool:
        """Its place has no answer: asking again is offered where that is said."""
        return self.state in ("failed", "stopped", "skipped")


def columns(spec: Spec, state: RunState) -> list[SeatView]:
    tries, trail_of, calls = [], trails(state), state.of_seats()
    # Whoever is to be asked has a call before the first of them goes out.
    is_asked = any(c.sent_at and not (c.is_brought or c.is_taken) for c in calls.values())
    for seat, panelist in enumerate(spec.panel):
        call = calls.get(seat)
        asked = Panelist.from_dict(call.panelist) if call else panelist
        tries.append(
            SeatView(
                id=f"seat-{seat}",
                panelist=panelist,
                call=call,
                run_status=state.status,
                seat=seat,
                name=spec.name_of(seat, asked),
                tries=tries_of(state.calls_of(Step.PANEL, seat=seat)),
                was_late=bool(call and state.fusion and call.key in state.fusion.without),
                trail=trail_of.get(seat, NO_TRAIL),
                is_passed_over=call is None and is_asked,
            )
        )
    return tries


def fused(spec: Spec, state: RunState) -> CallView:
    number = state.fusion.number if state.fusion else 0
    writer = spec.writer
    if state.fusion and state.fusion.synthesizer:
        writer = Panelist.from_dict(state.fusion.synthesizer)
    tries = tries_of(state.calls_of(Step.SYNTHESIS, fusion=number))
    way = state.fusion.way if state.fusion else "fuse"
    said = wished(state.fusion)
    return CallView("fused", writer, state.fused, state.status, tries=tries, way=way, wished=said)


def stand_in(state: RunState) -> str:
    """Whose answer stands where no fused answer could be written; "" where one was."""
    call = state.calls.get(state.fusion.best) if state.fusion else None
    if call is None or call.seat is None:
        return ""
    return f"{letter(call.seat)} · {Panelist.from_dict(call.panelist).short_name}"


@lru_cache(maxsize=64)
def _escaped(text: str) -> SafeString:
    return escape(text)


def _waited(call: CallState | None) -> float | None:
    return figures.span(call.sent_at or call.started_at, call.first_token_at) if call else None
