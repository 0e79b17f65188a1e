"""What a model takes beside text, as far as its server's list says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from ..models import CatalogModel
from ..providers.kinds import BUILT_IN
from .kinds import PDF, has_to_be_seen, is_picture

IMAGE, FILE = "image", "file"
At = tuple[str, str]  # (slug of a credential, model)
Inputs = frozenset[str] | None  # None: nobody says


def inputs_of(models: Iterable[At]) -> dict[At, Inputs]:
    asked = set(models)
    wanted = Q(pk=None)
    for slug, model in asked:
        wanted |= Q(credential__slug=slug, model=model)
    rows = CatalogModel.objects.filter(wanted)
    found: dict[At, Inputs] = {
        (slug, model): None if inputs is None else frozenset(inputs)
        for slug, model, inputs in rows.values_list("credential__slug", "model", "inputs")
    }
    # The packaged model reads text, whatever is listed of it.
    found |= {at: frozenset({"text"}) for at in asked if at[0] == BUILT_IN.slug}
    return {at: found.get(at) for at in asked}


def may_take(type: str, inputs: Inputs) -> bool:
    """As it is. Of whom nobody knows, a picture is tried, since there is nothing else of it; a
    document is given as text, which everybody reads."""
    if is_picture(type):
        return inputs is None or IMAGE in inputs
    return type == PDF and inputs is not None and FILE in inputs


def may_see_pages(type: str, inputs: Inputs, *, scanned: bool) -> bool:
    """As pictures. Of whom nobody knows they are tried where there is no text."""
    return type == PDF and (scanned if inputs is None else IMAGE in inputs)


def can_take_some(type: str, read: Mapping[str, Any], inputs: Inputs) -> bool:
    """In whatever way: what has to be seen goes to who may see, all else is text at least."""
    if not has_to_be_seen(type, read):
        return True
    return may_take(type, inputs) or may_see_pages(type, inputs, scanned=True)


def can_see(limit: int = 8) -> list[str]:
    """Models of this site that take pictures, as people name them."""
    rows = CatalogModel.objects.filter(gone_at=None, credential__enabled=True)
    seeing = (
        f"{slug}:{model}"
        for slug, model, inputs in rows.values_list("credential__slug", "model", "inputs")
        if inputs and IMAGE in inputs
    )
    return [name for name, _ in zip(seeing, range(limit), strict=False)]
