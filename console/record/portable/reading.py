"""JSON -> document, which is whole, of a known version and true to itself, or refused."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from pydantic import ValidationError

from ...engine.spec import Spec
from ...engine.spec_versions import SpecTooNew, SpecUnreadable
from ...engine.state import Step, call_key
from .shape import MOST, VERSION, CallShape, Document, RunShape, typed
from .unknown import MAX_DEPTH, Unknown, take_unknown, too_deep

MAX_BYTES = 32 * 1024 * 1024
BYTES_A_VALUE = 8  # at least, of as many as fit; of a run that was written here they are some 30
MAX_FAULTS = 1_000
# NUL, which PostgreSQL keeps in no text and no JSON: as it is spelt, where no backslash in front
# makes the spelling itself the text.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class Malformed(ValueError):
    """Why it cannot be brought in, as a sentence for whoever brought it."""


class TooNew(Malformed):
    """A newer version wrote it."""


def read(raw: bytes, *, limit: int = MAX_BYTES) -> Document:
    """Of a known version, and nothing in it that is not known. Raises Malformed."""
    raw = _bounded(raw, limit)
    _check_version(_parsed(raw))
    return _document(raw)


def read_newer(raw: bytes, *, limit: int = MAX_BYTES) -> tuple[Document, Unknown]:
    """Of any version, as far as this one knows it, and beside it what it does not. Raises
    Malformed."""
    data = _parsed(_bounded(raw, limit))
    _check_version(data, newest=MOST)
    if too_deep(data):
        raise Malformed(
            f"This file is not a run as Fusion writes one: it is nested over {MAX_DEPTH} deep."
        )
    _check_texts(data)
    is_newer = data["v"] > VERSION
    unknown = take_unknown(data)
    try:
        return _document(json.dumps(data).encode()), unknown
    except TooNew:
        raise
    except Malformed as why:
        if not is_newer:
            raise
        raise TooNew(f"A newer version of Fusion wrote this file. {why}") from None


def _bounded(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        raise Malformed(
            f"This file has {len(raw) / 1e6:,.1f} MB; at most {limit / 1e6:,.1f} MB are read."
        )
    if raw.count(b",") * BYTES_A_VALUE > limit:  # each takes a hundred bytes here
        raise Malformed("This file is not a run as Fusion writes one: it has too many values.")
    return _NUL.sub(rb"\1\\ufffd", raw)


def _document(raw: bytes) -> Document:
    try:
        document = Document.model_validate_json(raw)
    except ValidationError as error:
        if error.error_count() > MAX_FAULTS:  # each would be looked at, to name one
            raise Malformed(
                "This file is not a run as Fusion writes one: more than "
                f"{MAX_FAULTS:,} things are wrong in it."
            ) from None
        first = error.errors(include_url=False, include_input=False)[0]
        raise Malformed(
            f"This file is not a run as Fusion writes one: {_where(first['loc'])}: {first['msg']}."
        ) from None
    for place, run in enumerate(document.runs):
        _Checks(document, run, f"run {place + 1}", place).all()
    return document


def _check_texts(value: Any, place: tuple[int | str, ...] = ()) -> None:
    """Half a character can be kept by nobody, in what is known and in what is not."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Malformed(
                    f"This file is not a run as Fusion writes one: {_where(place)}: it has half a "
                    "character."
                ) from None
        case list():
            for number, inner in enumerate(value):
                _check_texts(inner, (*place, number))
        case dict():
            for name, inner in value.items():
                _check_texts(name, (*place, "a name"))
                _check_texts(inner, (*place, name))


