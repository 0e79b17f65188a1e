"""Analyses that a model nearly wrote as JSON, and seats that it nearly named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from console.engine.errors import ProviderError
from console.engine.findings.analysis import PARTS, notes, read_analysis
from console.engine.provider import Finish, ReasoningDelta
from tests.engine.conftest import ANALYSIS, RunEngine
from tests.growth import BOUND, growth

GOOD = json.dumps(ANALYSIS, indent=1)
COMPACT = json.dumps(ANALYSIS)
WHOLE = read_analysis(GOOD, [0, 1])


def python_literals(text: str) -> str:
    return repr(json.loads(text) | {"ratings": None, "injections": []})


WRITTEN: dict[str, Callable[[], str]] = {
    "comment in a line of its own": lambda: GOOD.replace(
        ' "partial', ' // nothing here\n "partial'
    ),
    "comments behind values": lambda: GOOD.replace("},\n", "}, // that's \"so\"\n"),
    "comments over lines": lambda: GOOD.replace(' "blind', ' /* "none" of\n them */ "blind'),
    "comments of a shell": lambda: GOOD.replace(' "blind', ' # and then\n "blind'),
    "in a fence with a comment": lambda: f"Here:\n```json\n// analysis\n{GOOD}\n```\nDone.",
    "commas too many": lambda: GOOD.replace("}", "},").replace("]", "],").rstrip(","),
    "commas too few": lambda: re.sub(r",\n", "\n", GOOD),
    "single quotes": lambda: COMPACT.replace('"', "'"),
    "apostrophes": lambda: COMPACT.replace('"', "'").replace("is wet", "it's wet"),
    "a value of Python": lambda: python_literals(COMPACT),
    "names without quotes": lambda: re.sub(r'"(\w+)":', r"\1:", COMPACT),
    "typographic quotes": lambda: re.sub(r'"([^"]*)"', "“\\1”", COMPACT),
    "quotes of one kind": lambda: COMPACT.replace('"', "”"),
    "quotes within": lambda: COMPACT.replace("Ice floats.", 'Ice "floats".'),
    "quotes at the end": lambda: COMPACT.replace("Ice floats.", 'Ice "floats"'),
    "line breaks within": lambda: COMPACT.replace("Ice floats.", "Ice\nfloats.\n\nIt does."),
    "letters without quotes": lambda: COMPACT.replace('["A", "B"]', "[A, B]"),
    "a bracket left out": lambda: COMPACT.replace('["B"]}', '["B"}'),
    "a brace left out": lambda: COMPACT.replace('["A", "B"]}]', '["A", "B"]]'),
    "a quote left out": lambda: GOOD.replace('Ice floats.",\n', "Ice floats.\n"),
    "another object around": lambda: f'{{"thought": "no \\d", "analysis": {COMPACT}}}',
    "another key first": lambda: '{"ratings": ["C:\\dir"], ' + COMPACT[1:],
    "JSON within a string": lambda: json.dumps(GOOD),
    "keys spelled otherwise": lambda: COMPACT.replace("partial_coverage", "Partial Coverage")
    .replace("unique_insights", "uniqueInsights")
    .replace("blind_spots", "blindspots"),
    "a draft before": lambda: COMPACT.replace("wet", "dry") + GOOD.replace("}\n", "},\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_all_parts_are_read_of_what_is_nearly_json(name: str) -> None:
    analysis = read_analysis(WRITTEN[name](), [0, 1])
    assert "cut_off" not in analysis and "left_out" not in analysis
    for part in PARTS:
        assert len(analysis[part]) == len(WHOLE[part]), part
    assert [c["seats"] for c in analysis["consensus"]] == [[0, 1]]
    stances = analysis["contradictions"][0]["stances"]
    assert [s["seats"] for s in stances] == [[0], [1]]
    assert analysis["unique_insights"] == WHOLE["unique_insights"]
    assert analysis["blind_spots"] == WHOLE["blind_spots"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"It is in C:\dir.", r"It is in C:\dir."),
        (r"Digits are \d+.", r"Digits are \d+."),
        (r"So \(x\) and \[y\].", r"So \(x\) and \[y\]."),
        (r"It\'s wet.", "It's wet."),
        (r"At \users and \u00e9.", "At \\users and é."),
        (r"Half is \frac{1}{2}, \beta, \rho.", r"Half is \frac{1}{2}, \beta, \rho."),
        (r"Two \times two, \text{so}.", r"Two \times two, \text{so}."),
        (r"One\ntwo\tthree.", "One two three."),
        (r"All in C:\\dir\\\\.", "All in C:\\dir\\\\."),
        (r"Within D:\ ".rstrip(), "Within D:\\"),
        ("Bell \a.", "Bell \a."),
    ],
)
def test_a_backslash_that_escapes_nothing_is_itself(written: str, read: str) -> None:
    for text in (COMPACT, GOOD):
        analysis = read_analysis(text.replace("Water is wet.", written), [0, 1])
        assert analysis["consensus"][0]["claim"] == read
        assert analysis["blind_spots"] and "cut_off" not in analysis


@pytest.mark.parametrize("cut", [1, 20, 45, 90, 130])
@pytest.mark.parametrize("change", ["", "comment in a line of its own", "single quotes"])
def test_only_what_is_cut_off_is_said_to_be(cut: int, change: str) -> None:
    text = WRITTEN[change]() if change else COMPACT
    analysis = read_analysis(text[:-cut], [0, 1])
    assert analysis["cut_off"] and notes(analysis) == [
        "The judge's analysis broke off; what was complete is shown."
    ]
    for part in PARTS:
        assert analysis[part] == WHOLE[part][: len(analysis[part])]


def test_what_cannot_be_read_in_the_middle_costs_itself_and_is_counted() -> None:
    broken = COMPACT.replace('{"point": "Ice floats.", "seats": ["B"]}', '{"point" = %%, "x"}')
    analysis = read_analysis(broken, [0, 1])
    assert analysis["left_out"] == 1 and "cut_off" not in analysis
    assert analysis["contradictions"] and analysis["blind_spots"] == WHOLE["blind_spots"]
    (note,) = notes(analysis)
    assert note == "1 item of the judge's analysis could not be read and is left out."


def read(**parts: Any) -> dict[str, Any]:
    data = dict.fromkeys(PARTS, []) | {"blind_spots": ["Salt.", "Fish.", "Ice."]} | parts
    return read_analysis(json.dumps(data), [0, 1, 2])


@pytest.mark.parametrize(
    ("seats", "read_as"),
    [
        (["Model A", "Response B"], [0, 1]),
        (["answer_c", "answer-a"], [0, 2]),
        (["Answer 2", "Answer 3"], [1, 2]),
        (["AnswerA", "modelC"], [0, 2]),
        (["Panelist A", "the assistant B"], [0, 1]),
        ("Models A and C", [0, 2]),
        ([{"seat": "A"}, {"model": "Response B"}], [0, 1]),
        ([{"id": "A"}, {"name": "C"}], [0, 2]),
        ({"seat": "A"}, [0]),
        (["**A**", "`B`", "'C'"], [0, 1, 2]),
        ("A|B", [0, 1]),
        # a range, an unknown one, a sentence: nobody
        ("A-C", []),
        (["Model X"], []),
        ("everybody but A", []),
        ([{"seat": {"seat": "A"}}], []),
    ],
)
def test_seats_are_read_by_whatever_noun_they_are_called(seats: Any, read_as: list[int]) -> None:
    for key in ("seats", "answers", "models", "supported_by"):
        analysis = read(consensus=[{"claim": "x", key: seats}])
        found = [c["seats"] for c in analysis["consensus"]]
        found += [[c["seat"]] for c in analysis["unique_insights"]]
        assert found == ([read_as] if read_as else [])
        assert analysis.get("left_out", 0) == (0 if read_as else 1)


@pytest.mark.parametrize(
    ("spot", "text"),
    [
        ("Salt.", "Salt."),
        ({"blind_spot": "Salt."}, "Salt."),
        ({"point": "Salt.", "importance": "high"}, "Salt."),
        ({"topic": "Salt", "description": "Nobody spoke of it."}, "Salt: Nobody spoke of it."),
        ({"gap_that_all_left": "Salt."}, "Salt."),
    ],
)
def test_a_blind_spot_may_be_an_object(spot: Any, text: str) -> None:
    assert read(blind_spots=[spot])["blind_spots"] == [text]
    assert read(blind_spots=spot if isinstance(spot, dict) else [spot])["blind_spots"] == [text]


@pytest.mark.parametrize(
    "contradiction",
    [
        {"topic": "Cold?", "stances": [{"seat": "A", "view": "Yes."}, {"seat": "B", "is": "No."}]},
        {"topic": "Cold?", "positions": [{"by": "A", "is": "Yes."}, {"model": "B", "view": "No."}]},
        {"topic": "Cold?", "stances": {"A": "Yes.", "Answer B": "No."}},
        {"topic": "Cold?", "stances": ["A: Yes.", "Model B: No."]},
        {"point": "Cold?", "A": "Yes.", "B": "No."},
        {"about": "Cold?", "sides": [{"by": "A", "text": "Yes."}, {"by": "B", "claim": "No."}]},
    ],
)  # fmt: skip
def test_stances_are_read_in_whatever_form(contradiction: Any) -> None:
    (item,) = read(contradictions=[contradiction])["contradictions"]
    assert item["topic"] == "Cold?"
    assert [(s["seats"], s["stance"]) for s in item["stances"]] == [([0], "Yes."), ([1], "No.")]


@pytest.mark.parametrize(
    "evidence",
    [
        [{"seat": "A", "quote": "one"}, {"seat": "B", "quote": "two"}],
        {"A": "one", "B": "two"},
        ["A: one", "Answer B: two"],
        [{"model": "Model A", "text": "one"}, {"answer": "answer_b", "excerpt": "two"}],
    ],
)
def test_quotes_are_read_in_whatever_form(evidence: Any) -> None:
    item = {"claim": "x", "seats": ["A", "B"], "evidence": evidence}
    (claim,) = read(consensus=[item])["consensus"]
    assert claim["evidence"] == [{"seat": 0, "quote": "one"}, {"seat": 1, "quote": "two"}]


def test_insights_and_ratings_may_be_told_by_seat() -> None:
    analysis = read(
        unique_insights={"A": ["Steam burns.", "Ice floats."], "B": {"insight": "Salt melts it."}},
        ratings={"A": {"depth": 4}, "Answer C": {"depth": 2}},
    )
    assert [(i["seat"], i["insight"]) for i in analysis["unique_insights"]] == [
        (0, "Steam burns."), (0, "Ice floats."), (1, "Salt melts it."),
    ]  # fmt: skip
    assert [(r["seat"], r["depth"]) for r in analysis["ratings"]] == [(0, 4), (2, 2)]


def test_a_part_that_is_null_is_empty_and_what_was_not_asked_for_is_named() -> None:
    analysis = read(contradictions=None, verdict="A is best.")
    assert analysis["contradictions"] == [] and analysis["not_asked_for"] == ["verdict"]
    assert "what it was not asked for (verdict)" in notes(analysis)[0]


def test_where_most_cannot_be_read_a_repair_is_asked_for_and_then_the_rest_is_taken() -> None:
    unread = [{"claim": f"y{n}", "seats": "all"} for n in range(5)]
    items = [{"claim": "x", "seats": ["A", "B"]}, *unread]
    text = json.dumps(dict.fromkeys(PARTS, []) | {"consensus": items})
    with pytest.raises(ProviderError, match=r"consensus \(5\)"):
        read_analysis(text, [0, 1])
    analysis = read_analysis(text, [0, 1], is_repaired=True)
    assert len(analysis["consensus"]) == 1 and analysis["left_out"] == 5


@pytest.mark.parametrize(
    "unit",
    [
        '{"consensus":[{"claim":"x" y",', '"consensus": "', '"consensus": [/* ', '{"consensus":[',
        "'consensus':['it's ", '\\"consensus\\":[', '{"consensus":[{"claim":"\\',
        '\n"consensus":[ "a\n',
    ],
)  # fmt: skip
def test_the_time_to_give_up_grows_with_the_text(unit: str) -> None:
    def give_up(size: int) -> Callable[[], None]:
        text = unit * (size // len(unit))

        def read() -> None:
            with pytest.raises(ProviderError):
                read_analysis(text, [0, 1])

        return read

    # From where what is looked through in vain is bounded.
    assert growth(give_up, 500_000) < BOUND


async def test_an_analysis_among_the_thoughts_is_read_from_there(run_engine: RunEngine) -> None:
    def judge(request: Any) -> Any:
        if not request.response_schema:
            return ["Fused."]
        return [ReasoningDelta(COMPACT[:100]), ReasoningDelta(COMPACT[100:]), Finish("stop")]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge})
    assert ran.state.fusion.analysis["consensus"][0]["claim"] == "Water is wet."
    assert len(ran.requests_to("judge")) == 2  # no repair


async def test_thoughts_about_an_analysis_are_none(run_engine: RunEngine) -> None:
    def judge(request: Any) -> Any:
        if not request.response_schema:
            return ["Fused."]
        return [ReasoningDelta('I have to fill "consensus": [ first.'), Finish("stop")]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge})
    assert ran.state.fusion.analysis_reason == "judge_empty_completion"
