"""Whether a model is large enough to compare answers and to write from them, by what is known
of it: an admin's word, its server's, else the size that its name tells, else its context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..models import CatalogModel, Credential
from .listings import Look, listed_model, listed_models
from .prices import context_length_of

# In thousand millions of parameters. Of a smaller one than the first no prompt, however short,
# makes a judge; up to the second it is told in few words what to do.
LEAST_TO_JUDGE, SMALL = 1.0, 8.0
SMALL_CONTEXT = 8192  # tokens
# 8b, 1.5B, e4b, 8x7b, 135m; not the a3b of 30b-a3b, nor the 1m of a context. A name may stand
# behind its author's, before a variant and between whatever marks.
_SIZE = re.compile(r"(?:^|[^a-z0-9.])(?:(\d+)x|e)?(\d+(?:\.\d+)?)(m|b)(?![a-z0-9])", re.IGNORECASE)
_LEAST_MILLIONS = 50


def can_judge(credential: Credential, model: str, look: Look = listed_model) -> bool:
    return _is_large_enough(credential, model, look(credential, model))


def who_can_judge(named: Iterable[tuple[Credential, str]]) -> set[tuple[int, str]]:
    """Of many at once, looked up together: by credential and name."""
    named = list(named)
    rows = listed_models(named)
    return {
        (credential.pk, model)
        for credential, model in named
        if _is_large_enough(credential, model, rows.get((credential.pk, model)))
    }


def large_enough(row: CatalogModel) -> bool:
    """`can_judge` of one whose row is at hand, with its credential."""
    return _is_large_enough(row.credential, row.model, row)


def _is_large_enough(credential: Credential, model: str, row: CatalogModel | None) -> bool:
    if row and row.can_judge is not None:
        return row.can_judge
    server = credential.server
    if server and model in server.too_small:
        return False
    size = size_of(model)
    return size is None or size >= LEAST_TO_JUDGE


def is_small(credential: Credential, model: str, look: Look = listed_model) -> bool:
    """Of those that can judge: whether short prompts are what they follow."""
    size = size_of(model)
    if size is not None:
        return size <= SMALL
    context = context_length_of(credential, model, look)
    return context is not None and context <= SMALL_CONTEXT


def size_of(model: str) -> float | None:
    """As its name says, in thousand millions; None where it does not."""
    sizes = []
    for experts, number, unit in _SIZE.findall(model):
        if unit.lower() == "b":
            sizes.append(float(number) * int(experts or 1))
        elif float(number) >= _LEAST_MILLIONS:
            sizes.append(float(number) / 1000)
    return max(sizes, default=None)
