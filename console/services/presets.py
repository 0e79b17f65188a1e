"""From a preset, or from names alone, to the frozen spec of a run."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import Count, Q

from ..catalog import CatalogModel, all_models, context_length_of, look_up, price_of
from ..engine.prompts import load as load_prompts
from ..engine.spec import MAX_SEATS, Panelist, Spec
from ..models import Credential, Fusion, Preset, PresetPanelist
from ..models.credentials import Environment
from ..starters import (
    FRONTIER_OUTPUT_TOKENS,
    LOCAL_ANALYSIS_TOKENS,
    LOCAL_OUTPUT_TOKENS,
    LOCAL_SYNTHESIS_TOKENS,
)
from .errors import Refused
from .policy import preset_policy, site_policy

CUSTOM = "custom"
LOCAL = "local"
MAX_NAME = 200


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
            _panelist(writer, preset.synthesizer_model),
            fallback=_fallback(
                preset.synthesizer_fallback_credential or writer, preset.synthesizer_fallback_model
            ),
        )
    elif preset.synthesizer_fallback_model:
        # The judge writes, but somebody else stands in for it when it fails at that.
        synthesizer = replace(
            _panelist(writer, preset.judge_model),
            fallback=_fallback(
                preset.synthesizer_fallback_credential or writer, preset.synthesizer_fallback_model
            ),
        )
    return Spec(
        panel=panel,
        judge=replace(
            _panelist(preset.judge_credential, preset.judge_model),
            fallback=_fallback(
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
            if _is_local(preset.judge_credential)
            else None,
            synthesis_max_output_tokens=LOCAL_SYNTHESIS_TOKENS if _is_local(writer) else None,
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
    enabled = list(Preset.objects.filter(enabled=True))
    slugs = [p.slug for p in enabled]
    if any(c.kind == "openrouter" for c in ready):
        wanted = "quality"
    elif any(c.environment != Environment.LOCAL for c in ready):
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
    return any(p.credential.environment == Environment.LOCAL for p in seats)


def custom_spec(*, panel: Sequence[str], judge: str, synthesizer: str = "") -> Spec:
    """From names as people type them, `model` or `credential:model`. Raises Refused."""
    seats = [name.strip() for name in panel if name.strip()]
    if not seats:
        raise Refused("Choose at least one model for the panel.")
    if len(seats) > MAX_SEATS:
        raise Refused(f"A panel has at most {MAX_SEATS} models.")
    if not judge.strip():
        raise Refused("Choose a judge.")
    names = _Names(*seats, judge, synthesizer)
    found = [names.find(name) for name in seats]
    judged_by = names.find(judge)
    written_by = names.find(synthesizer) if synthesizer.strip() else None
    judge_is_local = judged_by[0].environment == Environment.LOCAL
    writer_is_local = (written_by or judged_by)[0].environment == Environment.LOCAL
    return Spec(
        panel=tuple(_panelist(c, model, max_output_tokens=_usual_limit(c)) for c, model in found),
        judge=_panelist(*judged_by),
        synthesizer=_panelist(*written_by) if written_by else None,
        prompts=load_prompts(),
        policy=site_policy(
            quorum=len(found) if any(_is_local(c) for c, _ in found) else None,
            analysis_max_output_tokens=LOCAL_ANALYSIS_TOKENS if judge_is_local else None,
            synthesis_max_output_tokens=LOCAL_SYNTHESIS_TOKENS if writer_is_local else None,
        ),
        preset=CUSTOM,
        preset_name="Custom",
        shuffle_seed=secrets.randbits(128),
    )


def find_panelist(name: str) -> Panelist:
    """A model for a seat, by the name people type, with the usual limits. Raises Refused."""
    credential, model = _Names(name).find(name)
    return _panelist(credential, model, max_output_tokens=_usual_limit(credential))


def find_judge(name: str, *, tokens: int = LOCAL_ANALYSIS_TOKENS) -> Panelist:
    """A judge or synthesizer by its name. The built-in model writes `tokens` at most."""
    credential, model = _Names(name).find(name)
    panelist = _panelist(credential, model)
    return replace(panelist, max_output_tokens=tokens) if _is_local(credential) else panelist


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


class _Names:
    """Which credential is meant by a name. Servers are asked only if they may be meant."""

    def __init__(self, *names: str) -> None:
        self._credentials = {c.slug: c for c in Credential.objects.all()}
        self._ready = [c for c in self._credentials.values() if c.is_ready]
        self._listed: list[CatalogModel] | None = None
        # Asked unless they were lately, all at once: what the calls cost is wanted next.
        slugs = {name.strip().partition(":")[0] for name in names}
        look_up([c for c in self._ready if c.slug in slugs])

    def find(self, name: str) -> tuple[Credential, str]:
        name = name.strip()
        if not name.isprintable() or len(name) > MAX_NAME:
            # No server has such a model, and not every database can keep the name.
            raise Refused("A model's name is one line of at most 200 plain characters.")
        # A model's own name may hold a colon too (llama3:8b), so only a slug counts.
        slug, _, model = name.partition(":")
        if model.strip() and slug in self._credentials:
            return self._must_be_ready(self._credentials[slug]), model.strip()
        if not self._ready:
            raise Refused("No provider is set up yet. An admin can add a provider key.")
        if self._listed is None:
            self._listed, _ = all_models()
        offering = sorted({m.credential_slug for m in self._listed if m.model == name})
        if len(offering) > 1:
            choices = " or ".join(f"{slug}:{name}" for slug in offering)
            raise Refused(f"Several providers offer {name}: name it {choices}.")
        if offering:
            return self._credentials[offering[0]], name
        # Nobody lists it; a server may know it all the same. The built-in model has one name.
        servers = [c for c in self._ready if c.environment != Environment.LOCAL] or self._ready
        if len(servers) == 1:
            return servers[0], name
        choices = " or ".join(f"{c.slug}:{name}" for c in servers)
        raise Refused(f"No provider lists {name}. To ask for it all the same, name it {choices}.")

    def _must_be_ready(self, credential: Credential) -> Credential:
        if lacks := credential.lacks:
            raise Refused(lacks)
        return credential


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
        fallback=_fallback(
            panelist.fallback_credential or panelist.credential,
            panelist.fallback_model,
            max_output_tokens=panelist.max_output_tokens,
            system_prompt=panelist.system_prompt,
        ),
    )


def _fallback(
    credential: Credential,
    model: str,
    *,
    max_output_tokens: int | None = None,
    system_prompt: str = "",
) -> Panelist | None:
    """What the seat asks of its answer, it asks of whoever stands in too."""
    if not model:
        return None
    stand_in = _panelist(credential, model, max_output_tokens=max_output_tokens)
    return replace(stand_in, system_prompt=system_prompt)


def _panelist(
    credential: Credential, model: str, *, max_output_tokens: int | None = None
) -> Panelist:
    """Without a limit it is a judge or a synthesizer, whose limits are the policy's."""
    local = credential.environment == Environment.LOCAL
    return Panelist(
        model=model,
        credential=credential.slug,
        # A model this small wanders when it is left any freedom.
        temperature=0.0 if local and max_output_tokens is None else None,
        max_output_tokens=max_output_tokens,
        price=price_of(credential, model),
        context_length=context_length_of(credential, model),
    )


def _is_local(credential: Credential) -> bool:
    return credential.environment == Environment.LOCAL


def _usual_limit(credential: Credential) -> int | None:
    """Of other servers nothing is known, and one may refuse a limit above its context."""
    if credential.environment == Environment.LOCAL:
        return LOCAL_OUTPUT_TOKENS
    return FRONTIER_OUTPUT_TOKENS if credential.kind == "openrouter" else None
