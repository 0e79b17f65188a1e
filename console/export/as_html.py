"""Accounts of runs as one HTML file that is whole: opened from disk it asks nothing of anybody.

Its style stands in it, its fonts are the reader's own, there is no script, and a policy of its own
forbids whatever else a browser might load. Texts of models are rendered and sanitised as on the
pages (`console/markdown`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.template.loader import render_to_string

from ..engine.spec import LETTERS
from ..markdown import render
from .parts import Account

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def html(accounts: Sequence[Account]) -> str:
    context = {"runs": [*map(_run, accounts)], "title": accounts[0].prompt, "policy": POLICY}
    lines = render_to_string("console/export/run.html", context).splitlines()
    return "\n".join(line for line in lines) + "\n"


def _run(one: Account) -> dict[str, Any]:
    fusions = [*_fusions(one)]
    return {
        "account": one,
        "fusion": fusions[0] if fusions else None,
        "earlier": fusions[1:],
        "answers": [
            {
                "answer": answer,
                "html": render(
                    answer.text, cited={number: url for number, url, _ in answer.sources}
                ),
            }
            for answer in one.answers
        ],
    }


def _fusions(one: Account) -> Iterator[dict[str, Any]]:
    cited = {source.number: source.url for source in one.sources if source.number}
    for fusion in one.fusions:
        text = fusion.marked or fusion.text
        yield {
            "fusion": fusion,
            "html": render(text, sources=fusion.letters if fusion.marked else "", cited=cited),
            "parts": [
                {
                    "part": part,
                    "claims": [
                        {
                            "claim": claim,
                            "who": _seats(claim.who),
                            "stances": [
                                {"claim": stance, "who": _seats(stance.who)}
                                for stance in claim.stances
                            ],
                        }
                        for claim in part.claims
                    ],
                }
                for part in fusion.parts
            ],
        }


def _seats(who: str) -> list[tuple[str, int]]:
    """(letter, seat) of letters as they stand in a claim."""
    return [(one, LETTERS.index(one)) for one in who.split(", ") if one in LETTERS and one]
