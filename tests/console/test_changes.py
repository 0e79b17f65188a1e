"""What changed between two runs of one question, over the pairs in `tests/data/changes/pairs.toml`,
which were written before what reads them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.engine.findings.changes import SaidByRun, changes

PAIRS = tomllib.loads(
    (Path(__file__).parent.parent / "data/changes/pairs.toml").read_text("utf-8")
)["pair"]
REWORDED = [pair for pair in PAIRS if pair.get("is_rewording")]


def said_by(run: Mapping[str, Any]) -> SaidByRun:
    def seats(who: str) -> list[int]:
        return ["ABCDEFGH".index(letter) for letter in who]

    analysis = {
        "consensus": [{"claim": text, "seats": [0, 1, 2]} for text in run.get("consensus", [])],
        "contradictions": [
            {
                "topic": one["topic"],
                "stances": [{"seats": seats(who), "stance": said} for who, said in one["stances"]],
            }
            for one in run.get("contradictions", [])
        ],
        "partial_coverage": [{"point": text, "seats": [0, 1]} for text in run.get("partial", [])],
        "unique_insights": [
            {"insight": text, "seat": seats(who)[0]} for who, text in run.get("unique", [])
        ],
        "blind_spots": [],
    }
    fused = run.get("fused", "")
    return SaidByRun(None if fused else analysis, run.get("answers", ()), fused)


def told(pair: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    found = changes(said_by(pair["before"]), said_by(pair["after"]))
    return {(one.kind, one.before, one.now) for one in found}


def test_what_changed_is_told_of_nine_pairs_in_ten_and_nothing_of_what_is_only_reworded() -> None:
    wrong = {
        pair["name"]: told(pair)
        for pair in PAIRS
        if told(pair) != {tuple(change) for change in pair["changes"]}
    }
    noisy = [pair["name"] for pair in REWORDED if pair["name"] in wrong]
    assert len(PAIRS) >= 30 and len(REWORDED) >= 10
    assert len(PAIRS) - len(wrong) >= 0.9 * len(PAIRS), wrong
    assert len(REWORDED) - len(noisy) >= 0.9 * len(REWORDED), noisy
