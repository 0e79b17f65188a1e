"""From a preset to what it wishes of a run, and what else is known of presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache, partial

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, SlugField

from ..access import is_member, presets_of
from ..catalog.names import ModelAt
from ..catalog.seed_data import presets as came_with_the_site
from ..engine.spec import MAX_SEATS, Spec
from ..models import Credential, Fusion, Preset, PresetPanelist, Run
from ..models.credentials import all_credentials
from ..models.prepared import READER, Prepared, among, count_for, each, put_at_hand, some
from ..models.runs import READ_ONLY
from ..providers import kinds
from .build_spec import build
from .errors import Refused
from .panel_fill import judge_proposed, panel_proposed
from .panelists import usual_limit
from .places import are_places, key_for_places, places_filled, unfilled
from .policy import limits_of
from .web import limits_of_web, usual_web
from .wish import CUSTOM, SeatWish, Wish

NEWEST = 1000  # runs that tell how often a preset's fusions change the answer


def preset_wish(preset: Preset) -> Wish:
    """Its places are filled first. Raises Refused when the preset has no panel."""
    places_filled(preset)
    return filled_wish(preset)


def filled_wish(preset: Preset) -> Wish:
    """`preset_wish` of one whose places have just been filled."""
    if empty := unfilled(preset):
        raise Refused(empty)
    panel = [_seat(preset, p) for p in _panelists(preset)]
    if not 1 <= len(panel) <= MAX_SEATS:
        raise Refused(f"{preset.name} has no panel.")
    judge = preset.judge_credential
    writer = judge
    named_writer = "" if preset.judge_writes else preset.synthesizer_model
    if named_writer:
        writer = preset.synthesizer_credential or judge
    return Wish(
        panel=panel,
        judge=ModelAt(judge, preset.judge_model),
        synthesizer=_named(writer, named_writer),
        judge_fallback=_named(
            preset.judge_fallback_credential or judge, preset.judge_fallback_model
        ),
        synthesizer_fallback=_named(
            preset.synthesizer_fallback_credential or writer, preset.synthesizer_fallback_model
        ),
        criteria=preset.criteria,
        shape=preset.shape,
        max_cost=_dollars(preset.run_budget),
        reuse_minutes=preset.reuse_minutes,
        limits=limits_of(preset),
        preset=preset.slug,
        preset_name=preset.name,
        terms=preset.terms,
        usual_web=usual_web(preset),
        web_limits=limits_of_web(preset),
    )


def _dollars(budget: float | None) -> Decimal | None:
    return None if budget is None else Decimal(str(budget))


def preset_spec(preset: Preset) -> Spec:
    """As it stands. Raises Refused when it has no panel."""
    return build(preset_wish(preset))


def usual_wish() -> Wish | None:
    """Of the preset that is offered first; where that is a panel of one's own, since no preset
    asks the models there are, whoever would be proposed for it. None where nobody can be asked."""
    slug = default_preset_slug()
    if slug == CUSTOM:
        return _proposed()
    preset = Preset.objects.filter(slug=slug, enabled=True).first()
    return None if preset is None or preset_lacks(preset) else preset_wish(preset)


def _proposed() -> Wish | None:
    names = [one.name for one in panel_proposed(named=())]
    if not names:
        return None
    credentials = {c.slug: c for c in Credential.objects.all()}

    def at(name: str) -> ModelAt:
        slug, _, model = name.partition(":")
        return ModelAt(credentials[slug], model)

    seats = [SeatWish(at(name)) for name in names]
    return Wish(panel=seats, judge=at(judge_proposed(panel=names)))


class Enabled(dict[Preset, str]):
    """Presets, each with what it lacks; and the credentials of the site, as they were read for
    that."""

    credentials: Sequence[Credential]


def presets_enabled(*slugs: str) -> Enabled:
    """Those that are switched on, or of those the ones of these slugs, each with what it lacks, as
    `preset_lacks` says it: read at once, with their seats and whose keys they name, instead of one
    by one."""
    if slugs:
        presets = _enabled_named(count_for(slugs)).rows(**each("slug", slugs))
    else:
        presets = _ENABLED.rows()
    credentials = at_hand(presets)
    places_filled(*presets, credentials=credentials)
    missing = cache(partial(key_for_places, credentials))  # the same for each that lacks one
    found = Enabled({preset: _lacks(preset, missing) for preset in presets})
    found.credentials = credentials
    return found


def at_hand(presets: Sequence[Preset]) -> Sequence[Credential]:
    """Their seats and all the credentials that they and their seats name. Gives all there are."""
    rows: list[Preset | PresetPanelist] = [*presets]
    if keys := [preset.pk for preset in presets]:
        rows += (seats := _seats_of(count_for(keys)).rows(**each("preset", keys)))
        put_at_hand(presets, "panelists", seats, of="preset")
    every = all_credentials()  # last, so that whatever they name is among them
    credentials = {c.pk: c for c in every}
    for row in rows:
        for field in row._meta.fields:
            if field.related_model is Credential and (pk := getattr(row, field.attname)):
                setattr(row, field.name, credentials[pk])
    return every


_ENABLED = Prepared(lambda: Preset.objects.filter(enabled=True).select_related("project"))


@cache
def _enabled_named(count: int) -> Prepared:
    theirs = Q(enabled=True, slug__in=some("slug", SlugField(), count))
    return Prepared(lambda: Preset.objects.filter(theirs).select_related("project"))


@cache
def _seats_of(count: int) -> Prepared:
    theirs = among("preset", Preset._meta.pk, count)
    return Prepared(lambda: PresetPanelist.objects.filter(theirs))


def preset_lacks(preset: Preset) -> str:
    """What keeps it from running, as one sentence; "" when it can."""
    if preset.enabled:
        places_filled(preset)
    return _lacks(preset)


def _lacks(preset: Preset, missing: Callable[[], str] = key_for_places) -> str:
    if not preset.enabled:
        return f"{preset.name} is switched off."
    panelists = _panelists(preset)
    if not panelists:
        return f"{preset.name} has no panelists yet."
    if empty := unfilled(preset):
        return empty
    # A fallback that lacks something is no obstacle: it fails when it is needed, and says so.
    credentials = [p.credential for p in panelists] + [preset.judge_credential]
    writes = preset.synthesizer_model and not preset.judge_writes
    if writes and preset.synthesizer_credential:
        credentials.append(preset.synthesizer_credential)
    lacking = [c for c in dict.fromkeys(credentials) if c.lacks]
    if lacking and all(c.lacks_a_key for c in lacking) and are_places(preset, lacking):
        return missing()
    return lacking[0].lacks if lacking else ""


def _panelists(preset: Preset) -> list[PresetPanelist]:
    is_at_hand = "panelists" in getattr(preset, "_prefetched_objects_cache", {})
    seats = preset.panelists
    return list(seats.all() if is_at_hand else seats.select_related("credential"))


def preset_names(person: User | None = None) -> list[tuple[str, str]]:
    """Slug and name of those that are switched on, and of that person's own."""
    site = _NAMES.rows()
    return [*site, *(_OWN_NAMES.rows(reader=person.pk) if person and is_member(person) else ())]


