"""The way to the worker: every step is an ordinary run, found again by its step's name.

Whatever ends this process in the middle, the worker goes on with the runs it
has; started again, the same step finds the same run and pays nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import close_old_connections

from console.engine.findings.given import fused_answer
from console.engine.spec import Spec
from console.engine.state import CallState, RunState, RunStatus, Step
from console.engine.usage import Usage, money, total_cost
from console.models import Run, Visibility
from console.models.runs import Origin
from console.record.follow import until_final
from console.record.rows import state_from_rows
from console.services.runs import run_start

from .results import Entry, Results
from .spending import LimitReached, SpendingLimits, spent

Say = Callable[[str], Any]


class Deleted(Exception):
    """A run was deleted while it was waited for."""


@dataclass(frozen=True)
class Purchase:
    """One step: what is asked of whom, and `calls`, how many calls it usually takes.

    `read` makes of the ended run what is kept beside the answer.
    """

    step: str
    prompt: str
    spec: Spec
    calls: int
    read: Callable[[Entry], Entry] = lambda entry: {}
    visibility: str = Visibility.PRIVATE


class Asker:
    def __init__(self, results: Results, limits: SpendingLimits, *, at_once: int, say: Say) -> None:
        self._results, self._limits, self._at_once, self._say = results, limits, at_once, say

    def buy(self, what: str, purchases: Iterable[Purchase]) -> None:
        """Carry out those that are not done yet, `at_once` of them side by side.

        Raises Refused, Deleted, and LimitReached when those already begun have ended.
        """
        wanted = {p.step: p for p in purchases}
        todo = [p for p in wanted.values() if p.step not in self._results.steps]
        done = len(wanted) - len(todo)
        begun: deque[tuple[Purchase, Run]] = deque()
        limit: LimitReached | None = None
        for purchase in todo:
            if len(begun) >= self._at_once:
                done += 1
                self._end(f"{what} {done}/{len(wanted)}", *begun.popleft())
            try:
                self._limits.check(
                    spent(self._results.steps),
                    calls=purchase.calls,
                    under_way=sum(p.calls for p, _ in begun),
                )
            except LimitReached as reached:
                limit = reached
                break
            begun.append((purchase, self._begin(purchase)))
        for purchase, run in begun:
            done += 1
            self._end(f"{what} {done}/{len(wanted)}", purchase, run)
        if limit:
            raise limit

    def _begin(self, purchase: Purchase) -> Run:
        name = f"{self._results.header['evaluation']}:{purchase.step}"
        return run_start(
            owner=None,
            prompt=purchase.prompt,
            spec=purchase.spec,
            origin=Origin.EVALUATION,
            visibility=purchase.visibility,
            client_run_id="evaluate:"
            + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:40],
        )

    def _end(self, what: str, purchase: Purchase, run: Run) -> None:
        waited = time.monotonic()
        try:
            asyncio.run(until_final(run, self._say))
            close_old_connections()  # it may have been away meanwhile
            run.refresh_from_db()
        except Run.DoesNotExist:
            raise Deleted(f"Run {run.pk} of {purchase.step} was deleted.") from None
        entry = entry_of(run, state_from_rows(run))
        entry |= purchase.read(entry)
        self._results.add(purchase.step, **entry)
        cost = money(None if entry["cost"] is None else Decimal(entry["cost"]))
        ended = entry["problem"] if entry.get("problem") else entry["status"]
        self._say(
            f"{what}  {purchase.step}: {ended} after {time.monotonic() - waited:.1f} s, {cost}"
        )


def entry_of(run: Run, state: RunState) -> Entry:
    """What a run came to; of one that stops after its panel the first seat's answer."""
    spec = run.frozen_spec
    seats = [_seat(state, seat, spec.panel[seat].model) for seat in range(len(spec.panel))]
    calls = list(state.calls.values())
    answer = seats[0]["answer"] if spec.stop_after == "panel" else fused_answer(state)
    completed = state.status is RunStatus.COMPLETED
    error = state.error or ("" if answer else seats[0]["error"])
    return {
        "run": str(run.pk),
        "status": state.status.value,
        "answer": answer.strip() if completed else "",
        "error": error if completed else error or f"The run ended as {state.status}.",
        "seats": seats,
        **_bill(calls, state.seconds),
    }


def _seat(state: RunState, seat: int, model: str) -> Entry:
    """A fallback's answer is no answer of the model that was to be asked."""
    calls = state.calls_of(Step.PANEL, seat=seat)
    last = state.latest(Step.PANEL, seat=seat)
    usable = last is not None and last.is_usable and last.panelist.get("model") == model
    seconds = None
    starts = [c.started_at for c in calls if c.started_at]
    if last and last.finished_at and starts:
        seconds = last.finished_at - min(starts)
    return {
        "answer": last.text.strip() if last and usable else "",
        "error": "" if usable else (last.error if last else "") or "There is no answer of its own.",
        **_bill(calls, seconds),
    }


def _bill(calls: list[CallState], seconds: float | None) -> Entry:
    cost, partial = total_cost(c.cost for c in calls if c.was_billable)
    return {
        "cost": None if cost is None else str(cost),
        "cost_is_partial": partial,
        "tokens": sum((c.usage for c in calls), Usage()).output_tokens,
        "seconds": None if seconds is None else round(seconds, 2),
        "calls": sum(c.sent_at is not None for c in calls),
    }
