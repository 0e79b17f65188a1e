"""Exact match, after both sides have been put in one form."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# A sign stays: -5 is not 5.
_EDGES = " \t.,:;!?\"'“”‘’«»()[]{}<>*_`#~=|\\"
# .5 is not 5.
_FIRST = re.compile(rf"(?:(?!\.\d)[{re.escape(_EDGES)}])+")
_NO_ZERO = re.compile(r"^-?(?=\.\d)")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SET_AS = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_CURRENCY, _NUMBER = "[$€£¥]", r"\d[\d.]*"
_WITH_UNIT = re.compile(
    rf"(?P<sign>-?) ?(?:{_CURRENCY} ?(?P<sum>-?{_NUMBER})|(?P<share>{_NUMBER}) ?(?:{_CURRENCY}|%))"
)
_LEAD_IN = re.compile(
    r"^(?:so |thus |therefore |hence )?,?\s*(?:the )?(?:final )?answer\s*(?:is\b\s*:?|:|=)\s*"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


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
    lines = [_without_unit(final_line(a)) for a in answers]
    votes = Counter(line for line in lines if line)
    return lines.index(votes.most_common(1)[0][0]) if votes else 0


def normalise(text: str) -> str:
    """Without regard to case, white space, Markdown, quotes, or how digits are grouped."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("**", "").replace("−", "-")
    return _trimmed(_THOUSANDS.sub("", " ".join(plain.split())))


def final_line(text: str) -> str:
    lines = [line for line in text.splitlines() if normalise(line)]
    if not lines:
        return ""
    boxed = _BOXED.findall(lines[-1])
    return _without_lead_in(normalise(_SET_AS.sub(r"\1", boxed[-1] if boxed else lines[-1])))


def _forms(answer: str) -> set[str]:
    whole = normalise(answer)
    forms = {whole, _without_lead_in(whole), final_line(answer)}
    return {form for form in forms | {_without_unit(form) for form in forms} if form}


def _without_lead_in(line: str) -> str:
    line = _trimmed(_LEAD_IN.sub("", line))
    # Formulas stand between dollar signs.
    if len(line) > 2 and line[0] == line[-1] == "$":
        line = _trimmed(line.strip("$"))
    return line


def _without_unit(line: str) -> str:
    match = _WITH_UNIT.fullmatch(line)
    return match["sign"] + (match["sum"] or match["share"]) if match else line


def _trimmed(text: str) -> str:
    text = text.rstrip(_EDGES)
    if first := _FIRST.match(text):
        text = text[first.end() :]
    return _NO_ZERO.sub(lambda sign: f"{sign[0]}0", text)
