"""What the tools do: start a run, follow it, read it, list presets."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from decimal import Decimal
from functools import partial

from django.http import Http404

from .. import access
from ..api.http.base import parse
from ..api.http.db import db_then_wait
from ..api.http.errors import ApiError
from ..api.http.follow import load, states
from ..api.planning.asked import PREFIX
from ..api.planning.attached import must_be_seen
from ..api.planning.plan import plan_for, usual_preset
from ..api.planning.project import project_of, usual_in
from ..api.planning.schemas import Asking, BroughtAnswer, OwnTerms, WaitingFor
from ..engine.spec import Spec, letter
from ..engine.state import RunState, RunStatus, Step
from ..models import Run
from ..models.tokens import Scope
from ..record.by_words import compared
from ..record.public import asked, with_verdicts
from ..record.titles import called
from ..services.build_spec import build
from ..services.errors import Refused
from ..services.own_presets import own_wish
from ..services.presets import preset_spec, presets_enabled
from ..services.runs import spec_of
from . import results
from .attached import ResourceFile, bring
from .callers import Caller

SIGN_OF_LIFE = 10.0

# (steps done, of how many, what is going on)
Tell = Callable[[float, float, str], Awaitable[None]]


def begin(
    caller: Caller,
    prompt: str,
    preset: str | None,
    panel: Sequence[str] | None,
    judge: str | None,
    terms: OwnTerms | None = None,
    wait_for: WaitingFor | None = None,
    answers: Sequence[BroughtAnswer] | None = None,
    max_cost: float | None = None,
    web: str | None = None,
    project: str | None = None,
    resources: Sequence[ResourceFile] | None = None,
) -> Run:
    """Raises ApiError and Refused."""
    caller.must_have(Scope.RUN)
    if preset and (panel or judge):
        raise Refused("Give either a preset or a panel and a judge.")
    named = (caller.defaults.project or None) if project is None else project
    own = {
        # Empty it is nobody, beside answers from elsewhere; else it was not meant.
        "panel": list(panel) if panel or (answers and panel is not None) else None,
        "answers": [one.model_dump() for one in answers or ()],
        "judge": judge,
        "wait_for": wait_for,
        "web": web,
        **({} if named is None else {"project": named}),
        **(terms.model_dump() if terms else {}),
    }
    model = f"{PREFIX}{preset.removeprefix(PREFIX)}" if preset else "fusion"
    body = parse(Asking, {"model": model, "fusion": own})
    chosen = project_of(body, caller.person)
    plan = plan_for(
        body,
        {},
        of_token=caller.terms,
        by=caller.name,
        person=caller.person,
        usual=usual_in(chosen, caller.defaults.preset),
    )
    belongs = project_of(body, caller.person, plan.spec.preset)
    budget = None if max_cost is None else Decimal(str(max_cost))
    files = bring(resources or (), caller.person)
    must_be_seen(plan.spec, files)
    return with_verdicts(caller.start(prompt, plan.spec, plan.answers, budget, belongs, files))


def find(caller: Caller, run_id: str) -> Run:
    caller.must_have(Scope.READ)
    try:
        run = with_verdicts(caller.run(uuid.UUID(run_id)))
    except (ValueError, Http404):
        raise Refused(f"There is no run {run_id[:60]}.") from None
    spec_of(run)
    return run


def search(caller: Caller, words: str, count: int) -> results.FoundQuestions:
    """Raises ApiError and Refused."""
    caller.must_have(Scope.READ)
    query, found = caller.find(words, count)
    if not query.terms:
        raise Refused("Name a word to look for.")
    return results.FoundQuestions(
        notes=[*query.notes],
        questions=[
            results.FoundQuestion(
                run_id=str(one.run.pk),
                run_url=caller.url(one.run),
                question=called(one.run),
                asked_at=one.run.asked_at,
                status=one.run.status,
                found_in=one.text.label if one.text else None,
                passage=str(one.text.passage) if one.text else None,
            )
            for one in found
        ],
    )


async def follow(
    caller: Caller, run: Run, tell: Tell, *, scope: Scope, seconds: float | None = None
) -> RunState:
    """The run's state at its end, or after `seconds`."""
    spec = run.frozen_spec
    if run.is_final or seconds == 0:
        return await db_then_wait(load, run.pk)
    began = spoken = time.monotonic()
    progress = _Progress(spec)
    state = RunState()
    async with aclosing(states(run.pk, partial(_still_allowed, caller, run, scope))) as changes:
        async for state in changes:
            now = time.monotonic()
            for steps, sentence in progress.new(state):
                spoken = now
                await tell(steps, progress.total, sentence)
            if now - spoken > SIGN_OF_LIFE:
                # Clients that give up after a while begin to count anew with every word.
                spoken = now
                await tell(progress.sign_of_life(), progress.total, progress.waiting(state))
            if seconds is not None and now - began >= seconds:
                break
    return state


