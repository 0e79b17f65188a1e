"""What looking things up on the web adds to what a run will cost: the judge's queries, and what
everybody then reads beside the question."""

from __future__ import annotations

from ..engine.spec import Panelist, Spec
from ..engine.steps.given_sources import room
from ..engine.steps.research import OUTPUT

QUERIES = (20, 120)  # tokens: a few of some words
_TOLD = 200  # tokens: what is asked for
_OF_A_PAGE = 1_500  # tokens that a page has at least as often as not


def writes_queries(spec: Spec) -> bool:
    """Else they are the question's own words, which nobody is asked for."""
    return bool(spec.research and spec.judge.can_judge and spec.prompts.queries)


def reads_for_queries(asked: int) -> int:
    return asked + _TOLD


def most_queries(judge: Panelist) -> int | None:
    return None if judge.thinks else OUTPUT


def extracts(spec: Spec, reader: Panelist, asked: int, factor: float) -> float:
    """Tokens of pages that are as many times as long as usual, as far as they have room."""
    if spec.research is None:
        return 0.0
    return min(room(reader, asked), spec.research.pages * _OF_A_PAGE * factor)
