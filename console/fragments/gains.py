"""What fusing has brought, in one line of a preset's card."""

from __future__ import annotations

from ..services.gains import Gains, gains
from . import figures


def fusing_told() -> dict[str, str]:
    """By the preset's slug, of those with enough runs to tell."""
    return {preset: _told(gained) for preset, gained in gains().items()}


def _told(gained: Gains) -> str:
    times = gained.changed or "none"
    told = f"Fusing changed the answer in {times} of {gained.runs}"
    if gained.alone is None:
        return told
    return f"{told}; the best seat alone costs {figures.share(gained.alone)}"