_NAMES = Prepared(lambda: Preset.objects.filter(enabled=True).values_list("slug", "name"))
_OWN_NAMES = Prepared(lambda: presets_of(User(pk=READER)).values_list("slug", "name"))


def preset_slugs() -> list[str]:
    """Those that can run now."""
    return [preset.slug for preset, lacks in presets_enabled().items() if not lacks]


def default_preset_slug(enabled: Enabled | None = None) -> str:
    """What the console offers first: the best that can run now, Local until there is a key.
    `enabled`: what `presets_enabled` gave, for who has asked it."""
    enabled = presets_enabled() if enabled is None else enabled
    ready = [c for c in enabled.credentials if c.is_ready]
    there = {c.kind for c in ready}
    starters = (k.starter_preset for k in kinds.KINDS.values() if k.slug in there)
    slugs = [p.slug for p in enabled]
    if starter := next(filter(None, starters), ""):
        wanted = starter
    elif not all(c.is_local for c in ready):
        wanted = CUSTOM
    else:
        wanted = "local"
    can_run = [preset for preset, lacks in enabled.items() if not lacks]
    runnable = [p.slug for p in can_run]
    if wanted == CUSTOM:
        # A preset that somebody has made for that server; the built-in model is for trying.
        own = (p.slug for p in can_run if not _is_built_in(p))
        return next(own, CUSTOM)
    if wanted in runnable:
        return wanted
    return next(iter([*runnable, *(s for s in slugs if s == wanted), *slugs, CUSTOM]))


def _is_built_in(preset: Preset) -> bool:
    return any(p.credential.is_local for p in _panelists(preset))


def presets_changed() -> dict[str, tuple[int, int]]:
    """By preset: (runs in which the first fusion changed the answer, runs in which that can be
    said), of the newest of the site."""
    newest = Run.objects.exclude(origin__in=READ_ONLY).order_by("-created_at")
    preset_of = dict(newest.values_list("pk", "preset")[:NEWEST])
    first = Fusion.objects.filter(run__in=[*preset_of], number=1).exclude(changed=None)
    counts: dict[str, tuple[int, int]] = {}
    for run, changed in first.values_list("run_id", "changed"):
        yes, runs = counts.get(preset_of[run], (0, 0))
        counts[preset_of[run]] = yes + bool(changed), runs + 1
    return counts


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


def _seat(preset: Preset, panelist: PresetPanelist) -> SeatWish:
    limit = panelist.max_output_tokens
    if preset.slug in came_with_the_site() and limit == usual_limit(panelist.credential):
        limit = None  # nobody chose it: it came with the site
    return SeatWish(
        ModelAt(panelist.credential, panelist.model),
        label=panelist.label,
        temperature=panelist.temperature,
        max_output_tokens=limit,
        seed=panelist.seed,
        reasoning_effort=panelist.reasoning_effort,
        system_prompt=panelist.system_prompt,
        fallback=_named(
            panelist.fallback_credential or panelist.credential, panelist.fallback_model
        ),
        is_unlimited=panelist.max_output_tokens is None,
        terms=panelist.terms,
    )


def _named(credential: Credential, model: str) -> ModelAt | str:
    return ModelAt(credential, model) if model else ""
