"""What a member saves for themselves: kept, changed, offered to the team, gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from ..catalog.places import named_place
from ..engine.spec import Panelist
from ..models import Credential, OwnPreset, Preset, PresetPanelist, Project
from .build_spec import build
from .errors import Refused
from .offering import MOST, must_be_named
from .panel_content import Content, content_of, wish_of
from .preset_versions import version_add
from .wait_for import as_text
from .wish import SeatWish, Wish

LONGEST_SLUG = 40


def own_wish(preset: OwnPreset) -> Wish:
    return wish_of(preset.content, preset.slug, preset.name)


def own_preset_save(
    *,
    owner: User,
    name: str,
    wish: Wish,
    description: str = "",
    preset: OwnPreset | None = None,
    project: Project | None = None,
) -> OwnPreset:
    """A new one, or `preset` as it is to be from now on. Raises Refused, also where nobody could
    be asked with it: NameRefused and PolicyRefused say where that lies."""
    name, description = name.strip(), description.strip()
    must_be_named(name, description)
    content = content_of(wish)
    whole = wish_of(content)
    build(replace(whole, wait_for=whole.limits["wait_for"]))  # it can be asked
    with transaction.atomic():
        if preset is None:
            preset = _made(owner, name, description, content)
        else:
            preset = OwnPreset.objects.select_for_update().get(pk=preset.pk)
            preset.name, preset.description, preset.content = name, description, content
            preset.save(update_fields=["name", "description", "content"])
        if preset.project_id != (project.pk if project else None):
            preset.project = project
            preset.save(update_fields=["project"])
        version_add(preset=preset, by=owner)
    return preset


def own_preset_delete(*, preset: OwnPreset) -> None:
    """Runs that were asked with it keep what they were asked with."""
    preset.delete()


def own_preset_take(*, preset: OwnPreset, by: User) -> OwnPreset:
    """A copy of one that is offered, of one's own. Raises Refused."""
    return own_preset_save(
        owner=by,
        name=preset.name,
        description=preset.description,
        wish=own_wish(preset),
        project=preset.project,
    )


@transaction.atomic
def preset_from_offer(*, preset: OwnPreset, by: User) -> Preset:
    """The same among the site's presets, with the keys that its names mean now. Raises Refused.

    Whoever made it keeps theirs; what is changed of one is not changed of the other.
    """
    wish = own_wish(preset)
    spec = build(wish)
    keys = {c.slug: c for c in Credential.objects.all()}

    def at(name: str, who: Panelist | None) -> dict[str, Any]:
        if who is None:
            return {}
        return {f"{name}_model": who.model, f"{name}_credential": keys[who.credential]}

    writer = spec.synthesizer if wish.synthesizer else None
    limits = {k: v for k, v in wish.limits.items() if v is not None}
    waits = limits.pop("wait_for", None)
    made = Preset.objects.create(
        slug=_free_slug(preset.name),
        name=preset.name,
        description=preset.description,
        criteria=wish.criteria,
        shape=wish.shape,
        run_budget=preset.content.get("run_budget"),
        reuse_minutes=preset.content.get("reuse_minutes"),
        web=preset.content.get("web", ""),
        **{f"web_{name}": value for name, value in wish.web_limits.items()},
        judge_place=str(named_place(preset.content["judge"]) or ""),
        synthesizer_place=str(named_place(preset.content["synthesizer"]) or ""),
        wait_for=as_text(waits) if waits else "",
        project=preset.project,
        **at("judge", spec.judge),
        **at("judge_fallback", spec.judge.fallback),
        **at("synthesizer", writer),
        **at("synthesizer_fallback", spec.synthesizer and spec.synthesizer.fallback),
        **limits,
        **_columns(preset.content.get("terms", {})),
    )
    for seat, (said, panelist) in enumerate(zip(wish.panel, spec.panel, strict=True)):
        assert isinstance(said, SeatWish)
        PresetPanelist.objects.create(
            preset=made,
            seat=seat,
            place=str(named_place(preset.content["panel"][seat]["model"]) or ""),
            model=panelist.model,
            credential=keys[panelist.credential],
            label=said.label,
            temperature=said.temperature,
            max_output_tokens=panelist.max_output_tokens,
            seed=said.seed,
            reasoning_effort=said.reasoning_effort,
            system_prompt=said.system_prompt,
            **at("fallback", panelist.fallback),
            **_columns(preset.content["panel"][seat].get("terms", {})),
        )
    version_add(preset=made, by=by)
    return made


def _columns(terms: Content) -> Content:
    return terms | {"only_providers": ", ".join(terms.get("only_providers", ()))}


def _made(owner: User, name: str, description: str, content: Content) -> OwnPreset:
    if OwnPreset.objects.filter(owner=owner).count() >= MOST:
        raise Refused(f"You have {MOST} presets: delete one first.")
    for _ in range(3):  # somebody may take the same name meanwhile
        try:
            with transaction.atomic():
                return OwnPreset.objects.create(
                    owner=owner,
                    # With whose it is, so that nobody learns from it what others have saved.
                    slug=_free_slug(f"{slugify(owner.get_username())[:16]}-{name}"),
                    name=name,
                    description=description,
                    content=content,
                )
        except IntegrityError:
            continue
    raise Refused("It could not be saved just now. Try again.")


def _free_slug(text: str) -> str:
    """Of the names that programs know presets by, one that nobody has."""
    base = slugify(text)[: LONGEST_SLUG - 5].strip("-") or "preset"
    taken = set(Preset.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= set(OwnPreset.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= {"custom", "direct", "fast"}
    numbered = (f"{base}-{n}" for n in range(2, 9999))
    return next(slug for slug in (base, *numbered) if slug not in taken)