def _parsed(raw: bytes) -> Any:
    def no_number(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number")

    def number(digits: str) -> float:
        value = float(digits)
        return value if math.isfinite(value) else no_number(digits)

    try:
        return json.loads(raw, parse_constant=no_number, parse_float=number)
    except (ValueError, RecursionError):
        raise Malformed("This file is not a run of Fusion: it is no JSON that can be read.") from (
            None
        )


def _check_version(data: Any, newest: int = VERSION) -> None:
    version = data.get("v") if isinstance(data, dict) else None
    if type(version) is not int or version < 1:
        raise Malformed("This file is not a run of Fusion: it does not say its version.")
    if version > newest:
        raise TooNew(
            f"A newer version of Fusion wrote this file (form {version}; this one reads up to "
            f"{VERSION}). Upgrade to bring it in."
        )


def _where(place: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in place) or "the whole"


class _Checks:
    """Of one run, what no shape can say."""

    def __init__(self, document: Document, run: RunShape, name: str, place: int) -> None:
        self._document, self._run, self._name, self._place = document, run, name, place
        self._calls = {call.key: call for call in run.calls}
        self._numbers = {fusion.number for fusion in run.fusions}

    def all(self) -> None:
        seats = self._spec()
        run = self._run
        self._must(run.status.is_final, "it has not ended")
        self._must(len(self._calls) == len(run.calls), "two of its calls have one key")
        self._must(len(self._numbers) == len(run.fusions), "two of its fusions have one number")
        for call in run.calls:
            self._call(call, seats)
        for fusion in run.fusions:
            self._fusion(fusion, seats)
        for verdict in run.verdicts:
            is_of_it = set(verdict.answers.values()) <= self._calls.keys()
            self._must(is_of_it, "a verdict is on no answer")
        self._follows()

    def _spec(self) -> int:
        try:
            spec = Spec.from_dict(self._run.spec)
            typed(spec)
        except SpecTooNew:
            raise TooNew(
                f"A newer version of Fusion asked {self._name} of this file. Upgrade to bring it "
                "in."
            ) from None
        except (SpecUnreadable, ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            self._refuse("how it was asked cannot be read")
        return len(spec.panel)

    def _call(self, call: CallShape, seats: int) -> None:
        name = f"call {call.key[:60]}"
        self._must(call.status.is_final, f"{name} has not ended")
        self._must(bool(call.panelist), f"{name} does not say who was asked")
        self._must(call.seat is None or call.seat < seats, f"{name} names a seat that is none")
        of_panel = call.step is Step.PANEL
        of_the_run = call.step in (Step.PANEL, Step.RESEARCH)
        of_a_seat = call.step in (Step.PANEL, Step.CONDENSE, Step.POLL)
        self._must(of_the_run is (call.fusion is None), f"{name} belongs to no step")
        self._must(of_a_seat is (call.seat is not None), f"{name} belongs to no step")
        self._must(call.fusion in {*self._numbers, None}, f"{name} names a fusion that is none")
        if of_panel:
            key = call_key(call.step, call.seat, call.number)
        else:
            key = call_key(call.step, call.fusion or 0, call.number, call.seat)
        self._must(call.key == key and call.number > 0, f"{name} has a key that is not its own")

    def _fusion(self, fusion: Any, seats: int) -> None:
        name = f"fusion {fusion.number}"
        self._must(fusion.status.is_final, f"{name} has not ended")
        named = {*fusion.judged, *fusion.without, *([fusion.best] if fusion.best else [])}
        self._must(named <= self._calls.keys(), f"{name} names a call that is none")
        answers = [self._calls[key].step for key in fusion.judged]
        self._must(set(answers) <= {Step.PANEL}, f"{name} compares what is no answer")
        self._must(_highest(fusion.analysis, fusion.seats) < seats, f"{name} names a seat too many")
        votes = [vote["seat"] for vote in fusion.poll]
        self._must(all(seat < seats for seat in votes), f"{name} names a seat too many")
        turn = fusion.turn
        if turn:
            self._must(turn.keys() >= {"root", "after", "messages"}, f"{name} is half a turn")
            before = turn["after"] < fusion.number and turn["root"] < fusion.number
            self._must(before, f"{name} goes on from a later one")
        wish = fusion.wish
        ruled = [ruling["on"] for ruling in wish.get("rulings", [])]
        named = {wish[which] for which in ("on", "root") if which in wish} | {*ruled}
        self._must(named <= self._numbers, f"{name} rules on one that is none")

    def _follows(self) -> None:
        run = self._run
        if run.follows is None:
            self._must(run.follows_calls is None, "what it goes on from is not in the file")
            return
        self._must(run.follows < self._place, "it goes on from a run that comes later")
        before = {call.key for call in self._document.runs[run.follows].calls}
        followed = run.follows_calls
        keys = {*followed["said"], *followed["seats"].values()} if followed else set()
        self._must(keys <= before, "it goes on from a call that is none")

    def _must(self, holds: bool, why: str) -> None:
        if not holds:
            self._refuse(why)

    def _refuse(self, why: str) -> NoReturn:
        raise Malformed(f"This file is not a run as Fusion writes one: {self._name}: {why}.")


def _highest(analysis: Any, seats: list[int]) -> int:
    """Of the seats that are named anywhere."""
    named = [*seats]

    def look(value: Any) -> None:
        match value:
            case dict():
                for name, inner in value.items():
                    if name in ("seat", "found_in", "best"):
                        named.append(inner)
                    elif name == "seats":
                        named.extend(inner)
                    else:
                        look(inner)
            case list():
                for inner in value:
                    look(inner)

    look(analysis)
    return max(named, default=-1)
