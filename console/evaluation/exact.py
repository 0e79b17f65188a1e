"""Exact match, after both sides have been put in one form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..engine.findings.final_lines import final_line, normalise, without_lead_in, without_unit


def exact_score(answer: str, accepted: Iterable[str]) -> float:
    """1 when the answer, or its last line, is one of the accepted ones; else 0.

    A currency or per cent sign that no accepted answer has says nothing against it.
    """
    right = {normalise(a) for a in accepted}
    return float(any(form in right for form in _forms(answer)))


def majority(answers: list[str]) -> int:
    """The place of the first answer among those that most samples agree on.

    Samples agree when their last lines are the same; empty ones have no vote.
    """
    lines = [without_unit(final_line(a)) for a in answers]
    votes = Counter(line for line in lines if line)
    return lines.index(votes.most_common(1)[0][0]) if votes else 0


def _forms(answer: str) -> set[str]:
    whole = normalise(answer)
    forms = {whole, without_lead_in(whole), final_line(answer)}
    return {form for form in forms | {without_unit(form) for form in forms} if form}
