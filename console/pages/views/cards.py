"""Presets as cards: whom each asks, and what is wrong with that for whoever can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from ...catalog.fitness import Finding
from ...catalog.judging import who_can_judge
from ...catalog.places import named_place
from ...engine.findings.families import Kin, kin, one_family
from ...engine.spec import MAX_SEATS, Panelist, letter, short_name
from ...models import Credential, OwnPreset, Preset
from ...services.places import NewerModel, newer_models
from ...services.preset_checks import preset_findings
from ...services.web import OFF, usual_web
from ..filled import Swap

IN_ROW = 4


@dataclass(frozen=True)
class Card:
    slug: str
    name: str
    description: str
    pk: int = 0
    seats: tuple[dict[str, Any], ...] = ()
    is_own: bool = False
    project: str = ""  # where runs with it belong
    is_changed: bool = False  # another model in a seat, for this run
    judge: str = ""
    writer: str = ""  # where another one than the judge writes
    web: str = ""  # on or off, where it has a usual way
    kin: tuple[Kin, ...] = ()
    newer: tuple[NewerModel, ...] = ()
    # What is wrong with whom it names, for whoever can mend it.
    findings: tuple[Finding, ...] = ()

    @property
    def words(self) -> str:
        """What is searched in where there are many."""
        seats = " ".join(seat["model"] for seat in self.seats)
        return f"{self.name} {self.description} {seats} {self.judge} {self.writer}".casefold()


def preset_cards(presets: list[Preset], *, for_admin: bool) -> list[Card]:
    """What is wrong with a preset, or could be newer, is shown to who can do something about it."""
    found = preset_findings(presets) if for_admin else {}
    newer = newer_models(*presets) if for_admin else {}
    can_judge = who_can_judge((preset.judge_credential, preset.judge_model) for preset in presets)
    return [
        _card(
            preset,
            (preset.judge_credential_id, preset.judge_model) in can_judge,
            found.get(preset, ()),
            newer.get(preset, ()),
        )
        for preset in presets
    ]


def _card(
    preset: Preset, can_judge: bool, found: Sequence[Finding], newer: Sequence[NewerModel]
) -> Card:
    panelists = list(preset.panelists.all())[:MAX_SEATS]
    seats = tuple(
        {
            "seat": i,
            "letter": letter(i),
            "model": p.model,
            "name": short_name(p.model),
            "label": p.label,
        }
        for i, p in enumerate(panelists)
    )
    return Card(
        slug=preset.slug,
        name=preset.name,
        description=preset.description,
        pk=preset.pk,
        project=preset.project.name if preset.project else "",
        seats=seats,
        judge=short_name(preset.judge_model) if can_judge else "",
        writer=short_name(preset.writer_model) if preset.has_writer else "",
        web="off" if usual_web(preset) == OFF else "on",
        kin=tuple(_kin(preset, can_judge)),
        newer=tuple(newer),
        findings=tuple(found),
    )


def _kin(preset: Preset, can_judge: bool) -> list[Kin]:
    """By their names: a preset that lacks a key has them too."""
    panel = [Panelist(p.model, "") for p in preset.panelists.all()][:MAX_SEATS]
    judge = Panelist(preset.judge_model, "", judges=can_judge)
    writer = Panelist(preset.writer_model, "") if preset.has_writer else judge
    alike = one_family(panel)
    return [*([alike] if alike else ()), *kin(panel, judge, writer)]


def own_cards(presets: Sequence[OwnPreset]) -> list[Card]:
    """By the names in them: whether these can be asked is said when they are."""
    keys = set(Credential.objects.values_list("slug", flat=True)) if presets else set()
    return [_own_card(preset, keys) for preset in presets]


def with_exchanged(card: Card, swaps: Iterable[Swap]) -> Card:
    """As it reads with other models in its seats."""
    seats = [dict(seat) for seat in card.seats]
    for swap in swaps:
        if swap.preset == card.slug and swap.seat < len(seats):
            model = swap.model
            seats[swap.seat] |= {"model": model, "name": short_name(model), "swap": str(swap)}
    if not any("swap" in seat for seat in seats):
        return card
    return replace(card, seats=tuple(seats), is_changed=True, kin=(), findings=(), newer=())


def row_and_rest(
    cards: Sequence[Card], chosen: str, lately: Sequence[str]
) -> tuple[list[Card], list[Card]]:
    """Those that stand in the row, in their usual order: what is chosen, then what was used
    last. The rest stands in one list."""
    if len(cards) <= IN_ROW:
        return [*cards], []
    slugs = [card.slug for card in cards]
    first = [slug for slug in dict.fromkeys([chosen, *lately, *slugs]) if slug in slugs][:IN_ROW]
    rest = [card for card in cards if card.slug not in first]
    return [card for card in cards if card.slug in first], rest


def _named(model: str) -> str:
    place = named_place(model)
    return place.label if place else short_name(model)


def _own_card(preset: OwnPreset, keys: Set[str]) -> Card:
    content = preset.content
    models = [bare_model(seat["model"], keys) for seat in content.get("panel", ())]
    judge = bare_model(content.get("judge", ""), keys)
    writer = bare_model(content.get("synthesizer", ""), keys) or judge
    panel = [Panelist(model, "") for model in models]
    of_judge, of_writer = Panelist(judge, ""), Panelist(writer, "")
    alike = one_family(panel)
    return Card(
        slug=preset.slug,
        name=preset.name,
        description=preset.description,
        is_own=True,
        project=preset.project.name if preset.project else "",
        web="off" if content.get("web", OFF) == OFF else "on",
        seats=tuple(
            {
                "seat": n,
                "letter": letter(n),
                "model": model,
                "name": _named(model),
                "label": seat.get("label", ""),
            }
            for n, (model, seat) in enumerate(zip(models, content.get("panel", ()), strict=True))
        ),
        judge=_named(judge),
        writer=_named(writer) if writer != judge else "",
        kin=(*([alike] if alike else ()), *kin(panel, of_judge, of_writer)),
    )


def bare_model(name: str, keys: Set[str]) -> str:
    """Without the key that it is asked with."""
    key, _, model = name.partition(":")
    return model if key in keys and model else name
