"""Names of models: what stays of one wherever it is served, its version, and the line that it is
of: what its name says beside its version.

One reading for all: which model a place is filled with (`makers.py`) and what mends a preset
(`fitness.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..engine.findings.families import family

# Bedrock: a region and the maker in front, a revision behind.
_BEDROCK = re.compile(r"^(?:[a-z]{2,6}\.)?[a-z]+\.(?=[a-z])|-v\d+:\d+$")

_SERVED = re.compile(r"-(?:fp8|tput|awq|maas|basic)$")
_POINT = re.compile(r"(?<=\d)p(?=\d)")  # Fireworks: v3p3
_SIZED = re.compile(r"\d+b\b")  # of such a model, turbo is how it is served
# Whose versions are decimal numbers: 4.20 came before 4.3.
DECIMAL = frozenset({"xai"})

_SPLIT = re.compile(r"[^a-z0-9.]+")
_VERSION = re.compile(r"v?(\d{1,3}(?:\.\d{1,3})*)([a-z]?)")
_DATE = re.compile(r"(?:20\d{6}|20\d\d|\d{4}|\d{2})")
_SIZE = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?b|a\d+b")
_LETTERED = re.compile(r"([a-z]+)(\d+(?:\.\d+)*)")
_WITHOUT_MEANING = {"latest", "preview", "exp", "beta", "instruct", "chat", "it", "model", "models"}


class ModelLine(NamedTuple):
    maker: str
    words: frozenset[str]
    version: tuple[float, ...]
    is_latest: bool

    def is_that_of(self, other: ModelLine) -> bool:
        same_maker = not (self.maker and other.maker) or self.maker == other.maker
        return self.words == other.words and bool(self.words) and same_maker


def plain(model: str) -> str:
    """Without its author, and where and how it is served."""
    name = _BEDROCK.sub("", model.lower().rpartition("/")[2])
    name = _SERVED.sub("", _POINT.sub(".", name))
    return name.removesuffix("-turbo") if _SIZED.search(name) else name


def version_of(text: str, *, decimal: bool) -> tuple[float, ...]:
    """Of 4, 4.5 or 4-5, so that the newer is the greater."""
    major, *minor = text.replace("-", ".").split(".")
    if decimal and minor:
        return float(f"{major}.{minor[0]}"), 0
    return tuple(float(part or 0) for part in (major, *(minor or ["0"])))


@lru_cache(maxsize=16_384)
def line_of(model: str) -> ModelLine:
    """`claude-opus-4.1-20250805` is of the line of `anthropic/claude-opus-5`, not of Sonnet's."""
    author = model.casefold().lstrip("~").rpartition("/")[0]
    name = _named(plain(model).lstrip("~"))
    words: set[str] = set()
    version: list[str] = []
    for token in filter(None, _SPLIT.split(name)):
        if token in _WITHOUT_MEANING:
            continue
        if _SIZE.fullmatch(token):
            words.add(token)
        elif match := _VERSION.fullmatch(token):
            # After a version two digits may go on with it (opus-4-1) or begin a date (4-05-13).
            if not (version and _DATE.fullmatch(token)):
                version += match[1].split(".")
        elif _DATE.fullmatch(token):
            continue
        elif match := _LETTERED.fullmatch(token):
            words.add(match[1])
            version += match[2].split(".")
        else:
            words.add(token)
    number = version_of(".".join(version), decimal=family(model) in DECIMAL) if version else ()
    # An account's path at a host says nothing of who made it.
    maker = "" if "/" in author else author
    return ModelLine(maker, frozenset(words), number, "latest" in name)


def is_same(model: str, other: str) -> bool:
    """The same model under the names that two servers have for it."""
    one, two = line_of(model), line_of(other)
    return bare_name(model) == bare_name(other) and one.is_that_of(two)


def bare_name(model: str) -> str:
    """What stays of a name wherever it is served, its version with it."""
    return re.sub(r"[^a-z0-9]+", "-", _named(plain(model).lstrip("~")))


def _named(name: str) -> str:
    """A variant behind a colon is how it is served; a size there is what it is."""
    name, _, variant = name.partition(":")
    size = variant.partition("-")[0]
    return f"{name}-{size}" if _SIZE.fullmatch(size) else name
