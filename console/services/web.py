"""Whether a run looks something up on the web, which way, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from ..catalog.listings import listed_models
from ..engine.calls.worst_case import searches_unasked
from ..engine.spec import Panelist, Research, Way
from ..models import Credential, Preset
from ..research.researcher import engine
from .errors import Refused

SHARED, OWN, PROVIDER, OFF = "shared", "own", "provider", "off"
ON = "on"  # the way is the preset's
NO_ENGINE = (
    "No search engine is configured, so nothing can be looked up. Whoever runs this site can "
    "name one (README, Search of the web)."
)
NO_CLAIMS = (
    "Claims are looked up where the web is searched with an engine of this site: here it is not."
)
# Of those that come with the site: the one that is for the best answer.
USUALLY = {"quality"}


def is_offered() -> bool:
    return engine() is not None


def usual_web(preset: Preset) -> str:
    return usual_way(preset.web, preset.slug)


def usual_way(said: str | None, slug: str) -> str:
    """`said`: by the preset itself."""
    return said or (SHARED if slug in USUALLY else OFF)


def limits_of_web(preset: Preset) -> dict[str, Any]:
    said = {
        "queries": preset.web_queries,
        "pages": preset.web_pages,
        "seconds": preset.web_seconds,
        "claims": preset.web_claims or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def way_of_web(asked: str, usual: str) -> str:
    way = (usual or OFF) if asked in ("", ON) else asked
    return SHARED if asked == ON and way == OFF else way


def research_for(asked: str, usual: str, limits: Mapping[str, Any]) -> Research | None:
    """`asked` is what was chosen for this run alone. Raises Refused where that cannot be. Only a
    provider's own search needs no engine of ours."""
    way = way_of_web(asked, usual)
    if way == OFF:
        return None
    if not is_offered():
        if way != PROVIDER:
            if asked:
                raise Refused(NO_ENGINE)
            return None
        limits = {**limits, "claims": False}
    return Research(**limits, way=cast(Way, way))


def with_ways(panel: tuple[Panelist, ...], research: Research | None) -> tuple[Panelist, ...]:
    """With what has to be known of each seat, and of who stands in for it: whether it takes tools,
    or whether its provider searches."""
    if research is None or research.is_for_all:
        return panel
    slugs = {who.credential for seat in panel for who in (seat, seat.fallback) if who}
    known = {
        credential.slug: credential for credential in Credential.objects.filter(slug__in=slugs)
    }
    named = [(seat, seat.fallback) for seat in panel]
    models = [
        (known[w.credential], w.model)
        for pair in named
        for w in pair
        if w and w.credential in known
    ]
    rows = listed_models(models) if research.way == OWN else {}

    def found(who: Panelist) -> Panelist:
        credential = known.get(who.credential)
        if credential is None:
            return who
        if research.way == OWN:
            row = rows.get((credential.pk, who.model))
            who = replace(who, takes_tools=row.takes_tools if row else None)
        else:
            kind = credential.known_kind
            does = bool(kind and kind.searches) or searches_unasked(who.model)
            who = replace(who, searches=does)
        return replace(who, fallback=found(who.fallback)) if who.fallback else who

    return tuple(map(found, panel))
