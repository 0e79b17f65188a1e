"""What somebody looked for, marked in the texts of a run's page that it was found in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..markdown.marking import ReadHtml, StatementMark
from ..search import Query
from ..search.passages import found_in
from ..search.queries import Term

# The first of them in the text that the address names: there the page opens.
FOUND = "found"


def texts_with_marks(texts: Mapping[str, str], query: Query, part: str) -> dict[str, str]:
    """`part`: of the page, as addresses name it."""
    first = "fused" if part == "fused-answer" else part
    return {key: _marked(html, query.terms, key == first, key) for key, html in texts.items()}


def _marked(html: str, terms: Sequence[Term], is_first: bool, key: str) -> str:
    if not html:
        return html
    read, number = ReadHtml(html), 0
    marks: dict[int, list[StatementMark]] = {}
    for place, passage in enumerate(read.passages):
        for start, end in found_in(passage.text, terms):
            number += 1
            marks.setdefault(place, []).append(StatementMark(start, end, FOUND, number))
    return read.marked(FOUND if is_first else f"{FOUND}-in-{key}", marks) if marks else html
