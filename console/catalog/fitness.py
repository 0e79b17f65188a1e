"""What is wrong with whom a preset names, and what would mend it, from what the catalog knows.

Pure: rows go in, sentences come out, and nobody is asked anything. Of each place of a preset
the gravest finding is told. A mend is another model, or the same one by another key: only
such as can be asked and are there to stay. None is offered that nobody could be sure of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from .lines import ModelLine, is_same, line_of
from .near import names_like

SOON = timedelta(days=30)
# What a long answer takes, and beside the answers prompt and analysis.
OF_AN_ANSWER, OF_A_PROMPT, OF_AN_ANALYSIS = 4000, 500, 2000
FREE_SHARE = 0.9  # of a window, as the engine fills it


@dataclass(frozen=True)
class Key:
    """A credential. `has_list`: what it lists was read, so that what is not there is not there."""

    slug: str
    name: str
    lacks: str = ""
    cannot_pay: bool = False
    has_list: bool = True


@dataclass(frozen=True)
class Listed:
    key: str
    model: str
    context_length: int | None = None
    outputs: Sequence[str] | None = None
    published_at: datetime | None = None
    expires_at: datetime | None = None
    gone_at: datetime | None = None
    can_judge: bool = True


@dataclass(frozen=True)
class Use:
    """A model where a preset names it. `reads`: it is given the answers, of so many tokens."""

    place: str
    who: str
    key: str
    model: str
    plain: str = ""  # without a variant that its server takes and does not list
    reads: int = 0


@dataclass(frozen=True)
class Mend:
    place: str
    key: str
    model: str

    @property
    def name(self) -> str:
        return f"{self.place} {self.key}:{self.model}"


@dataclass(frozen=True)
class Finding:
    who: str
    kind: str
    sentence: str
    mend: Mend | None = None
    mend_words: str = ""

    @property
    def mended(self) -> str:
        return self.mend_words.removeprefix("Use ")


@dataclass(frozen=True)
class Catalog:
    """`rows` are those of the models that are named; `more` gives all, where a mend is wanted."""

    keys: Mapping[str, Key]
    rows: Sequence[Listed]
    now: datetime
    more: Callable[[], Sequence[Listed]] = field(default=lambda: ())

    @cached_property
    def at(self) -> dict[tuple[str, str], Listed]:
        return {(row.key, row.model): row for row in self.rows}

    @cached_property
    def usable(self) -> list[Listed]:
        """Those that can be asked now and for a while."""
        return [row for row in self.more() if self._is_usable(row)]

    def usable_for(self, use: Use) -> list[Listed]:
        return [row for row in self.usable if row.can_judge or not use.reads]

    def _is_usable(self, row: Listed) -> bool:
        key = self.keys.get(row.key)
        if key is None or key.lacks or key.cannot_pay or row.gone_at or not answers_in_text(row):
            return False
        return row.expires_at is None or row.expires_at > self.now + SOON


def answers_in_text(row: Listed) -> bool:
    return row.outputs is None or "text" in row.outputs


def window_needed(limits: Iterable[int | None], analysis: int | None = None) -> int:
    """Tokens of a window that answers with these output limits need beside everything else."""
    answers = sum(min(limit or OF_AN_ANSWER, OF_AN_ANSWER) for limit in limits)
    return answers + OF_A_PROMPT + min(analysis or OF_AN_ANALYSIS, OF_AN_ANALYSIS)


def successor(key: str, model: str, catalog: Catalog) -> Mend | None:
    """What is offered in the place of one that ends or has gone."""
    return _successor(Use("", "", key, model), catalog)


def findings(uses: Sequence[Use], catalog: Catalog) -> list[Finding]:
    return [found for use in uses if (found := _finding(use, catalog))]


def _finding(use: Use, catalog: Catalog) -> Finding | None:
    key = catalog.keys.get(use.key)
    if key is None:
        return None
    row = catalog.at.get((use.key, use.model)) or catalog.at.get((use.key, use.plain))
    for kind, sentence, mend in _checks(use, key, row, catalog):
        if not sentence:
            continue
        other = mend(use, catalog)
        words = _words(use, other, catalog) if other else ""
        return Finding(use.who, kind, f"{use.who}: {sentence}", other, words)
    return None


def _checks(
    use: Use, key: Key, row: Listed | None, catalog: Catalog
) -> list[tuple[str, str, Callable[[Use, Catalog], Mend | None]]]:
    """(kind, sentence or "", what mends it), the gravest first."""
    there = f"{use.model} at {key.name}"
    ends = row.expires_at if row else None
    return [
        ("key", key.lacks, _same_elsewhere),
        ("unpaid", f"{key.name} is out of credit." if key.cannot_pay else "", _same_elsewhere),
        ("gone", f"{there} is not offered any more." if row and row.gone_at else "", _successor),
        (
            "unlisted",
            f"{key.name} lists no {use.model}." if row is None and key.has_list else "",
            _meant,
        ),
        ("retired", f"{there} was retired." if ends and ends <= catalog.now else "", _successor),
        (
            "text",
            f"{there} answers with no text." if row and not answers_in_text(row) else "",
            _meant,
        ),
        (
            "expires",
            f"{there} ends on {ends.day} {ends:%b %Y}."
            if ends and ends <= catalog.now + SOON
            else "",
            _successor,
        ),
        ("small", _too_small(use, row), _with_room),
    ]


def _too_small(use: Use, row: Listed | None) -> str:
    if row is None or not row.context_length or row.context_length * FREE_SHARE >= use.reads:
        return ""
    return (
        f"{use.model} reads {row.context_length:,} tokens at once, and long answers of this "
        f"panel come to about {use.reads:,}."
    )


def _words(use: Use, mend: Mend, catalog: Catalog) -> str:
    if mend.key == use.key:
        return f"Use {mend.model}"
    return f"Use {mend.model} of {catalog.keys[mend.key].name}"


# ---- mends


def _same_elsewhere(use: Use, catalog: Catalog) -> Mend | None:
    """Another key that reaches it, or else its line."""
    same = [
        row
        for row in catalog.usable_for(use)
        if row.key != use.key and is_same(row.model, use.model)
    ]
    return _mend(use, same[0]) if same else _newest(use, catalog, at_least_as_new=True)


def _successor(use: Use, catalog: Catalog) -> Mend | None:
    return _newest(use, catalog)


def _meant(use: Use, catalog: Catalog) -> Mend | None:
    """The nearest name by the same key."""
    there = {row.model: row for row in catalog.usable_for(use) if row.key == use.key}
    near = names_like(use.model, there)
    if near:
        return _mend(use, there[near[0]])
    return _newest(use, catalog, at_least_as_new=True)


def _with_room(use: Use, catalog: Catalog) -> Mend | None:
    """Of its own maker and key where there is one, and the newest of those."""
    roomy = [
        row
        for row in catalog.usable_for(use)
        if row.context_length and row.context_length * FREE_SHARE >= use.reads
    ]
    maker = line_of(use.model).maker

    def fit(row: Listed) -> tuple[bool, bool, float, tuple[float, ...]]:
        line = line_of(row.model)
        return (row.key == use.key, line.maker == maker, _published(row), line.version)

    return _mend(use, max(roomy, key=fit)) if roomy else None


def _newest(use: Use, catalog: Catalog, *, at_least_as_new: bool = False) -> Mend | None:
    """The newest of its line that is newer than it, by the same key where there is one."""
    own, row = line_of(use.model), catalog.at.get((use.key, use.model))

    def age(listed: Listed, line: ModelLine) -> tuple[float, tuple[float, ...]]:
        return (_published(listed), line.version)

    candidates = []
    for listed in catalog.usable_for(use):
        line = line_of(listed.model)
        if (listed.key, listed.model) == (use.key, use.model) or not line.is_that_of(own):
            continue
        is_newer = line.is_latest or line.version > own.version
        if not is_newer and row and row.published_at and listed.published_at:
            is_newer = listed.published_at > row.published_at
        if is_newer or (at_least_as_new and line.version == own.version):
            candidates.append((listed.key == use.key, line.is_latest, *age(listed, line), listed))
    best = max(candidates, key=lambda c: c[:4], default=None)
    return _mend(use, best[4]) if best else None


def _mend(use: Use, row: Listed) -> Mend:
    return Mend(use.place, row.key, row.model)


def _published(row: Listed) -> float:
    return row.published_at.timestamp() if row.published_at else 0.0
