"""A run that goes on from another: its fused answer, one seat's answer, or each seat's own."""

from __future__ import annotations

import secrets
from dataclasses import replace

from django.contrib.auth.models import User

from ..engine.findings.given import given
from ..engine.provider import Message
from ..engine.spec import Panelist, Spec, letter
from ..engine.steps.seating import seated
from ..models import Run
from ..record.rows import state_from_rows
from .errors import Refused
from .runs import clean_prompt, run_start, spec_of

FUSED, OWN = "fused", "own"


def run_follow(
    *,
    run: Run,
    owner: User | None,
    prompt: str,
    follows_from: str = FUSED,
    spec: Spec | None = None,
    client_run_id: str | None = None,
) -> Run:
    """Ask the panel as it sits now (or `spec`'s) on, with what was said as the conversation.

    `follows_from` is "fused", "seat-<n>" or "own": each seat then goes on from its own
    answers. Raises Refused.
    """
    prompt = clean_prompt(prompt)
    before = spec_of(run)
    ask: Message = {"role": "user", "content": prompt}
    histories: dict[int, list[Message]] = {}
    if follows_from == OWN:
        if spec is not None and len(spec.panel) != len(before.panel):
            raise Refused("Each seat can go on from its own answer only with the same panel.")
        histories = {
            seat: [*_history(run, seat), ask]
            for seat in range(len(before.panel))
            if state_from_rows(run).answer(seat)
        }
        if not histories:
            raise Refused("No seat has an answer to go on from.")
    said = [*run.messages, {"role": "assistant", "content": _answer(run, follows_from)}, ask]
    follow = spec or replace(before, panel=_panel_now(run))
    return run_start(
        owner=owner,
        prompt=prompt,
        spec=replace(follow, shuffle_seed=secrets.randbits(128)),
        visibility=run.visibility if run.visibility == "team" else "private",
        client_run_id=client_run_id,
        messages=said,
        follows=run,
        follows_from=follows_from,
        histories=histories,
    )


def _answer(run: Run, follows_from: str) -> str:
    state = state_from_rows(run)
    kind, _, seat = follows_from.partition("-")
    if follows_from in (FUSED, OWN):
        # The latest there is: another fusion may be under way, or was stopped.
        latest = (given(state, f) for _, f in sorted(state.fusions.items(), reverse=True))
        text = next((found.text for found in latest if found and found.text), "")
        if not text and follows_from == OWN:
            # What judge and synthesizer read as said before, where nothing was fused.
            answers = [state.answer(s) for s in range(len(spec_of(run).panel))]
            text = "\n\n".join(f"{letter(a.seat or 0)}: {a.text}" for a in answers if a)
        if not text:
            raise Refused("This run has no fused answer to go on from.")
        return text
    if kind != "seat" or seat not in map(str, range(len(spec_of(run).panel))):
        raise Refused("Choose which answer to go on from.")
    answer = state.answer(int(seat))
    if answer is None:
        raise Refused(f"{letter(int(seat))} has no answer to go on from.")
    return answer.text


def _panel_now(run: Run) -> tuple[Panelist, ...]:
    """The panel as it answered: where a seat's model was swapped, whoever gave its answer."""
    spec, state = spec_of(run), state_from_rows(run)
    answers = [state.answer(seat) for seat in range(len(spec.panel))]
    return tuple(
        seated(spec, state, seat, by=answer.number if answer else 0)
        for seat, answer in enumerate(answers)
    )


def _history(run: Run, seat: int) -> list[Message]:
    """The conversation as this seat has had it, with its own answer at the end."""
    answer = state_from_rows(run).answer(seat)
    said: list[Message] = run.histories.get(str(seat)) or run.messages
    return [*said, {"role": "assistant", "content": answer.text}] if answer else said
