"""A run that goes on from another: its fused answer, one seat's answer, or each seat's own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from django.contrib.auth.models import User

from ..engine.findings.given import given
from ..engine.findings.ruling import has_rulings
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import RunState
from ..engine.steps.seating import seated
from ..models import Preset, Run
from ..models.runs import PROJECT
from ..record.asked import Followed
from ..record.rows import state_from_rows
from .attaching import ToAttach
from .build_spec import build
from .errors import Refused
from .expected import Expected
from .habits import history
from .others import others_did_to
from .presets import default_preset_slug, preset_lacks, usual_wish
from .quote import quote_of
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
    files: Sequence[ToAttach] = (),
) -> Run:
    """Ask the panel as it sits now (or `spec`'s) on, with what was said as the conversation.

    An answer from elsewhere has nobody behind it who could be asked on: it is part of what was
    said, and its seat falls away. Where nobody is left, and where nobody was asked here, it is who
    would be asked anything else.
    `follows_from` is "fused", "seat-<n>" or "own": each seat then goes on from its own
    answers. `files` go with the prompt. Raises Refused.
    """
    prompt = clean_prompt(prompt)
    before, state = spec_of(run), state_from_rows(run)
    asked = before.asked
    if follows_from == OWN and spec is not None and len(spec.panel) != len(asked):
        raise Refused("Each seat can go on from its own answer only with the same panel.")
    if spec is None and _asks_others(run, before):
        spec = _usual_panel(run)
    follow = spec or replace(before, panel=_panel_now(before, state))
    followed = replace(
        _followed(before, state, follows_from),
        ruled=_ruled(state),
        files=tuple(file.hash for file in files),
    )
    made = run_start(
        owner=owner,
        prompt=prompt,
        spec=replace(follow, shuffle_seed=secrets.randbits(128)),
        visibility=run.shared_with
        if run.shared_with in ("team", PROJECT) and not run.is_sample
        else "private",
        client_run_id=client_run_id,
        follows=run,
        follows_from=follows_from,
        followed=followed,
        project=run.project,
        files=files,
        said=[run.prompt, *(state.calls[key].text for key in followed.said)],
    )
    if owner and made.visibility == "team":
        others_did_to(run, by=owner)
    return made


def follow_lacks(run: Run, spec: Spec) -> str:
    """What keeps a run from being followed, as a sentence, where others than its panel would be
    asked; "" where it can be."""
    if not _asks_others(run, spec) or usual_wish():
        return ""
    return _lacks_others(run)


def expected_follow(run: Run, spec: Spec, state: RunState) -> Expected | None:
    """What asking its panel on will cost and take, as it is noted once it is asked: by the answers
    that are there, since the question is short beside them. None where others would be asked."""
    if _asks_others(run, spec) or not any(state.answer(seat) for seat in spec.asked):
        return None
    try:
        followed = _followed(spec, state, FUSED)
    except Refused:
        followed = _followed(spec, state, OWN)
    said = [run.prompt, *(state.calls[key].text for key in followed.said)]
    return quote_of(replace(spec, panel=_panel_now(spec, state)), said, history()).expected


def _asks_others(run: Run, spec: Spec) -> bool:
    return run.is_read_only or not spec.asked


def _usual_panel(run: Run) -> Spec:
    if (usual := usual_wish()) is None:
        raise Refused(_lacks_others(run))
    return build(usual)


def _lacks_others(run: Run) -> str:
    preset = Preset.objects.filter(slug=default_preset_slug()).first()
    lacks = preset_lacks(preset) if preset else "Choose who answers."
    return f"{_why_others(run)}, and no others can be asked yet. {lacks}"


def _why_others(run: Run) -> str:
    if run.is_sample:
        return "The sample's models are made up"
    if run.is_imported:
        return "The imported run's models may not be here"
    return "These answers are from elsewhere"


def _followed(spec: Spec, state: RunState, follows_from: str) -> Followed:
    """The very calls. Raises Refused."""
    answers = [call for seat in range(len(spec.panel)) if (call := state.answer(seat))]
    # By where they sit in the run that goes on.
    own = {place: call.key for place, seat in enumerate(spec.asked) if (call := state.answer(seat))}
    if follows_from == OWN and not own:
        raise Refused("No seat has an answer to go on from.")
    if follows_from in (FUSED, OWN):
        seats = own if follows_from == OWN else {}
        # The latest there is: another fusion may be under way, or was stopped.
        for number, fusion in sorted(state.fusions.items(), reverse=True):
            fused = given(state, fusion)
            if fused and fused.text:
                return Followed((fused.call.key,), fusion=number, seats=seats)
        if follows_from == FUSED:
            raise Refused("This run has no fused answer to go on from.")
        # What judge and synthesizer read as said before, where nothing was fused.
        return Followed(tuple(c.key for c in answers), lettered=True, seats=seats)
    kind, _, seat = follows_from.partition("-")
    if kind != "seat" or seat not in map(str, range(len(spec.panel))):
        raise Refused("Choose which answer to go on from.")
    answer = state.answer(int(seat))
    if answer is None:
        raise Refused(f"{letter(int(seat))} has no answer to go on from.")
    return Followed((answer.key,))


def _ruled(state: RunState) -> int:
    """The latest fusion with what the reader has ruled, since each begins with that of the one
    before; 0: none."""
    latest = state.fusion
    return latest.number if latest and has_rulings(latest.wish) else 0


def _panel_now(spec: Spec, state: RunState) -> tuple[Panelist, ...]:
    """The panel as it answered: where a seat's model was swapped, whoever gave its answer."""
    answers = {seat: state.answer(seat) for seat in spec.asked}
    return tuple(
        seated(spec, state, seat, by=answer.number if answer else 0)
        for seat, answer in answers.items()
    )
