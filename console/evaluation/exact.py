"""Exact match, after both sides have been put in one form."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# A sign stays: -5 is not 5.
_EDGES = " \t.,:;!?\"'“”‘’«»()[]{}<>*_`#~=|\\"
_LEAD_IN = re.compile(
    r"^(?:so |thus |therefore |hence )?,?\s*(?:the )?(?:final )?answer\s*(?:is\b\s*:?|:|=)\s*"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def exact_score(answer: str, accepted: Iterable[str]) -> float:
    """1 when the answer, or its last line, is one of the accepted ones; else 0."""
    right = {normalise(a) for a in accepted}
    return float(any(form in right for form in _forms(answer)))


def majority(answers: list[str]) -> int:
    """The place of the first answer among those that most samples agree on.

    Samples agree when their last lines are the same; empty ones have no vote.
    """
    lines = [final_line(a) for a in answers]
    votes = Counter(line for line in lines if line)
    return lines.index(votes.most_common(1)[0][0]) if votes else 0


def normalise(text: str) -> str:
    """Without regard to case, white space, Markdown, quotes, or how digits are grouped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("**", "").replace("−", "-")
    return _THOUSANDS.sub("", " ".join(plain.split())).strip(_EDGES)


def final_line(text: str) -> str:
    lines = [line for line in text.splitlines() if normalise(line)]
    return _without_lead_in(normalise(lines[-1])) if lines else ""


def _forms(answer: str) -> set[str]:
    whole = normalise(answer)
    return {form for form in (whole, _without_lead_in(whole), final_line(answer)) if form}


def _without_lead_in(line: str) -> str:
    return _LEAD_IN.sub("", line).strip(_EDGES)
