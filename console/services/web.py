"""Whether a run looks something up on the web, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.spec import Research
from ..models import Preset
from ..research.researcher import engine
from .errors import Refused

SHARED, OFF = "shared", "off"
NO_ENGINE = (
    "No search engine is configured, so nothing can be looked up. Whoever runs this site can "
    "name one (README, Search of the web)."
)
# Of those that come with the site: the one that is for the best answer.
USUALLY = {"quality"}


def is_offered() -> bool:
    return engine() is not None


def usual_web(preset: Preset) -> str:
    return preset.web or (SHARED if preset.slug in USUALLY else OFF)


def limits_of_web(preset: Preset) -> dict[str, Any]:
    said = {
        "queries": preset.web_queries,
        "pages": preset.web_pages,
        "seconds": preset.web_seconds,
    }
    return {name: value for name, value in said.items() if value is not None}


def research_for(asked: str, usual: str, limits: Mapping[str, Any]) -> Research | None:
    """`asked` is what was chosen for this run alone. Raises Refused where that cannot be."""
    if asked == SHARED and not is_offered():
        raise Refused(NO_ENGINE)
    is_wished = (asked or usual) == SHARED and is_offered()
    return Research(**limits) if is_wished else None
