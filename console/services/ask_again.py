"""A question that was asked before, asked again: of the same preset as it is now."""

from __future__ import annotations

import secrets
from dataclasses import replace

from django.contrib.auth.models import User

from ..access import presets_of
from ..engine.content import text_of
from ..engine.spec import Spec
from ..engine.state import RunState
from ..engine.terms import NobodyLeft
from ..models import Run
from ..models.runs import PROJECT
from ..record.asked import Followed, Forgotten, asked
from ..record.rows import state_from_rows
from .attaching import files_of
from .brought import Brought
from .build_spec import build
from .errors import Refused
from .follow import OWN
from .own_presets import own_wish
from .panel_content import content_of_spec, wish_of
from .preset_versions import way_of_version
from .presets import filled_wish, presets_enabled
from .project_files import looked_into
from .reopening import must_be_of_here
from .runs import run_start, spec_of
from .taken import answers_to_take
from .web import OFF, PROVIDER, is_offered
from .wish import CUSTOM, DIRECT, Wish

_OF_NO_PRESET = (CUSTOM, DIRECT)
FORGOTTEN = "What this question went on from is not there any more: ask it anew."


def run_ask_again(
    *, run: Run, owner: User, client_run_id: str | None = None, reuses: bool = False
) -> Run:
    """A run of the same question, of whoever the run's preset asks by now; where there is no such
    preset, of the same panel. What was chosen for that run beside it stays: its terms, the web,
    its files, answers from elsewhere, its project and what it goes on from. `reuses`: answers of
    models that would be asked just the same are taken over. Raises Refused."""
    must_be_of_here(run)
    if not run.is_final:
        raise Refused("It has not ended yet: a question is asked again when it has its answer.")
    before, state = spec_of(run), state_from_rows(run)
    answers = _brought(before, state)
    spec = looked_into(_spec_now(run, before, owner, answers), run.project)
    is_told_else = run.context != (run.project.context if run.project else "")
    try:
        messages = asked(run).messages
    except Forgotten:
        raise Refused(FORGOTTEN) from None
    goes_on = run.follows is not None and run.follows_calls is not None
    if run.follows_from == OWN and not goes_on:
        raise Refused(FORGOTTEN)  # each seat's own past is not kept
    return run_start(
        owner=owner,
        prompt=run.prompt,
        spec=spec,
        answers=answers,
        visibility=run.shared_with if run.shared_with in ("team", PROJECT) else "private",
        client_run_id=client_run_id,
        messages=None if goes_on else messages,
        follows=run.follows if goes_on else None,
        follows_from=run.follows_from if goes_on else "",
        followed=Followed.from_dict(run.follows_calls or {}) if goes_on else None,
        said=[text_of(message.get("content")) for message in messages[:-1]] if goes_on else (),
        files=files_of(run),
        template=run.template,
        again_of=run,
        project=run.project,
        taken=answers_to_take(run, state, before, spec) if reuses and not is_told_else else (),
    )


def _spec_now(run: Run, before: Spec, owner: User, answers: list[Brought]) -> Spec:
    """Raises Refused."""
    preset = None if run.follows_from == OWN else _preset_now(run.preset, owner)
    if run.preset == DIRECT or run.follows_from == OWN:
        return replace(before, shuffle_seed=secrets.randbits(128))
    wish = preset or wish_of(content_of_spec(before))
    try:
        terms = wish.terms.and_also(before.terms)
    except NobodyLeft as nobody:
        raise Refused(str(nobody)) from None
    return build(
        replace(
            wish,
            panel=wish.panel if before.asked else (),
            answers=answers,
            terms=terms,
            leaves_out=True,
            stop_after=before.stop_after if before.has_judge else "",
            request=before.request,
            web=_web_now(before, wish.usual_web, way_of_version(run.preset, run.preset_version)),
        )
    )


def _web_now(before: Spec, usual: str, usual_then: str | None) -> str:
    """Only where the web was searched. A way that was chosen for that run alone stays, whatever
    the preset says by now; one that was its preset's is the preset's by now, if it has one."""
    if before.research is None or before.research.way == "files":
        return OFF
    way: str = before.research.way
    if usual not in ("", OFF) and way == usual_then:
        way = usual
    return way if way == PROVIDER or is_offered() else OFF


def _preset_now(slug: str, owner: User) -> Wish | None:
    """None where it is not there any more, or the run was of none. Raises Refused where it cannot
    be asked now."""
    if slug in _OF_NO_PRESET:
        return None
    for preset, lacks in presets_enabled(slug).items():
        if lacks:
            raise Refused(lacks)
        return filled_wish(preset)
    own = presets_of(owner).filter(slug=slug).first()
    return own_wish(own) if own else None


def _brought(spec: Spec, state: RunState) -> list[Brought]:
    found = []
    for seat in spec.brought:
        panelist, call = spec.panel[seat], state.answer(seat)
        if call is not None:
            by = panelist.brought_by or ""
            found.append(Brought(panelist.label, call.text, panelist.model, by))
    return found
