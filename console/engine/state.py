"""The folded state of a run: what its events come to, and what its rows say.

A call's key is `panel-<seat>-<number>`, `analysis-f<fusion>-<number>` or
`synthesis-f<fusion>-<number>`; of a step with a call for each seat of a fusion,
`condense-f<fusion>-s<seat>-<number>`; before there is a fusion, `research-<number>`. Numbers start
at 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .errors import Reason
from .pool import Pool, costs
from .spec import LETTERS, letter
from .usage import Price, Usage, is_free, total_cost

# The causes of calls that nobody was asked for.
BROUGHT, TAKEN = "brought", "taken"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class CallStatus(StrEnum):
    WAITING = "waiting"  # made known, nothing has arrived
    QUEUED = "queued"  # until its credential has a free place
    STREAMING = "streaming"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.CANCELLED)


class Step(StrEnum):
    PANEL = "panel"
    ANALYSIS = "analysis"
    SYNTHESIS = "synthesis"
    CONDENSE = "condense"
    POLL = "poll"
    RESEARCH = "research"
    LOOKUP = "lookup"


def call_key(step: Step, place: int, number: int, seat: int | None = None) -> str:
    """`place` is the seat of a panel call and the fusion of any other; `seat` is whose answer
    is condensed, or who is polled. Research is the run's."""
    if step is Step.RESEARCH:
        return f"{step}-{number}"
    if step is Step.PANEL:
        return f"{step}-{place}-{number}"
    return f"{step}-f{place}-{number}" if seat is None else f"{step}-f{place}-s{seat}-{number}"


def seat_of(key: str) -> int | None:
    """The seat a call's key names."""
    step, *places, _ = key.split("-")
    if not places:
        return None
    name = places[0] if step == Step.PANEL else places[-1]
    return None if name.startswith("f") else int(name.removeprefix("s"))


