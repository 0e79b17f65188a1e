"""Frames, protocol 2: what viewers of one run are sent. docs/frames.md describes them.

Whatever changes on the page is kept with the number of the step in which it did, so a viewer is
nothing but a number: the last step it was sent. Who was sent the same is sent the same again, in
one encoding for all.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString

from ..markdown import StreamRenderer
from ..models.shown import Shown

VERSION = 2
LINES_REMEMBERED = 64  # steps back to which the growth of a line is known
WORTH_KEEPING = 12  # characters: to say how many they are takes about as many
# What is sent as data is no reason to send the fragment around it.
_FIGURE = re.compile(r"(<[^<>]* data-figure=[^<>]*>)[^<>]*")


@dataclass(eq=False)
class Cursor:
    """What one viewer has been sent. Two who were sent the same are still two.

    `wants` are the places whose texts it shows, None all of them; `behind` are the steps at which
    the others were left. `keeps`: it knows what `keep` means.
    """

    shown: Shown
    after: int = 0
    wants: frozenset[str] | None = None
    keeps: bool = False
    behind: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """With how many characters of the final pieces from `first` on the open block began, and since
    which step that block was shown."""

    first: int = 0
    characters: int = 0
    units: int = 0  # JavaScript's
    since: int = 0


class Text:
    """A text of the page, as its renderer shows it, and when which part of it changed."""

    def __init__(self, name: str, renderer: StreamRenderer, step: int, call: str = "") -> None:
        self.id, self.call = name, call
        self.renderer = renderer
        self.finished = False
        self._reset_at = step
        self._finals: list[int] = []  # of each final piece, the step that brought it
        self._shown, self._shown_at, self._shown_before = "", 0, 0
        self._patch: tuple[int, str] | None = None
        self._kept = _Kept()
        self._line, self._line_at, self._line_since = "", 0, 0
        self._lengths: deque[tuple[int, int]] = deque(maxlen=LINES_REMEMBERED)

    def took_step(self, step: int, *, anew: bool = False) -> None:
        """After the renderer was fed. `anew`: all that was shown is to be replaced."""
        if anew:
            self._reset_at, self._finals = step, []
        if len(self.renderer.final) > len(self._finals):
            self._kept = self._keep()
        self._finals += [step] * (len(self.renderer.final) - len(self._finals))
        if self.renderer.shown != self._shown:
            self._patch = patch(self._shown, self.renderer.shown)
            self._shown, self._shown_before = self.renderer.shown, self._shown_at
            self._shown_at = step
        line = self.renderer.line
        if line == self._line:
            return
        if not line.startswith(self._line):
            self._line_since = step
            self._lengths.clear()
        self._line, self._line_at = line, step
        self._lengths.append((step, len(line)))

    def since(self, after: int, *, keeps: bool = False) -> dict[str, Any]:
        """What came after that step; empty when nothing did."""
        change: dict[str, Any] = {}
        if self._reset_at > after:
            change["reset"], after = True, 0
        pieces = self._newest(after) if self._finals and self._finals[-1] > after else []
        kept, first = self._kept, len(self._finals) - len(pieces)
        final = "".join(pieces)
        if keeps and kept.characters and kept.first == first and 0 < kept.since <= after:
            change["keep"], final = kept.units, final[kept.characters :]
        if final:
            change["final"] = final
        if self._shown_at > after:
            if self._patch and after >= max(self._shown_before, 1):
                change["patch"] = list(self._patch)
            else:
                change["block"] = self._shown
        if self._line_at > after:
            had = None
            for at, length in reversed(self._lengths):
                if at <= after:
                    had = length
                    break
            if had is None or self._line_since > after:
                change["line"] = self._line
            else:
                change["tail"] = self._line[had:]
        return {"id": self.id} | change if change else {}

    def _keep(self) -> _Kept:
        """Of the pieces that are final now."""
        first = len(self._finals)
        new = "".join(self.renderer.final[first:])
        same = _same(self._shown, new)
        return (
            _Kept(first, same, _units(new[:same]), self._shown_at)
            if same >= WORTH_KEEPING
            else _Kept()
        )

    def _newest(self, after: int) -> list[SafeString]:
        """Pieces are many and the new ones last."""
        count = 0
        while count < len(self._finals) and self._finals[-1 - count] > after:
            count += 1
        return self.renderer.final[-count:] if count else []


def patch(old: str, new: str) -> tuple[int, str] | None:
    """(how much of the old stays, what follows); None where that saves little."""
    low = _same(old, new)
    if low < 80 or low < len(new) / 4:
        return None
    return _units(old[:low]), new[low:]


def _same(old: str, new: str) -> int:
    """With how many of the same characters both begin."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[:middle] == new[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _units(text: str) -> int:
    """What JavaScript counts in."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class Changing:
    """Named values, each with the step in which it became what it is: in which it changed by
    more than `of` it leaves out."""

    def __init__(self, of: Callable[[Any], Any] | None = None) -> None:
        self._of = of
        self._values: dict[str, tuple[Any, int]] = {}
        self._newest = 0

    def take(self, values: Mapping[str, Any], step: int) -> None:
        for name, value in values.items():
            before, at = self._values.get(name, (None, 0))
            if not (at and (before == value or (self._of and self._of(before) == self._of(value)))):
                at = self._newest = step
            self._values[name] = value, at

    def since(self, after: int) -> dict[str, Any]:
        if self._newest <= after:
            return {}
        return {name: value for name, (value, at) in self._values.items() if at > after}


class Frames:
    """Of one run in one process. `step` counts what `take` was told; `watch` names whose steps
    they are."""

    def __init__(self, watch: str) -> None:
        self.watch, self.step = watch, 0
        self.texts: dict[str, Text] = {}  # by place
        self._places, self._figures, self._status = Changing(), Changing(), Changing()
        self._fragments: dict[Shown, Changing] = {}
        self._encoded: dict[Any, str] = {}

    def begin_step(self) -> int:
        self.step += 1
        self._encoded.clear()
        return self.step

    def take(self, *, status: str, figures: Mapping[str, str]) -> None:
        self._status.take({"status": status}, self.step)
        self._figures.take(figures, self.step)
        self._places.take({place: text.id for place, text in self.texts.items()}, self.step)

    def take_fragments(self, fragments: Mapping[str, str], *, shown: Shown) -> None:
        self._fragments.setdefault(shown, Changing(_without_figures)).take(fragments, self.step)
        self._encoded.clear()

    @property
    def kinds(self) -> Iterable[Shown]:
        return self._fragments.keys()

    def next(self, cursor: Cursor, *, all_texts: bool = False) -> str:
        """What lies beyond the cursor, which moves on, as JSON without its closing brace; ""
        when nothing does."""
        if cursor.after == self.step and not cursor.behind:
            return ""
        wants = None if all_texts else cursor.wants
        behind = {
            place: cursor.behind.get(place, cursor.after)
            for place in self.texts
            if place in cursor.behind or (wants is not None and place not in wants)
        }
        key = (cursor.shown, cursor.after, cursor.keeps, wants, tuple(behind.items()))
        encoded = self._encoded.get(key)
        if encoded is None:
            frame = self._beyond(cursor, wants, behind)
            encoded = _json({"at": self.step} | frame)[:-1] if frame else ""
            self._encoded[key] = encoded
        cursor.behind = {p: at for p, at in behind.items() if wants is not None and p not in wants}
        cursor.after = self.step
        return encoded

    def _beyond(
        self, cursor: Cursor, wants: frozenset[str] | None, behind: dict[str, int]
    ) -> dict[str, Any]:
        after = cursor.after
        texts = [
            change
            for place, text in self.texts.items()
            if wants is None or place in wants
            if (change := text.since(behind.get(place, after), keeps=cursor.keeps))
        ]
        fragments = self._fragments.get(cursor.shown)
        frame: dict[str, Any] = {} if after else {"v": VERSION, "watch": self.watch}
        parts = {
            "places": self._places.since(after),
            "texts": texts,
            "fragments": fragments.since(after) if fragments else {},
            "figures": self._figures.since(after),
        }
        return frame | {k: v for k, v in parts.items() if v} | self._status.since(after)


def _without_figures(html: str) -> str:
    return _FIGURE.sub(r"\1", html)


def _json(frame: dict[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
