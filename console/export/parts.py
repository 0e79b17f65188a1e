"""What a file of a run has in it, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ToldQuote:
    seat: str
    text: str
    note: str


@dataclass(frozen=True)
class ToldClaim:
    """`who` are letters; of a contradiction the stances have theirs."""

    text: str
    who: str = ""
    quotes: tuple[ToldQuote, ...] = ()
    stances: tuple[ToldClaim, ...] = ()


@dataclass(frozen=True)
class ToldPart:
    name: str
    meaning: str
    claims: tuple[ToldClaim, ...]


@dataclass(frozen=True)
class ToldPicture:
    """`address` has all of it."""

    address: str
    alt: str


@dataclass(frozen=True)
class ToldFusion:
    """`text` is as it is read, `marked` with its marks of source, which name `letters`."""

    number: int
    title: str
    text: str
    marked: str
    letters: str
    notes: tuple[str, ...]
    asked: str
    parts: tuple[ToldPart, ...]
    why_no_analysis: str
    pictures: tuple[ToldPicture, ...] = ()


@dataclass(frozen=True)
class ToldAnswer:
    seat: int
    letter: str
    name: str
    model: str
    text: str
    reasoning: str
    note: str
    sources: tuple[tuple[int, str, str], ...]  # number, address, title
    pictures: tuple[ToldPicture, ...] = ()


@dataclass(frozen=True)
class ToldLine:
    what: str
    who: str
    tokens_in: str
    tokens_out: str
    cost: str


@dataclass(frozen=True)
class ToldSource:
    """`number` is None of a page that was not read, `note` what is to be said of it."""

    number: int | None
    url: str
    title: str
    cited_by: str
    note: str


@dataclass(frozen=True)
class ToldFile:
    """Went with the question. `given`: to whom, and how."""

    name: str
    what: str
    given: str


@dataclass(frozen=True)
class ToldChanges:
    """Since the question was asked before: what happened to a claim, its words then and now."""

    since: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Account:
    """Of one run. `fusions` begin with the latest."""

    prompt: str
    asked: str
    facts: tuple[str, ...]
    error: str
    fusions: tuple[ToldFusion, ...]
    answers: tuple[ToldAnswer, ...]
    found_best: tuple[str, ...]
    sources: tuple[ToldSource, ...]
    files: tuple[ToldFile, ...]
    receipt: tuple[ToldLine, ...]
    total: ToldLine | None
    changed: ToldChanges | None = None