@dataclass(slots=True)  # with so many fields a dict of them would take a kilobyte
class CallState:
    key: str
    step: Step
    number: int
    cause: str
    panelist: dict[str, Any]
    seat: int | None = None
    fusion: int | None = None
    status: CallStatus = CallStatus.WAITING
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    reason: str = ""
    error: str = ""
    status_code: int | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    cost_source: str = ""
    model: str = ""
    provider: str = ""
    generation_id: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    # So many pieces of the stream could not be read: the text lacks them.
    unreadable: int = 0
    # Web pages that the provider says the text rests on: `url` and `title`.
    citations: list[dict[str, str]] = field(default_factory=list)
    # What came beside the text (`attachments.py`).
    attachments: list[dict[str, Any]] = field(default_factory=list)
    # How each file that was attached was given to it (`given_files.py`).
    files: list[dict[str, Any]] = field(default_factory=list)
    # It ended in calls of our tools, and its seat goes on: with what has to go back (receipt.py).
    goes_on: dict[str, Any] = field(default_factory=dict)
    # The output limit it went out with, where a budget paid for no more.
    output_limit: int | None = None
    # Of an answer that was taken over: "<run>/<key>" of the call that was paid for.
    taken_from: str = ""
    # Another call follows this failed one, at this time and for this cause.
    retry_at: float | None = None
    retry_cause: str = ""
    started_at: float | None = None
    sent_at: float | None = None
    first_token_at: float | None = None
    first_text_at: float | None = None  # and its thoughts had their end
    finished_at: float | None = None

    @property
    def is_usable(self) -> bool:
        if self.status is not CallStatus.COMPLETED or self.goes_on:
            return False
        return bool(self.text.strip() or self.tool_calls)

    @property
    def was_billable(self) -> bool:
        """Ended after something came back, so somebody may have been charged for it.

        A refused or empty answer may have cost its thoughts, which are not always shown.
        """
        if self.is_by_words:
            return False
        came_back = self.text or self.reasoning or self.usage != Usage() or self.cost is not None
        return self.status.is_final and (self.status is CallStatus.COMPLETED or bool(came_back))

    @property
    def charged(self) -> Decimal | None:
        """What it cost: where nothing is charged for its tokens, nothing, whoever counted them."""
        if self.cost is None and is_free(Price.from_dict(self.panelist.get("price"))):
            return Decimal(0)
        return self.cost

    @property
    def is_by_words(self) -> bool:
        """Made from the answers' own words, in the place of a model that cannot judge: nobody
        is asked, and nothing is sent."""
        is_judging = self.step in (Step.ANALYSIS, Step.SYNTHESIS)
        return is_judging and self.panelist.get("judges") is False and self.sent_at is None

    @property
    def is_brought(self) -> bool:
        """An answer from elsewhere: its text was there before anything was asked, in the row of a
        call that is completed and was never sent."""
        return self.panelist.get("brought_by") is not None

    @property
    def is_taken(self) -> bool:
        """A model's answer to the same question in another run: nobody is asked for it here."""
        return self.cause == TAKEN

    @property
    def was_interrupted(self) -> bool:
        """By the end of its worker, not by its own; another call follows."""
        return self.reason in (Reason.WORKER_LOST, Reason.WORKER_STOPPED)

    @property
    def is_turn(self) -> bool:
        """It ended well, in calls of our tools: its seat goes on with what they bring."""
        return self.status is CallStatus.COMPLETED and bool(self.goes_on)

    @property
    def is_unsent(self) -> bool:
        """Announced, but nobody has been asked: whoever takes the run up carries it out."""
        return not self.status.is_final and self.sent_at is None

    @property
    def is_unconfirmed(self) -> bool:
        """Ended properly, without saying why."""
        return self.status is CallStatus.COMPLETED and self.finish_reason is None

    def to_dict(self) -> dict[str, Any]:
        # Not copied: what stands in a call is replaced as a whole, never changed.
        said = ((f.name, getattr(self, f.name)) for f in fields(self))
        data = {name: value for name, value in said if value not in (None, "", {}, [])}
        data["usage"] = self.usage.to_dict()
        if not self.unreadable:
            del data["unreadable"]
        if self.cost is not None:
            data["cost"] = str(self.cost)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CallState:
        return cls(
            **(
                _known(cls, data)
                | {
                    "step": Step(data["step"]),
                    "status": CallStatus(data["status"]),
                    "panelist": data.get("panelist", {}),
                    "usage": Usage.from_dict(data.get("usage")),
                    "cost": Decimal(data["cost"]) if "cost" in data else None,
                }
            )
        )


