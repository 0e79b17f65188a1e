"""From a preset, or from names alone, to the frozen spec of a run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import Count, Q

from ..catalog.prices import context_length_of, price_of
from ..catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS
from ..engine.spec import MAX_SEATS, Panelist, Spec
from ..engine.steps.prompts import load as load_prompts
from ..models import Credential, Fusion, Preset, PresetPanelist
from ..providers import kinds
from .errors import Refused
from .panelists import (
    LOCAL,
    NamedSeat,
    Names,
    fallback_of,
    find_seat,
    is_local,
    judge_of,
    panelist_of,
)
from .policy import preset_policy, site_policy

CUSTOM = "custom"


def preset_spec(preset: Preset) -> Spec:
    """Raises Refused when the preset has no panel; asks nobody anything."""
    panel = tuple(_seat(p) for p in preset.panelists.select_related("credential"))
    if not 1 <= len(panel) <= MAX_SEATS:
        raise Refused(f"{preset.name} has no panel.")
    synthesizer = None
    writer = preset.judge_credential
    if preset.synthesizer_model:
        writer = preset.synthesizer_credential or preset.judge_credential
        synthesizer = replace(
            panelist_of(writer, preset.synthesizer_model),
            fallback=fallback_of(
                preset.synthesizer_fallback_credential or writer, preset.synthesizer_fallback_model
            ),
        )
    elif preset.synthesizer_fallback_model:
        # The judge writes, but somebody else stands in for it when it fails at that.
        synthesizer = replace(
            panelist_of(writer, preset.judge_model),
            fallback=fallback_of(
                preset.synthesizer_fallback_credential or writer, preset.synthesizer_fallback_model
            ),
        )
    return Spec(
        panel=panel,
        judge=replace(
            panelist_of(preset.judge_credential, preset.judge_model),
            fallback=fallback_of(
                preset.judge_fallback_credential or preset.judge_credential,
                preset.judge_fallback_model,
            ),
        ),
        synthesizer=synthesizer,
        prompts=load_prompts(),
        policy=preset_policy(
            preset,
            # Without a limit the built-in model writes for minutes.
            analysis_max_output_tokens=LOCAL_ANALYSIS_TOKENS
            if is_local(preset.judge_credential)
            else None,
            synthesis_max_output_tokens=LOCAL_SYNTHESIS_TOKENS if is_local(writer) else None,
            # Its seats share one small server, so none of them is a straggler by its own fault.
            quorum=len(panel) if any(p.credential == LOCAL for p in panel) else None,
        ),
        preset=preset.slug,
        preset_name=preset.name,
        criteria=preset.criteria,
        shuffle_seed=secrets.randbits(128),
    )


def preset_lacks(preset: Preset) -> str:
    """What keeps it from running, as one sentence; "" when it can."""
    if not preset.enabled:
        return f"{preset.name} is switched off."
    panelists = list(preset.panelists.select_related("credential"))
    if not panelists:
        return f"{preset.name} has no panelists yet."
    # A fallback that lacks something is no obstacle: it fails when it is needed, and says so.
    credentials = [p.credential for p in panelists] + [preset.judge_credential]
    if preset.synthesizer_model and preset.synthesizer_credential:
        credentials.append(preset.synthesizer_credential)
    return next((lacks for c in credentials if (lacks := c.lacks)), "")


def default_preset_slug() -> str:
    """What the console offers first: the best that can run now, Local until there is a key."""
    ready = [c for c in Credential.objects.all() if c.is_ready]
    there = {c.kind for c in ready}
    starters = (k.starter_preset for k in kinds.KINDS.values() if k.slug in there)
    enabled = list(Preset.objects.filter(enabled=True))
    slugs = [p.slug for p in enabled]
    if starter := next(filter(None, starters), ""):
        wanted = starter
    elif not all(c.is_local for c in ready):
        wanted = CUSTOM
    else:
        wanted = "local"
    can_run = [p for p in enabled if not preset_lacks(p)]
    runnable = [p.slug for p in can_run]
    if wanted == CUSTOM:
        # A preset that somebody has made for that server; the built-in model is for trying.
        own = (p.slug for p in can_run if not _is_built_in(p))
        return next(own, CUSTOM)
    if wanted in runnable:
        return wanted
    return next(iter([*runnable, *(s for s in slugs if s == wanted), *slugs, CUSTOM]))


def _is_built_in(preset: Preset) -> bool:
    seats = preset.panelists.select_related("credential")
    return any(p.credential.is_local for p in seats)


def custom_spec(
    *,
    panel: Sequence[str | NamedSeat],
    judge: str,
    synthesizer: str = "",
    judge_fallback: str = "",
    synthesizer_fallback: str = "",
) -> Spec:
    """From names as people type them, `model` or `credential:model`. Raises Refused."""
    wished = [NamedSeat(seat) if isinstance(seat, str) else seat for seat in panel]
    wished = [seat for seat in wished if seat.model.strip()]
    if not wished:
        raise Refused("Choose at least one model for the panel.")
    if len(wished) > MAX_SEATS:
        raise Refused(f"A panel has at most {MAX_SEATS} models.")
    if not judge.strip():
        raise Refused("Choose a judge.")
    of_seats = [name for seat in wished for name in (seat.model, seat.fallback)]
    names = Names(*of_seats, judge, synthesizer, judge_fallback, synthesizer_fallback)
    seats = tuple(find_seat(names, number, seat) for number, seat in enumerate(wished))

    judged_by = names.find_for("judge", judge)
    written_by = names.find_for("synthesizer", synthesizer) if synthesizer.strip() else None

    def instead(field: str, name: str, tokens: int) -> Panelist | None:
        found = names.find_for(field, name) if name.strip() else None
        return judge_of(*found, tokens=tokens) if found else None

    judges_instead = instead("judge_fallback", judge_fallback, LOCAL_ANALYSIS_TOKENS)
    writes_instead = instead("synthesizer_fallback", synthesizer_fallback, LOCAL_SYNTHESIS_TOKENS)
    writer = written_by or judged_by
    # The judge may write, and yet somebody else stand in for it when it fails at that.
    writes_apart = written_by or writes_instead
    return Spec(
        panel=seats,
        judge=replace(panelist_of(*judged_by), fallback=judges_instead),
        synthesizer=replace(panelist_of(*writer), fallback=writes_instead)
        if writes_apart
        else None,
        prompts=load_prompts(),
        policy=site_policy(
            quorum=len(seats) if any(p.credential == LOCAL for p in seats) else None,
            analysis_max_output_tokens=LOCAL_ANALYSIS_TOKENS if is_local(judged_by[0]) else None,
            synthesis_max_output_tokens=LOCAL_SYNTHESIS_TOKENS if is_local(writer[0]) else None,
        ),
        preset=CUSTOM,
        preset_name="Custom",
        shuffle_seed=secrets.randbits(128),
    )


def preset_changed(preset: Preset) -> tuple[int, int]:
    """(runs in which the first fusion changed the answer, runs in which that can be said)."""
    first = Fusion.objects.filter(run__preset=preset.slug, number=1).exclude(changed=None)
    found = first.aggregate(changed=Count("pk", filter=Q(changed=True)), runs=Count("pk"))
    return found["changed"], found["runs"]


@transaction.atomic
def preset_duplicate(*, preset: Preset) -> Preset:
    panelists = list(preset.panelists.all())
    taken = set(Preset.objects.values_list("slug", flat=True))
    base = f"{preset.slug[:30]}-copy"
    copy = Preset.objects.get(pk=preset.pk)
    copy.pk, copy._state.adding = None, True
    copy.slug = next(s for s in (base, *(f"{base}-{n}" for n in range(2, 999))) if s not in taken)
    copy.name = f"{preset.name[:50]} (copy)"
    copy.save()
    for panelist in panelists:
        panelist.pk, panelist._state.adding, panelist.preset = None, True, copy
        panelist.save()
    return copy


def preset_renumber(*, preset: Preset) -> None:
    """Seats count from 0 without holes, in the order given; later rows come after equal seats."""
    for seat, panelist in enumerate(preset.panelists.order_by("seat", "id")):
        if panelist.seat != seat:
            preset.panelists.filter(pk=panelist.pk).update(seat=seat)


def _seat(panelist: PresetPanelist) -> Panelist:
    return Panelist(
        model=panelist.model,
        credential=panelist.credential.slug,
        label=panelist.label,
        temperature=panelist.temperature,
        max_output_tokens=panelist.max_output_tokens,
        seed=panelist.seed,
        reasoning_effort=panelist.reasoning_effort or None,
        system_prompt=panelist.system_prompt,
        price=price_of(panelist.credential, panelist.model),
        context_length=context_length_of(panelist.credential, panelist.model),
        fallback=fallback_of(
            panelist.fallback_credential or panelist.credential,
            panelist.fallback_model,
            max_output_tokens=panelist.max_output_tokens,
            system_prompt=panelist.system_prompt,
        ),
    )
