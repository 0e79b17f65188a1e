"""Places of presets, filled from what the keys of the site reach.

What a place was filled with stays: it changes when it is gone or its key is, when a key is
added for a place whose own maker could not be reached, or by somebody's click. A newer model
is offered. What begins with `~` is nobody's choice: it stands there until a list of models has
been read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from ..catalog.places import (
    ANY,
    OTHER,
    Filled,
    Fitting,
    ModelPlace,
    Reach,
    Wanted,
    fill,
    is_newer,
    read_place,
)
from ..engine.findings.families import family
from ..engine.spec import short_name
from ..models import CatalogList, CatalogModel, Credential, Preset, PresetPanelist
from ..providers.kinds import KEY_GIVERS
from .preset_versions import version_add

JUDGE, SYNTHESIZER = "judge_", "synthesizer_"  # before the names of their columns


@dataclass(frozen=True)
class Spot:
    """Where a place stands, and what it was filled with."""

    place: ModelPlace
    credential: Credential
    model: str
    row: Preset | PresetPanelist
    prefix: str = ""  # of the columns of a preset

    @property
    def maker(self) -> str:
        return family(self.model)

    @property
    def is_filled(self) -> bool:
        return bool(self.model) and not self.model.startswith("~")

    def put(self, fitting: Fitting) -> None:
        columns = {
            f"{self.prefix}model": fitting.model,
            f"{self.prefix}credential": fitting.credential,
        }
        type(self.row).objects.filter(pk=self.row.pk).update(**columns)
        for name, value in columns.items():
            setattr(self.row, name, value)


@dataclass(frozen=True)
class NewerModel:
    """A model that is newer than the one that stands in a place."""

    old: str
    new: str
    name: str  # of the new one, as its server calls it

    @property
    def sentence(self) -> str:
        return f"{self.name} is newer than {self.old}."


def places_filled(*presets: Preset, credentials: Sequence[Credential] | None = None) -> None:
    """Fill what has to be, in rows and in the given objects, from the lists that have been
    read. Asks nobody. `credentials`: all of the site, of who has read them."""
    spots = {preset: found for preset in presets if (found := list(_spots(preset)))}
    ready = _ready(credentials) if spots else []
    if not ready:
        return
    read = _read_from(ready)
    reach: Reach | None = None
    for preset, its in spots.items():
        if preset.filled_from != read:
            reach = reach or Reach(ready)
            _fill(preset, its, reach)
            preset.filled_from = read
            Preset.objects.filter(pk=preset.pk).update(filled_from=read)


def places_refilled(*, preset: Preset) -> Preset:
    """After somebody has edited them."""
    preset.filled_from = ""
    places_filled(preset)
    return preset


def unfilled(preset: Preset) -> str:
    """Why it cannot run, as one sentence; "" when every place that must be is filled."""
    empty = next((spot.place for spot in _spots(preset) if not spot.model), None)
    return f"No model that your keys reach fits “{empty.label}”." if empty else ""


def are_places(preset: Preset, credentials: Sequence[Credential]) -> bool:
    """Whether these are named for places alone, which another key would fill as well."""
    named = [p.credential for p in preset.panelists.all() if not _place(p.place)]
    if not _place(preset.judge_place):
        named.append(preset.judge_credential)
    writes = preset.synthesizer_model and not preset.judge_writes
    if writes and not _place(preset.synthesizer_place):
        named.append(preset.synthesizer_credential or preset.judge_credential)
    return not set(credentials) & set(named)


def key_for_places(credentials: Sequence[Credential] | None = None) -> str:
    """Whose keys would fill the places that those of the site do not."""
    ready = _ready(credentials)
    there = {c.slug for c in ready} | {c.url for c in ready}
    missing = [g.name for g in KEY_GIVERS if g.slug not in there and g.address not in there]
    which = f"one of {', '.join(missing[:-1])} or {missing[-1]}" if missing[1:] else "another one"
    if ready:
        return f"No model that your keys reach fits its places: {which} may do."
    return f"An API key is missing: {which} would do."


def newer_models(*presets: Preset) -> dict[Preset, list[NewerModel]]:
    """What `places_renewed` would bring, each once. Asks nobody."""
    return {
        preset: list(dict.fromkeys(_told(spot, fitting) for spot, fitting in newer))
        for preset, newer in _newer(presets).items()
    }


@transaction.atomic
def places_renewed(*, preset: Preset, by: User | None = None) -> list[NewerModel]:
    """Put the newest of its line into every place, as somebody asked for it."""
    newer = _newer([preset])[preset]
    told = [_told(spot, fitting) for spot, fitting in newer]
    if newer:
        version_add(preset=preset, by=None)
    for spot, fitting in newer:
        spot.put(fitting)
    if newer:
        version_add(preset=preset, by=by)
    return list(dict.fromkeys(told))


def _told(spot: Spot, fitting: Fitting) -> NewerModel:
    return NewerModel(short_name(spot.model), fitting.model, fitting.name)


def _newer(presets: Sequence[Preset]) -> dict[Preset, list[tuple[Spot, Fitting]]]:
    spots = {preset: [s for s in _spots(preset) if s.is_filled] for preset in presets}
    if not any(spots.values()):
        return {preset: [] for preset in presets}
    reach = Reach(_ready())
    return {
        preset: [
            (spot, best)
            for spot in its
            if (best := reach.best(spot.maker, spot.place.grade))
            and is_newer(best, spot.model, spot.place.grade)
        ]
        for preset, its in spots.items()
    }


@transaction.atomic
def _fill(preset: Preset, spots: list[Spot], reach: Reach) -> None:
    """All that has to be, or nothing: half a preset helps nobody."""
    filled = _ideal(preset, reach)
    lost = [s for s in spots if s in _lost(spots) or s.credential not in reach.credentials]
    if any(_of(filled, spot, preset) is None for spot in lost):
        return
    for of_the_panel in (True, False):
        sitting = [family(p.model) for p in preset.panelists.all()]
        for spot in spots:
            if bool(spot.prefix) == of_the_panel:
                continue
            ideal = _of(filled, spot, preset)
            if ideal and _gives_way(spot, ideal, sitting, is_lost=spot in lost):
                spot.put(ideal)


def _gives_way(spot: Spot, to: Fitting, sitting: list[str], *, is_lost: bool) -> bool:
    if is_lost or not spot.is_filled:
        return True
    if to.maker == spot.maker:
        return False
    if spot.place.maker not in (ANY, OTHER) and to.maker == spot.place.maker:
        return True  # it stood in for this maker
    # One that sits there twice, or judges its own kind, for want of another.
    times = sitting.count(spot.maker)
    return times > 1 if spot.prefix == "" else spot.place.maker == OTHER and times > 0


def _ideal(preset: Preset, reach: Reach) -> Filled:
    panel = list(preset.panelists.all())
    wanted = Wanted(
        panel=[_place(p.place) for p in panel],
        judge=_place(preset.judge_place),
        writer=_place(preset.synthesizer_place),
        named=[family(p.model) for p in panel if not _place(p.place)],
    )
    return fill(wanted, reach)


def _of(filled: Filled, spot: Spot, preset: Preset) -> Fitting | None:
    if spot.prefix:
        return filled.judge if spot.prefix == JUDGE else filled.writer
    return filled.panel[list(preset.panelists.all()).index(spot.row)]  # type: ignore[arg-type]


def _spots(preset: Preset) -> Iterator[Spot]:
    for panelist in preset.panelists.all():
        if place := _place(panelist.place):
            yield Spot(place, panelist.credential, panelist.model, panelist)
    if place := _place(preset.judge_place):
        at = preset.judge_credential
        yield Spot(place, at, preset.judge_model, preset, JUDGE)
    if not preset.judge_writes and (place := _place(preset.synthesizer_place)):
        at = preset.synthesizer_credential or preset.judge_credential
        yield Spot(place, at, preset.synthesizer_model, preset, SYNTHESIZER)


def _place(text: str) -> ModelPlace | None:
    """None for what a newer version may have stored: the model that stands there stays."""
    try:
        return read_place(text) if text else None
    except ValueError:
        return None


def _lost(spots: Sequence[Spot]) -> list[Spot]:
    """Those with nothing that could be asked."""
    models = {spot.model for spot in spots}
    gone = CatalogModel.objects.filter(model__in=models).exclude(gone_at=None)
    away = set(gone.values_list("credential", "model"))
    return [
        spot
        for spot in spots
        if not spot.model
        or (spot.credential.pk, spot.model) in away
        or not spot.credential.is_ready
    ]


def _ready(credentials: Sequence[Credential] | None = None) -> list[Credential]:
    known = Credential.objects.all() if credentials is None else credentials
    return [c for c in known if c.is_ready and not c.is_local]


def _read_from(ready: Sequence[Credential]) -> str:
    """Changes whenever one of their lists comes, gains a model or loses one."""
    urls = {c.pk: c.url for c in ready}
    lists = CatalogList.objects.filter(credential__in=urls).exclude(read_at=None)
    models = lists.annotate(
        newest=Max("credential__catalog__first_seen_at"),
        gone=Max("credential__catalog__gone_at"),
    )
    rows = models.order_by("pk").values_list("pk", "address", "newest", "gone")
    read = [f"{pk} {at} {newest} {gone}" for pk, at, newest, gone in rows if at == urls[pk]]
    return hashlib.sha256("\n".join(read).encode()).hexdigest() if read else ""
