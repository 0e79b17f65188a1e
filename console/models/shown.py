"""What of a run is shown to whoever reads it. Page, print, export and API go by one value of it,
which `access.py` gives; whatever it does not show, they do not have.
"""

from __future__ import annotations

from typing import NamedTuple


class Shown(NamedTuple):
    """`costs`: of each call and in all. `models`: who was asked, by name. `prompt`: what was
    asked. `people`: who of the team found what best, and why.
    `notes`: what its reader noted to their rulings, added and wished. `earlier`: what had been
    said before its question, beyond runs that are read by themselves. `inner`: what no page
    shows anybody (prompts and options as they were sent, what tools said)."""

    costs: bool = True
    models: bool = True
    prompt: bool = True
    people: bool = True
    notes: bool = True
    earlier: bool = True
    inner: bool = True


# What whoever shares a run by a link may hide.
HIDEABLE = {"costs": "costs", "models": "names of models", "prompt": "the prompt"}

ALL = Shown()
BY_LINK = Shown(costs=False, people=False, notes=False, earlier=False, inner=False)
