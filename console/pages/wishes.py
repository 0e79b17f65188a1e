"""From the compose form to what is wished for, and back to where something is wrong with it."""

from __future__ import annotations

from dataclasses import replace

from django.http import QueryDict

from ..access import Viewer, presets_of, presets_offered_to
from ..engine.terms import NobodyLeft
from ..services.brought import TooFewOrMany
from ..services.errors import NameRefused, Refused, ReuseRefused, WaitForRefused
from ..services.own_presets import own_wish
from ..services.panel_content import JUDGING
from ..services.policy import CHOICES
from ..services.presets import filled_wish, presets_enabled
from ..services.wait_for import read_wait_for
from ..services.wish import CUSTOM, Wish, judge_writes
from .filled import with_swaps
from .forms import ComposeForm


def wish_of_form(form: ComposeForm, posted: QueryDict, person: Viewer) -> Wish:
    wish = replace(_panel_wish(form, person), answers=form.brought)
    if form.is_without_models:
        wish = replace(wish, panel=())
    try:
        terms = wish.terms.and_also(form.terms)
    except NobodyLeft as nobody:
        raise Refused(str(nobody)) from None
    return replace(
        wish,
        terms=terms,
        leaves_out=True,
        policy={c.name: posted.get(f"policy-{c.name}", "") for c in CHOICES},
        wait_for=read_wait_for(form.cleaned_data["wait_for"]),
        stop_after="panel" if form.cleaned_data["stop_after_panel"] else "",
        web=form.chosen_web,
    )


def _panel_wish(form: ComposeForm, person: Viewer) -> Wish:
    data = form.cleaned_data
    if data["preset"] == CUSTOM:
        panel = [row.named for row in form.named_seats]
        named = {name: data[name] for name in JUDGING}
        return Wish(panel=panel, criteria=data["criteria"], shape=data["shape"], **named)
    wish = with_swaps(preset_wish_for(data["preset"], person), form.swaps)
    return judge_writes(wish) if data["judge_writes"] else wish


def preset_wish_for(slug: str, person: Viewer) -> Wish:
    """Of one of the site's presets, or of their own. Raises Refused."""
    if "\0" in slug:  # PostgreSQL will not even look
        raise Refused("There is no such preset.")
    # Nothing is read of those that were not chosen.
    for preset, lacks in presets_enabled(slug).items():
        if lacks:
            raise Refused(lacks)
        return filled_wish(preset)
    if own := presets_of(person).filter(slug=slug).first():
        return own_wish(own)
    # A project may begin with what a member offers to the team.
    if offered := presets_offered_to(person).filter(slug=slug).first():
        return own_wish(offered)
    raise Refused("This preset has just been switched off.")


def note(form: ComposeForm, refused: Refused) -> None:
    """Where it was filled in."""
    if isinstance(refused, TooFewOrMany):
        form.answers_error = str(refused)
        return
    if isinstance(refused, WaitForRefused):
        form.add_error("wait_for", str(refused))
        return
    if isinstance(refused, ReuseRefused):
        form.add_error("reuse", str(refused))
        return
    if form.cleaned_data.get("preset") != CUSTOM:
        form.add_error("preset", str(refused))
    elif not isinstance(refused, NameRefused):
        form.add_error("panel", str(refused))
    else:
        for one in (refused, *refused.also):
            _note_name(form, one)


def _note_name(form: ComposeForm, refused: NameRefused) -> None:
    if refused.seat is None:
        form.add_error(refused.field, str(refused))
        form.near[refused.field] = refused.near
    elif refused.field == "fallback":
        row = form.named_seats[refused.seat]
        row.options.add_error("fallback_model", str(refused))
        form.point_at_options(row)
    else:
        form.point_at_name(form.named_seats[refused.seat], str(refused), refused.near)
