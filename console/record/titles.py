"""What a question is called where there is one line for it: its title, else its first sentence."""

from __future__ import annotations

import re
from functools import lru_cache

from ..engine.findings.whole_sentences import sentences
from ..models import Run

READ = 400  # characters of a prompt, which may have 400,000
LONGEST = 80
_MARKS = re.compile(r"(?<!\S)[*_`]++(?=\S)|(?<=[^\s*_`])[*_`]++(?!\w)")
_DRAWN = re.compile(r"^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+")


def called(run: Run) -> str:
    """As its owner named it, else by what was asked."""
    return run.title or title_of(run.prompt)


def title_of(prompt: str) -> str:
    """Of a text without any, its first line. Never empty where there is something to read."""
    return _title(prompt[:READ].strip())


@lru_cache(maxsize=2048)  # lists are read again and again
def _title(beginning: str) -> str:
    found = next(iter(sentences(beginning)), None)
    first = found.text if found else beginning.partition("\n")[0]
    line = " ".join(_MARKS.sub("", first).split()) or " ".join(beginning.split())
    return line if len(line) <= LONGEST else _cut(line)


def _cut(line: str) -> str:
    """Between two words, where there are words."""
    shown = line[: LONGEST - 1]
    if not line[LONGEST - 1].isspace():
        whole = shown.rpartition(" ")[0]
        shown = whole if len(whole) > LONGEST // 2 else shown
    return f"{shown.rstrip(' ,;:')}…"


@lru_cache(maxsize=2048)
def first_line(text: str) -> str:
    """Of an answer's beginning, what it begins with: its first line that says something and is no
    heading, where there is one, without what Markdown draws with."""
    heading = ""
    for line in text.splitlines():
        said = " ".join(_MARKS.sub("", _DRAWN.sub("", line)).split())
        if not any(map(str.isalnum, said)):
            continue
        if not line.lstrip().startswith("#"):
            return said
        heading = heading or said
    return heading