@dataclass
class FusionState:
    """One judging of a panel's answers.

    `seats` are those a reader chose to fuse (empty: all), `judged` the keys of
    the calls that were compared, `analysis_by` is "words" where no judge compared them
    (findings/by_words.py), `without` those of the calls that were still
    writing then and went on, `best` the key of the answer that stands in where
    no fused answer could be written.

    `turn` makes it one of an agent's turns: the writer goes on from the fusion `after`, with
    what was said since (`messages`: its calls of tools, and their results) and what this request
    asks of it (`request`, as `Spec.request`). Answers and analysis are those of `root`.

    `wish` is what a reader asked of it beyond judge, writer, criteria and seats; what is empty
    is left out: `rulings` and `facts` (findings/ruling.py), `on` (the fusion that was ruled
    on), `root` (whose analysis it is, where it was copied), `instruction` (of the form),
    `way` ("best": the best answer is chosen and nothing written, "vote": the answers are counted),
    `preset` (whose judge, writer and criteria they are) and `analysis_only`.
    """

    number: int
    judge: dict[str, Any] = field(default_factory=dict)
    synthesizer: dict[str, Any] = field(default_factory=dict)
    criteria: str = ""
    seats: list[int] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    analysis: dict[str, Any] | None = None
    analysis_by: str = ""
    analysis_reason: str = ""
    analysis_error: str = ""
    best: str = ""
    # Of a preference poll: {seat, vote, fused_first} of each panelist that answered.
    poll: list[dict[str, Any]] = field(default_factory=list)
    turn: dict[str, Any] = field(default_factory=dict)
    wish: dict[str, Any] = field(default_factory=dict)
    status: RunStatus = RunStatus.RUNNING

    @property
    def root(self) -> int:
        """Whose analysis it goes by: its own, but for a copy."""
        root: int = self.turn.get("root") or self.wish.get("root") or self.number
        return root

    @property
    def way(self) -> str:
        return str(self.wish.get("way", "fuse"))

    @property
    def is_chosen(self) -> bool:
        """The best answer stands there because a reader wanted no other."""
        return bool(self.best) and self.way == "best"

    def to_dict(self) -> dict[str, Any]:
        """The analysis, which may be large, is never changed and so not copied."""
        return vars(self) | {"poll": [*self.poll]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FusionState:
        return cls(**(_known(cls, data) | {"status": RunStatus(data["status"])}))


@dataclass
class RunState:
    status: RunStatus = RunStatus.QUEUED
    attempt: int = 0
    reason: str = ""
    error: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    # Between an end and a later beginning (a seat retried, another fusion): nobody worked.
    idle_seconds: float = 0
    # Stragglers have until then to begin; who writes is waited for.
    grace_until: float | None = None
    calls: dict[str, CallState] = field(default_factory=dict)
    fusions: dict[int, FusionState] = field(default_factory=dict)
    # What was searched and read for it (pool.py).
    research: Pool = field(default_factory=dict)

    def copy(self) -> RunState:
        """As it is now, for another thread to read while events are folded into this one."""
        return replace(
            self,
            calls={key: replace(call) for key, call in self.calls.items()},
            # Everything else of calls and fusions is replaced as a whole, never changed.
            fusions={n: replace(f, poll=[*f.poll]) for n, f in self.fusions.items()},
        )

    def calls_of(
        self, step: Step, *, seat: int | None = None, fusion: int | None = None
    ) -> list[CallState]:
        return [
            c
            for c in self.calls.values()
            if c.step is step and c.seat == seat and c.fusion == fusion
        ]

    def of_seats(self) -> dict[int, CallState]:
        """Each seat's latest call."""
        found: dict[int, CallState] = {}
        for c in self.calls.values():
            if c.step is not Step.PANEL or c.fusion is not None or c.seat is None:
                continue
            if c.seat not in found or c.number > found[c.seat].number:
                found[c.seat] = c
        return found

    def latest(
        self, step: Step, *, seat: int | None = None, fusion: int | None = None
    ) -> CallState | None:
        found = None  # asked for every seat with every step of a page: in one turn, without lists
        for c in self.calls.values():
            if c.step is step and c.seat == seat and c.fusion == fusion:
                found = c if found is None or c.number > found.number else found
        return found

    @property
    def fusion(self) -> FusionState | None:
        """The latest fusion."""
        return self.fusions[max(self.fusions)] if self.fusions else None

    @property
    def going_on(self) -> list[CallState]:
        """Calls that still write beside the latest fusion, or after it."""
        without = self.fusion.without if self.fusion else []
        return [self.calls[key] for key in without if not self.calls[key].status.is_final]

    @property
    def is_answered(self) -> bool:
        """The answer is there, though the run goes on for a seat that still writes."""
        fusion = self.fusion
        if self.status.is_final or fusion is None or not fusion.without:
            return False
        others = (c for c in self.calls.values() if c.key not in fusion.without)
        return fusion.status.is_final and all(map(self._is_over, others))

    def _is_over(self, call: CallState) -> bool:
        if not call.status.is_final:
            return False
        follows = call.retry_at is not None or call.was_interrupted or call.is_turn
        return not follows or call is not self.latest(call.step, seat=call.seat, fusion=call.fusion)

    @property
    def outcome(self) -> RunStatus:
        """The status for whoever waits for an answer."""
        return RunStatus.COMPLETED if self.is_answered else self.status

    @property
    def fused(self) -> CallState | None:
        """The call that writes, or wrote, the fused answer."""
        return self.latest(Step.SYNTHESIS, fusion=self.fusion.number) if self.fusion else None

    @property
    def final_call(self) -> CallState | None:
        """The call whose text is the run's final one: the synthesis, or the answer standing in."""
        best = self.calls.get(self.fusion.best) if self.fusion else None
        return best or self.fused

    def said_since(self, fusion: FusionState) -> list[dict[str, Any]]:
        """Messages of a turn and of those before it, in their order."""
        if not fusion.turn:
            return []
        before = self.fusions.get(fusion.turn["after"])
        return [*(self.said_since(before) if before else []), *fusion.turn["messages"]]

    def of_turn(self, number: int) -> RunState:
        """As if the panel's answers and this fusion were all there is."""
        return replace(
            self,
            fusions={n: f for n, f in self.fusions.items() if n == number},
            calls={k: c for k, c in self.calls.items() if c.fusion in (None, number)},
        )

    def without_panel(self) -> RunState:
        before = (Step.PANEL, Step.RESEARCH)
        calls = {k: c for k, c in self.calls.items() if c.step not in before}
        return replace(self, calls=calls, research={})

    def answering(self, fusion: FusionState) -> CallState | None:
        """The call that gave a fusion its answer: the synthesis, or where none could be written
        the best single answer. `findings.given` has its text as it is read."""
        written = self.latest(Step.SYNTHESIS, fusion=fusion.number)
        return written if written and written.is_usable else self.calls.get(fusion.best)

    def has_answer(self, fusion: FusionState | None) -> bool:
        call = self.answering(fusion) if fusion else None
        return bool(call and call.text)

    def is_fused(self, fusion: FusionState) -> bool:
        """With an answer of its own: none stands in, and it did not end with the analysis."""
        is_written = self.has_answer(fusion) and not fusion.best
        return fusion.status is RunStatus.COMPLETED and is_written

    def letters_of(self, number: int) -> str:
        """Of the seats whose answers a fusion was made from: what its marks can name."""
        judged = (self.calls.get(key) for key in self.fusions[number].judged)
        named = sorted(letter(c.seat) for c in judged if c and c.seat is not None)
        return "".join(named) or LETTERS

    def answer(self, seat: int) -> CallState | None:
        """The seat's latest usable answer."""
        usable = [c for c in self.calls_of(Step.PANEL, seat=seat) if c.is_usable]
        return max(usable, key=lambda c: c.number, default=None)

    @property
    def seconds(self) -> float | None:
        """From start to end, without the time in which it lay finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at - self.idle_seconds

    def cost(self) -> tuple[Decimal | None, bool]:
        """(known cost or None, whether some finished call's cost is unknown); with that of
        searching the web for all."""
        charged = [c.charged for c in self.calls.values() if c.was_billable]
        return total_cost([*charged, *costs(self.research)])

    def usage(self) -> Usage:
        return sum((c.usage for c in self.calls.values()), Usage())

    def to_dict(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "attempt": self.attempt,
            "reason": self.reason,
            "error": self.error,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "idle_seconds": self.idle_seconds,
            "grace_until": self.grace_until,
            "calls": [c.to_dict() for c in self.calls.values()],
            "fusions": [f.to_dict() for f in self.fusions.values()],
            **({"research": self.research} if self.research else {}),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunState:
        return cls(
            status=RunStatus(data["status"]),
            attempt=data["attempt"],
            reason=data["reason"],
            error=data["error"],
            started_at=data["started_at"],
            finished_at=data["finished_at"],
            idle_seconds=data["idle_seconds"],
            grace_until=data["grace_until"],
            calls={c["key"]: CallState.from_dict(c) for c in data["calls"]},
            fusions={f["number"]: FusionState.from_dict(f) for f in data["fusions"]},
            research=data.get("research", {}),
        )


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    """A log may be of a later version, which has one field more."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in data.items() if name in names}
