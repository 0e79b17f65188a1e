"""Counting the answers to a closed question: what each comes to in a few words, and how many say
so. Where answers come to no few words, there is nothing to count."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..spec import letter
from ..state import CallState
from .final_lines import LEAD_IN, final_line, final_words, last_line, normalise, without_unit

MOST_CHARACTERS, MOST_WORDS = 60, 8
# “Yes, since …”: the first word is the answer, and what follows its reason.
_FIRST_WORD = re.compile(
    r"[\s*_#>\"“]*(yes|no|true|false|ja|nein|oui|non|sí|sim|não|да|нет|是|否|はい|いいえ)"
    r"[*_\"”]*\s*(?:[,.!:;—–。，！]|$)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Votes:
    """`counted`: the most often given first; `silent`: seats that came to no few words."""

    counted: Sequence[tuple[str, Sequence[int]]]
    silent: Sequence[int]


def votes(answers: Mapping[int, str]) -> Votes | None:
    """None where the question is not closed: no two say the same in a few words, and not every
    answer is nothing but a few."""
    shown: dict[str, str] = {}
    seats: dict[str, list[int]] = {}
    silent = []
    for seat in sorted(answers):
        words = _short(answers[seat])
        if words is None:
            silent.append(seat)
            continue
        form = without_unit(normalise(words))
        shown.setdefault(form, words)
        seats.setdefault(form, []).append(seat)
    agree = any(len(same) > 1 for same in seats.values())
    all_short = len(answers) > 1 and all(_is_few(text.strip()) for text in answers.values())
    if not (agree or all_short):
        return None
    order = sorted(seats, key=lambda form: (-len(seats[form]), seats[form]))
    return Votes([(shown[form], seats[form]) for form in order], silent)


def counted(answers: Mapping[int, CallState]) -> str:
    """The counts in words, as the text of a fused answer."""
    found = votes({seat: call.text for seat, call in answers.items()})
    if found is None:
        return ""
    (first, most), *others = found.counted
    is_tied = bool(others) and len(others[0][1]) == len(most)
    of_all = f"{len(most)} of {len(answers)} answers"
    head = "**No majority**" if is_tied else f"**{first}** ({of_all})"
    rows = [f"- {words}: {_by(seats)}" for words, seats in found.counted]
    if found.silent:
        rows.append(f"- without a short answer: {_by(found.silent)}")
    return "\n".join([head, "", *rows])


def _by(seats: Sequence[int]) -> str:
    return f"{len(seats)} ({', '.join(map(letter, seats))})"


def _short(text: str) -> str | None:
    line = last_line(text)
    if not line:
        return None
    is_said_to_be = bool(LEAD_IN.match(normalise(line))) or "\\boxed" in line
    if is_said_to_be and _is_few(final_words(text)):
        return final_words(text)
    if first := _FIRST_WORD.match(text):
        return first[1].capitalize()
    words = final_words(text)
    return words if _is_few(words) and final_line(text) else None


def _is_few(text: str) -> bool:
    is_one_line = bool(text) and "\n" not in text
    return is_one_line and len(text) <= MOST_CHARACTERS and len(text.split()) <= MOST_WORDS
