"""What the compose page is filled with before anybody has typed: by its address, or as last time.

`/fusion?q=…` is the prompt, `preset=` who answers, `panel=` models by name (several, or with
commas between), `template=` what the prompt is filled in from; `of=<preset>` and `run=<id>` fill
Custom with a preset's panel or a run's, and `edit` brings that run's question and files, too, to
be changed before it is asked of whom it was asked. Nothing is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest

from ...access import Viewer, run_visible_to, shown_to
from ...engine.spec import MAX_SEATS
from ...engine.spec_versions import SpecUnreadable
from ...models import OwnPreset, Run
from ...services.attaching import ToAttach, files_of
from ...services.errors import Refused
from ...services.lately import latest_with, presets_used_lately
from ...services.panel_content import Content, content_of, content_of_spec
from ...services.presets import Enabled, default_preset_slug
from ...services.reusing import has_answers_to_give
from ...services.wish import CUSTOM
from ..starting import StartedFrom, chosen
from ..wishes import preset_wish_for

IN_ADDRESS = ("q", "preset", "panel", "of", "run")


@dataclass(frozen=True)
class Beforehand:
    preset: str
    prompt: str = ""
    content: Content | None = None  # of Custom
    told: str = ""  # what could not be had
    # Custom is what there is: its panel is filled as soon as a list has come.
    prefills: bool = False
    started: StartedFrom | None = None
    files: tuple[ToAttach, ...] = ()
    reuse_of: uuid.UUID | None = None  # whose answers may be taken over


def filled_by(request: HttpRequest, presets: Enabled, own: Sequence[OwnPreset]) -> Beforehand:
    filled = _who_answers(request, presets, own)
    if not (key := request.GET.get("template", "")):
        return filled
    try:
        return replace(filled, started=chosen(request.user, f"template:{key}")[1])
    except Refused as refused:
        return replace(filled, told=filled.told or str(refused))


def _who_answers(request: HttpRequest, presets: Enabled, own: Sequence[OwnPreset]) -> Beforehand:
    assert isinstance(request.user, User)
    asked = request.GET
    usual, content = _as_last_time(request.user, presets, own)
    if not any(name in asked for name in IN_ADDRESS):
        return Beforehand(usual, content=content, prefills=usual == CUSTOM and not content)
    prompt = asked.get("q", "").replace("\0", "")
    slug = asked.get("preset", "")
    known = {CUSTOM, *(p.slug for p in presets), *(p.slug for p in own)}
    told = f"There is no preset “{slug[:60]}” here." if slug and slug not in known else ""
    slug = slug if slug in known else ""
    names = [n.strip()[:200] for text in asked.getlist("panel") for n in text.split(",")]
    names = [name for name in names if name][:MAX_SEATS]
    try:
        if text := asked.get("run"):
            content = of_run(request.user, text)
            if "edit" in asked:
                return _edited(run_visible_to(request.user, uuid.UUID(text)), content, known)
            return Beforehand(CUSTOM, prompt, content)
        if of := asked.get("of"):
            return Beforehand(CUSTOM, prompt, content_of(preset_wish_for(of, request.user)))
        if names:
            return Beforehand(CUSTOM, prompt, _of_names(names, slug or usual, request.user), told)
    except Refused as refused:
        told = str(refused)
    return Beforehand(slug or usual, prompt, content if not slug else None, told)


def _as_last_time(
    person: User, presets: Enabled, own: Sequence[OwnPreset]
) -> tuple[str, Content | None]:
    """The preset that was chosen last, if it can run; a panel of one's own as it was."""
    last = next(iter(presets_used_lately(person)), "")
    if last == CUSTOM:
        with suppress(SpecUnreadable):
            if run := latest_with(person, CUSTOM):
                content = content_of_spec(run.frozen_spec)
                if content["panel"]:
                    return CUSTOM, content
    can_run = {p.slug for p, lacks in presets.items() if not lacks} | {p.slug for p in own}
    return (last if last in can_run else default_preset_slug(presets)), None


def of_run(person: Viewer, text: str) -> Content:
    try:
        run = run_visible_to(person, uuid.UUID(text))
        return content_of_spec(run.frozen_spec, inner=shown_to(person, run).inner)
    except (ValueError, Http404):
        raise Refused("There is no such run.") from None
    except SpecUnreadable as unreadable:
        raise Refused(str(unreadable)) from None


def _edited(run: Run, content: Content, known: Collection[str]) -> Beforehand:
    """Of the preset as it is now, where there is one."""
    preset = run.preset if run.preset in known else CUSTOM
    panel = content if preset == CUSTOM else None
    reuse_of = run.pk if has_answers_to_give(run) else None
    files = tuple(files_of(run))
    return Beforehand(preset, run.prompt, panel, files=files, reuse_of=reuse_of)


def _of_names(names: Sequence[str], slug: str, person: User) -> Content:
    """Judged as the preset judges, or by the first of them."""
    panel: list[dict[str, Any]] = [{"model": name} for name in names]
    base: Content = {"judge": names[0]}
    if slug != CUSTOM:
        with suppress(Refused):
            base = content_of(preset_wish_for(slug, person))
    return base | {"panel": panel}
