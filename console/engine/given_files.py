"""How a file was given to whom was asked: in words, and as what goes along with a request.

What is told of each is a dict, kept with the call: `name`, `type`, `given` (one of `AS`), `shown`
(which part of it, or how it was changed; "": all of it) and `why`, where it was not given as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

AS_IT_IS, AS_PAGES, AS_TEXT, NOT = "as_it_is", "page_images", "text", "not_given"
AS = (AS_IT_IS, AS_PAGES, AS_TEXT, NOT)
_HOW = {AS_IT_IS: "as it is", AS_PAGES: "as pictures of its pages", AS_TEXT: "as text"}
Told = dict[str, Any]


@dataclass(frozen=True)
class FileData:
    """What a file part of a message stands for. `tokens`: as many as a model makes of it at most,
    by an estimate."""

    name: str
    type: str
    data: bytes = field(repr=False)
    tokens: int = 0


@dataclass(frozen=True)
class GivenFiles:
    """The messages as they go to one who is asked: file parts are left where the bytes go along,
    and are text where not."""

    messages: list[dict[str, Any]]
    files: Mapping[str, FileData] = field(default_factory=dict)
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class ToSee:
    """What stands behind the material of who compares answers or writes from them: pictures, or
    a sentence that there are some."""

    parts: tuple[dict[str, Any], ...] = ()
    files: Mapping[str, FileData] = field(default_factory=dict)
    told: tuple[Told, ...] = ()

    def behind(self, message: dict[str, Any]) -> dict[str, Any]:
        if not self.parts:
            return message
        if not self.files:
            told = "\n\n".join(part["text"] for part in self.parts)
            return message | {"content": f"{message['content']}\n\n{told}"}
        first = {"type": "text", "text": message["content"]}
        return message | {"content": [first, *self.parts]}


def was_given(told: Iterable[Told]) -> list[str]:
    """ "was given “report.pdf” as text, pages 1–3 of 300, which fit" """
    return [_words(one) for one in told if one.get("given") != NOT]


def lacked(told: Iterable[Told]) -> list[str]:
    """ "was not given “photo.png”: it takes no pictures" """
    return [_words(one) for one in told if one.get("given") == NOT]


def of_files(
    files: Sequence[tuple[str, str]], told: Mapping[int, Iterable[Told]]
) -> list[dict[int, Told]]:
    """Of each file, by name and type, what is told of it by who was asked. Of those that share
    both, in their order."""
    found: list[dict[int, Told]] = [{} for _ in files]
    for seat, of_seat in told.items():
        left = list(enumerate(files))
        for one in of_seat:
            named = (one.get("name", ""), one.get("type", ""))
            at = next((place for place in left if place[1] == named), None)
            if at is not None:
                left.remove(at)
                found[at[0]][seat] = one
    return found


def by_how(told: Mapping[int, Told]) -> dict[str, list[int]]:
    """ "as text, pages 1–3 of 300, which fit" or "not given: it takes no pictures" -> who."""
    found: dict[str, list[int]] = {}
    for seat, one in sorted(told.items()):
        found.setdefault(_how(one), []).append(seat)
    return found


def _words(one: Told) -> str:
    name, how = f"“{one.get('name', '')}”", _how(one)
    if one.get("given") == NOT:
        return f"was not given {name}" + how.removeprefix("not given")
    return f"was given {name} {how}"


def _how(one: Told) -> str:
    shown, why = one.get("shown", ""), one.get("why", "")
    if one.get("given") == NOT:
        return "not given" + (f": {why}" if why else "")
    return _HOW.get(one.get("given", ""), "as text") + (f", {shown}" if shown else "")
