"""Runs told event by event, so that a page can be looked at in any state without models.

A story folds real events with the real reducer and saves what the worker would.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from django.contrib.auth.models import User

from console.engine.errors import SENTENCES, Reason
from console.engine.events import Event, EventType
from console.engine.reducer import apply
from console.engine.spec import Panelist, Prompts, Spec
from console.engine.state import RunState, Step, call_key
from console.models import Run, ShareLink
from console.models.links import hash_of
from console.record import rows as snapshot
from console.search import index

ANALYSIS: dict[str, Any] = {
    "consensus": [{"claim": "Upkeep is a real, unbudgeted cost", "seats": [0, 1, 2]}],
    "contradictions": [
        {
            "topic": "Do it this year?",
            "stances": [
                {"seats": [0, 1], "stance": "Yes, in two steps."},
                {"seats": [2], "stance": "Not this year."},
            ],
        }
    ],
    "partial_coverage": [{"point": "Two cycles in parallel", "seats": [0, 1]}],
    "unique_insights": [{"insight": "Five years of unwritten exceptions", "seat": 2}],
    "blind_spots": ["What customers see on the first new invoice"],
}


def a_spec(*models: str, credential: str = "openrouter", **options: Any) -> Spec:
    models = models or ("maker/alpha", "maker/beta", "maker/gamma")
    return Spec(
        panel=tuple(Panelist(model, credential) for model in models),
        judge=Panelist(options.pop("judge", models[0]), credential),
        prompts=Prompts("", "", ""),
        preset="quality",
        preset_name="Quality",
        **options,
    )


def link_to(run: Run, token: str, **fields: Any) -> ShareLink:
    """A link of that address, which its owner has made; `visibility` says whether it opens."""
    run.share_token = token
    own = {"made_by": run.owner, "made_at": run.created_at, "hides": ["costs"]} | fields
    return ShareLink.objects.create(run=run, token_hash=hash_of(token), **own)


class Story:
    def __init__(self, spec: Spec | None = None, began: float = 1_790_000_000.0) -> None:
        self.spec, self.state, self.now = spec or a_spec(), RunState(), began

    def tell(self, type: EventType, call: str = "", fusion: int = 0, **data: Any) -> Self:
        apply(self.state, Event(type, self.now, call, fusion, data))
        return self

    def wait(self, seconds: float) -> Self:
        self.now += seconds
        return self

    def begin(self) -> Self:
        self.tell(EventType.RUN_STARTED, attempt=1)
        for seat in range(len(self.spec.panel)):
            self.ask(seat)
        return self

    def ask(self, seat: int, number: int = 1, cause: str = "first") -> Self:
        key = call_key(Step.PANEL, seat, number)
        panelist = self.spec.panel[seat].to_dict()
        said: dict[str, Any] = {"seat": seat, "number": number, "cause": cause}
        said["panelist"] = panelist
        self.tell(EventType.CALL_ADDED, key, step="panel", **said)
        return self.tell(EventType.CALL_SENT, key)

    def write(self, seat: int, text: str, number: int = 1) -> Self:
        return self.tell(EventType.CALL_DELTA, call_key(Step.PANEL, seat, number), text=text)

    def think(self, seat: int, text: str) -> Self:
        return self.tell(EventType.CALL_REASONING_DELTA, call_key(Step.PANEL, seat, 1), text=text)

    def answer(self, seat: int, text: str = "", number: int = 1, **data: Any) -> Self:
        if text:
            self.write(seat, text, number)
        key = call_key(Step.PANEL, seat, number)
        return self.tell(EventType.CALL_COMPLETED, key, **self._receipt(data))

    def fail(self, seat: int, reason: Reason = Reason.STALLED, error: str = "") -> Self:
        data: dict[str, Any] = {"reason": reason.value, "error": error or SENTENCES[reason]}
        return self.tell(EventType.CALL_FAILED, call_key(Step.PANEL, seat, 1), **data)

    def judge(self, *, without: list[str] | None = None) -> Self:
        judged = [c.key for c in self.state.calls.values() if c.seat is not None and c.is_usable]
        self.tell(
            EventType.FUSION_STARTED,
            "",
            1,
            judged=judged,
            judge=self.spec.judge.to_dict(),
            synthesizer=self.spec.writer.to_dict(),
            criteria="",
            **({"without": without} if without else {}),
        )
        if len(judged) < 2:
            return self
        return self.tell(
            EventType.CALL_ADDED,
            call_key(Step.ANALYSIS, 1, 1),
            1,
            step="analysis",
            number=1,
            cause="first",
            panelist=self.spec.judge.to_dict(),
        )

    def analyse(self, analysis: dict[str, Any] | None = None, **data: Any) -> Self:
        key = call_key(Step.ANALYSIS, 1, 1)
        found = ANALYSIS if analysis is None else analysis
        return self.tell(EventType.CALL_COMPLETED, key, 1, analysis=found, **self._receipt(data))

    def misjudge(self, reason: Reason = Reason.JUDGE_NOT_VALID_JSON) -> Self:
        data = {"reason": reason.value, "error": SENTENCES[reason], "final": True}
        return self.tell(EventType.CALL_FAILED, call_key(Step.ANALYSIS, 1, 1), 1, **data)

    def synthesise(self, text: str = "") -> Self:
        key = call_key(Step.SYNTHESIS, 1, 1)
        panelist = self.spec.writer.to_dict()
        said = {"number": 1, "cause": "first", "panelist": panelist}
        self.tell(EventType.CALL_ADDED, key, 1, step="synthesis", **said)
        return self.wait(0.8).tell(EventType.CALL_DELTA, key, 1, text=text) if text else self

    def complete(self, **data: Any) -> Self:
        key = call_key(Step.SYNTHESIS, 1, 1)
        self.tell(EventType.CALL_COMPLETED, key, 1, **self._receipt(data))
        return self.tell(EventType.RUN_COMPLETED)

    def fuse_again(self, fused: str, *, ends: str = "run.completed", **wish: Any) -> Self:
        """Another fusion of the same answers; `ends`: "", and it is still being written."""
        first, number = self.state.fusions[1], max(self.state.fusions) + 1
        key = call_key(Step.SYNTHESIS, number, 1)
        told = {n: vars(first)[n] for n in ("judged", "judge", "synthesizer", "criteria")} | wish
        self.tell(EventType.RUN_STARTED, attempt=2).tell(
            EventType.FUSION_STARTED, "", number, **told
        )
        self.state.fusions[number].seats = told.get("seats", [])
        self.state.fusions[number].wish = told.get("wish", {})
        writer = {"number": 1, "cause": "first", "panelist": told["synthesizer"]}
        self.tell(EventType.CALL_ADDED, key, number, step="synthesis", **writer)
        if fused:
            self.tell(EventType.CALL_DELTA, key, number, text=fused)
        if not ends:
            return self
        if ends == EventType.RUN_COMPLETED:
            told = {"finish_reason": "stop", "usage": {}, "cost": None}
            self.tell(EventType.CALL_COMPLETED, key, number, **told)
        return self.tell(EventType(ends))

    def whole(self, answer: str = "An answer.", fused: str = "The fused answer.") -> Self:
        """From the first question to the end, and nothing goes wrong."""
        self.begin().wait(1)
        for seat in range(len(self.spec.panel)):
            self.write(seat, answer).wait(1).answer(seat)
        self.judge().wait(3).analyse()
        return self.synthesise(fused).wait(2).complete()

    def save(self, owner: User, *, share_token: str = "", **fields: Any) -> Run:
        """`share_token`: of a link of it, which only who made it knows: the object, not its row."""
        fields = {
            "prompt": "Should we move our billing?",
            "status": self.state.status,
            "attempt": self.state.attempt,
            "preset_name": self.spec.preset_name,
            **snapshot.run_fields(self.state),
            **fields,
        }
        run = Run.objects.create(
            owner=owner,
            messages=[{"role": "user", "content": fields["prompt"]}],
            spec=self.spec.to_dict(),
            preset=self.spec.preset,
            **fields,
        )
        fusions = {}
        for number, fusion in self.state.fusions.items():
            fusions[number] = snapshot.fusion_row(run.pk, self.state, fusion)
            fusions[number].save()
        for call in self.state.calls.values():
            row = snapshot.call_row(run.pk, call)
            row.fusion = fusions[call.fusion] if call.fusion else None
            row.save()
        index(run.pk)
        if share_token:
            link_to(run, share_token)
        return run

    @staticmethod
    def _receipt(data: dict[str, Any]) -> dict[str, Any]:
        usage = {"input_tokens": 212, "output_tokens": 1184}
        cost = str(Decimal("0.0312"))
        return {"finish_reason": "stop", "usage": usage, "cost": cost} | data
