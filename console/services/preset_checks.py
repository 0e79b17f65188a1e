"""Presets are checked as a panel of one's own is: whom they name, by what the catalog knows.

Nobody is asked anything here but where a preset has just been saved: lists are rows, and
workers read them daily. A preset with findings goes on as it did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ..catalog.fitness import Catalog, Finding, Key, Listed, Mend, Use, findings, window_needed
from ..catalog.judging import large_enough, who_can_judge
from ..catalog.listings import known_models, look_up
from ..catalog.names import ModelAt
from ..catalog.prices import plain_name
from ..engine.spec import letter
from ..models import CatalogList, CatalogModel, Credential, Preset, PresetPanelist
from .errors import Refused
from .places import places_filled
from .policy import site_policy
from .preset_versions import version_add
from .presets import filled_wish
from .wish import SeatWish, Wish


def preset_findings(presets: Iterable[Preset]) -> dict[Preset, list[Finding]]:
    """Of several at once: the rows are read once for all of them."""
    presets = list(presets)
    places_filled(*presets)
    wishes = {preset: _wish_of(preset) for preset in presets}
    can_judge = who_can_judge(
        (at.credential, at.model)
        for wish in wishes.values()
        if wish
        for place, _, at in _named(wish)
        if place in _WHO
    )
    uses = {preset: _uses_of(wish, can_judge) for preset, wish in wishes.items()}
    catalog = _catalog([use for of in uses.values() for use in of])
    return {preset: findings(of, catalog) for preset, of in uses.items()}


def preset_check(preset: Preset) -> list[Finding]:
    """As it has just been saved: lists that are not at hand are asked for first."""
    places_filled(preset)
    if wish := _wish_of(preset):
        look_up([*{at.credential.pk: at.credential for _, _, at in _named(wish)}.values()])
    return preset_findings([preset])[preset]


@transaction.atomic
def preset_mend(*, preset: Preset, name: str, by: User | None = None) -> Finding:
    """Do what a finding offers; `name` is that of its mend. Raises Refused where nothing is
    wrong there any more."""
    locked = Preset.objects.select_for_update().get(pk=preset.pk)
    for finding in preset_findings([locked])[locked]:
        if finding.mend and finding.mend.name == name:
            version_add(preset=locked, by=None)
            _put(locked, finding.mend)
            version_add(preset=locked, by=by)
            return finding
    raise Refused("That has been mended already, or is not offered any more.")


def _put(preset: Preset, mend: Mend) -> None:
    credential = Credential.objects.get(slug=mend.key)
    place, _, of = mend.place.partition(".")
    row: Preset | PresetPanelist
    if place.isdigit():
        row = list(preset.panelists.all())[int(place)]
        model, key = ("fallback_model", "fallback_credential") if of else ("model", "credential")
    else:
        row, model, key = preset, f"{place}_model", f"{place}_credential"
    setattr(row, model, mend.model)
    setattr(row, key, credential)
    row.save(update_fields=[model, key])


def _wish_of(preset: Preset) -> Wish | None:
    try:
        return filled_wish(preset)
    except Refused:
        return None  # it has no panel: that is said elsewhere


_WHO = {
    "judge": "The judge",
    "synthesizer": "The writer",
    "judge_fallback": "The judge's fallback",
    "synthesizer_fallback": "The writer's fallback",
}


def _named(wish: Wish) -> Iterator[tuple[str, str, ModelAt]]:
    """(place, who, model) of everybody whom a preset names."""
    for number, seat in enumerate(wish.panel):
        assert isinstance(seat, SeatWish)
        for place, who, model in (
            (f"{number}", letter(number), seat.model),
            (f"{number}.fallback", f"{letter(number)}'s fallback", seat.fallback),
        ):
            if isinstance(model, ModelAt):
                yield place, who, model
    for place, who in _WHO.items():
        if isinstance(model := getattr(wish, place), ModelAt):
            yield place, who, model


def _uses_of(wish: Wish | None, can_judge: set[tuple[int, str]]) -> list[Use]:
    if wish is None:
        return []
    limits = [seat.max_output_tokens for seat in wish.panel if isinstance(seat, SeatWish)]
    analysis = site_policy(**wish.limits).analysis_max_output_tokens
    reads = window_needed(limits, analysis) if len(limits) > 1 else 0
    return [
        Use(
            place=place,
            who=who,
            key=at.credential.slug,
            model=at.model,
            plain=plain_name(at.credential, at.model),
            # Whoever judges or writes is given all answers, unless words are compared instead.
            reads=reads if place in _WHO and (at.credential.pk, at.model) in can_judge else 0,
        )
        for place, who, at in _named(wish)
    ]


def _catalog(uses: Sequence[Use]) -> Catalog:
    return catalog_naming({name for use in uses for name in (use.model, use.plain)})


def catalog_naming(names: Collection[str]) -> Catalog:
    """What is known of models of these names, and, where it is wanted, of all others."""
    credentials = list(Credential.objects.all())
    lists = CatalogList.objects.in_bulk([c.pk for c in credentials])
    keys = {c.slug: _key(c, lists.get(c.pk)) for c in credentials}
    at = {c.pk: c for c in credentials if keys[c.slug].has_list}
    rows = list(CatalogModel.objects.filter(credential__in=at, model__in=names))
    for row in rows:
        row.credential = at[row.credential_id]

    @lru_cache(maxsize=1)
    def more() -> Sequence[Listed]:
        return [_listed(row) for row in known_models(list(at.values()))]

    named = [_listed(row) for row in rows]
    return Catalog(keys, named, timezone.now(), more)


def _key(credential: Credential, of: CatalogList | None) -> Key:
    has_list = of is not None and bool(of.read_at) and of.address == credential.url
    return Key(
        slug=credential.slug,
        name=credential.name,
        lacks=credential.lacks,
        cannot_pay=credential.cannot_pay_since is not None,
        has_list=has_list,
    )


def _listed(row: CatalogModel) -> Listed:
    """Of one with its credential."""
    return Listed(
        key=row.credential.slug,
        model=row.model,
        context_length=row.context_length or _window(row.credential),
        outputs=row.outputs,
        published_at=row.published_at,
        expires_at=row.expires_at,
        gone_at=row.gone_at,
        can_judge=large_enough(row),
    )


def _window(credential: Credential) -> int | None:
    return credential.server.context_length if credential.server else None