def _still_allowed(caller: Caller, run: Run, scope: Scope) -> None:
    caller.must_have(scope)
    caller.run(run.pk)


class _Progress:
    """What of a run has been said; the number of steps only ever grows."""

    def __init__(self, spec: Spec) -> None:
        self._names = spec.seat_names()
        self.total = len(self._names) + 2.0  # the analysis and the fused answer
        self.steps = 0.0
        self._done: set[str] = set()

    def new(self, state: RunState) -> list[tuple[float, str]]:
        """(steps done by then, what was done)."""
        progress = []
        for seat, name in enumerate(self._names):
            call = state.latest(Step.PANEL, seat=seat)
            if not call or not call.status.is_final or call.retry_at:
                continue
            how = "answered" if call.is_usable else f"failed: {call.error}"
            how = "was brought along" if call.is_brought else how
            how = "was taken over from an earlier run" if call.is_taken else how
            progress += self._once(f"seat-{seat}", f"{letter(seat)} · {name} {how}")
        fusion = state.fusion
        if fusion and (fusion.analysis or fusion.analysis_reason):
            how = "compared the answers" if fusion.analysis else f"failed: {fusion.analysis_error}"
            said = compared(fusion) or f"The judge {how}"
            progress += self._once("analysis", said)
        if state.outcome is RunStatus.COMPLETED and state.has_answer(state.fusion):
            progress += self._once("synthesis", "The fused answer is written")
        return progress

    def _once(self, step: str, sentence: str) -> list[tuple[float, str]]:
        if step in self._done:
            return []
        self._done.add(step)
        self.steps = float(len(self._done))
        return [(self.steps, sentence)]

    def sign_of_life(self) -> float:
        """Progress has to grow with every word, or it is none."""
        self.steps += (int(self.steps) + 1 - self.steps) / 10
        return self.steps

    def waiting(self, state: RunState) -> str:
        if state.status is RunStatus.QUEUED:
            return "Waiting for a worker"
        missing = [
            letter(seat) for seat in range(len(self._names)) if f"seat-{seat}" not in self._done
        ]
        if missing:
            return f"Waiting for {', '.join(missing)}"
        return "Waiting for the judge" if "analysis" not in self._done else "Writing the answer"


def presets(caller: Caller) -> results.Presets:
    caller.must_have(Scope.MODELS)
    try:
        usual = caller.defaults.preset or usual_preset()
    except ApiError:
        usual = ""
    rows = []
    for preset, lacks in presets_enabled().items():
        try:
            spec = preset_spec(preset)
        except Refused:
            continue
        rows.append(
            results.Preset(
                preset=preset.slug,
                name=preset.name,
                description=preset.description,
                panel=[p.model for p in spec.panel],
                judge=asked(spec.judge),
                is_default=preset.slug == usual,
                unavailable=lacks or None,
            )
        )
    return results.Presets(presets=[*rows, *_own_presets(caller)])


def _own_presets(caller: Caller) -> Iterator[results.Preset]:
    for preset in access.presets_of(caller.person) if caller.person else ():
        with suppress(Refused):
            spec = build(own_wish(preset))
            yield results.Preset(
                preset=preset.slug,
                name=preset.name,
                description=preset.description,
                panel=[p.model for p in spec.panel],
                judge=asked(spec.judge),
                is_default=False,
                unavailable=None,
            )
