"""Answers from elsewhere: texts that somebody pastes or uploads, each in a seat of its own.

Nobody is asked for one, and it costs nothing. From the call that holds it on
(`engine.state.brought`) it is an answer like any other: fenced, compared, quoted, ruled on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from ..catalog.names import MAX_NAME as MAX_MODEL
from ..engine.answers_there import brought_call
from ..engine.spec import MAX_SEATS, Panelist, Spec
from ..engine.state import CallState
from ..engine.text import storable
from .attaching import text_of_document
from .errors import Refused

MAX_NAME = 60
UNNAMED = "Answer from elsewhere"
# A name stands in one line among others, and must not turn what stands beside it round.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
_BYTES_PER_CHARACTER = 4  # of UTF-8, at most
# What is told apart by how it begins, whatever it is called.
_DOCUMENTS = (b"%PDF-", b"PK\x03\x04")
_NOT_YET = (
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"{\\rtf", "an RTF document"),
)
_ENCODINGS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class AnswerRefused(Refused):
    """An answer from elsewhere cannot be taken. `number` is which, from 0, and `part` what of it:
    `name`, `model` or `content`."""

    def __init__(self, sentence: str, number: int, part: str = "content") -> None:
        super().__init__(sentence)
        self.number, self.part = number, part


class TooFewOrMany(Refused):
    """Answers from elsewhere, with who else answers, make no panel."""


@dataclass(frozen=True)
class Brought:
    """`model` is who is said to have written it; "": nobody knows."""

    name: str
    text: str
    model: str = ""
    by: str = ""  # whose name is on it

    @property
    def panelist(self) -> Panelist:
        return Panelist(self.model, "", label=self.name, brought_by=self.by)


def brought(*, number: int, name: str, text: str, model: str = "", by: str = "") -> Brought:
    """As it is kept; `number` is which of several, from 0. Raises AnswerRefused."""
    name, model = _line(name), _line(model)
    which = f"“{name[:MAX_NAME]}”" if name else f"Answer {number + 1} from elsewhere"
    for part, value, most in (("name", name, MAX_NAME), ("model", model, MAX_MODEL)):
        if len(value) > most:
            sentence = f"The {part} of {which} has {len(value):,} characters; {most} are allowed."
            raise AnswerRefused(sentence, number, part)
    text = storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    if all(unicodedata.category(c) in _INVISIBLE for c in text):
        raise AnswerRefused(f"{which} has no text. Paste the answer, or choose its file.", number)
    limit = settings.MAX_PROMPT_CHARACTERS
    if len(text) > limit:
        sentence = f"{which} has {len(text):,} characters; at most {limit:,} are accepted."
        raise AnswerRefused(sentence, number)
    return Brought(name or model[:MAX_NAME] or UNNAMED, text.strip("\n"), model, by)


def read_file(*, number: int, name: str, size: int, read: bytes | None) -> str:
    """The text of a file: Markdown, plain, a PDF or a Word document. `read` is what is in it,
    None where it was too large to be read at all. Raises AnswerRefused."""
    name = _line(name)[:MAX_NAME]
    most = settings.MAX_PROMPT_CHARACTERS * _BYTES_PER_CHARACTER
    if read is None or size > most:
        sentence = (
            f"The file “{name}” has {size / 1e6:,.1f} MB; at most {most / 1e6:,.1f} MB are read."
        )
        raise AnswerRefused(sentence, number)
    if read.startswith(_DOCUMENTS):
        try:
            return text_of_document(name=name, data=read)
        except Refused as refused:
            raise AnswerRefused(str(refused), number) from None
    if kind := next((kind for begins, kind in _NOT_YET if read.startswith(begins)), ""):
        raise AnswerRefused(
            f"The file “{name}” is {kind}, which cannot be read here yet. Bring its text: a "
            "Markdown or plain text file, or pasted.",
            number,
        )
    encoding = next((e for begins, e in _ENCODINGS if read.startswith(begins)), "utf-8-sig")
    try:
        text = read.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise AnswerRefused(
            f"The file “{name}” is no text that can be read. Bring a Markdown or plain text file "
            "in UTF-8.",
            number,
        )
    return text


def largest_file() -> int:
    """Bytes beyond which a file is not read."""
    return int(settings.MAX_PROMPT_CHARACTERS) * _BYTES_PER_CHARACTER


def name_of_file(path: str) -> str:
    """What an answer is called whose file has a name, and nothing else does."""
    return _line(re.split(r"[/\\]", path)[-1].rsplit(".", 1)[0])[:MAX_NAME].strip()


def must_have_seats(asked: int, answers: Sequence[Brought]) -> None:
    """Raises TooFewOrMany."""
    if asked + len(answers) > MAX_SEATS:
        models = "1 model" if asked == 1 else f"{asked} models"
        raise TooFewOrMany(
            f"A panel has at most {MAX_SEATS} seats: {models} and {len(answers)} answers from "
            "elsewhere are too many."
        )
    if not asked and len(answers) == 1:
        raise TooFewOrMany(
            "One answer alone is compared with nothing: bring another, or let a model answer, too."
        )


def calls(spec: Spec, answers: Sequence[Brought]) -> list[CallState]:
    """What a run of this spec has before anybody is asked."""
    now = round(timezone.now().timestamp(), 3)
    return [
        brought_call(seat, 1, spec.panel[seat], answer.text, now)
        for seat, answer in zip(spec.brought, answers, strict=True)
    ]


def _line(text: str) -> str:
    return " ".join(_TURNS.sub("", storable(text)).split())
