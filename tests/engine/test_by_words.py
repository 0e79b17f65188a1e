"""Where no judge compares the answers, their words are compared; where no writer writes, the
fused answer is made of their sentences."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.findings.analysis import PARTS, claims
from console.engine.findings.by_words import best_seat, compare
from console.engine.findings.given import fused_answer
from console.engine.findings.provenance import plain
from console.engine.findings.put_together import put_together, trimmed
from console.engine.findings.whole_sentences import sentences
from console.engine.spec import Panelist, Policy
from console.engine.state import CallState, CallStatus, RunState, Step
from console.engine.usage import Usage
from tests.engine.conftest import ANALYSIS, RunEngine
from tests.growth import BOUND, growth
from tests.prose import words

TINY = Panelist("tiny", "fake", judges=False)


def answers(*texts: str, cut: Iterable[int] = ()) -> dict[int, CallState]:
    return {
        seat: CallState(
            f"panel-{seat}-1",
            Step.PANEL,
            1,
            "first",
            {},
            seat=seat,
            status=CallStatus.COMPLETED,
            text=text,
            finish_reason="length" if seat in cut else "stop",
        )
        for seat, text in enumerate(texts)
    }


def consensus(analysis: dict[str, Any]) -> list[tuple[str, list[int]]]:
    return [(c["claim"], c["seats"]) for c in analysis["consensus"]]


def stances(analysis: dict[str, Any]) -> list[list[tuple[str, list[int]]]]:
    return [[(s["stance"], s["seats"]) for s in c["stances"]] for c in analysis["contradictions"]]


CANBERRA = "The capital of Australia is Canberra."
SYDNEY = "The capital of Australia is Sydney."
DIFFER = {
    "a name": (CANBERRA, SYDNEY),
    "a figure": ("About 23 % of the shops will close.", "About 37 % of the shops will close."),
    "a decimal": ("The train takes 3.5 hours to Berlin.", "The train takes 4.5 hours to Berlin."),
    "a not": ("Companies should adopt it.", "Companies should not adopt it."),
    "an n't": ("You should pour bleach on wool.", "You shouldn't pour bleach on wool."),
    "an opposite": ("The price of bread increases in May.", "The price of bread decreases in May."),
    "two words": (
        "The largest city of Brazil is Sao Paulo today.",
        "The largest city of Brazil is Rio Grande today.",
    ),
    "German": (
        "Die Hauptstadt von Australien ist Canberra.",
        "Die Hauptstadt von Australien ist Sydney.",
    ),
    "French, denied": ("Il faut laver la laine à chaud.", "Il ne faut pas laver la laine à chaud."),
    "Chinese": ("澳大利亚的首都是堪培拉。", "澳大利亚的首都是悉尼。"),
    "Japanese": ("オーストラリアの首都はキャンベラです。", "オーストラリアの首都はシドニーです。"),
    "items": ("- Bread keeps 3 days in the bag", "- Bread keeps 5 days in the bag"),
    "rows": ("| Monday opening | 9 o'clock |", "| Monday opening | 8 o'clock |"),
}


@pytest.mark.parametrize("pair", DIFFER.values(), ids=DIFFER)
def test_a_word_or_a_figure_by_which_sentences_differ_is_a_contradiction(
    pair: tuple[str, str],
) -> None:
    besides = "Bread bakes in an oven.", "My neighbour owns two grey cats."
    one, other = (f"{text}\n\n{more}" for text, more in zip(pair, besides, strict=True))
    analysis = compare(answers(one, other), "Which?")
    assert len(analysis["contradictions"]) == 1
    assert [seats for _, seats in stances(analysis)[0]] == [[0], [1]]
    assert analysis["consensus"] == []


NOT_DIFFERENT = {
    "one form of a word": ("The water boils at sea level.", "The water boil at sea level."),
    "two figures of two things": (
        "Sales in 2019 were 5 million euros.",
        "Sales in 2020 were 6 million euros.",
    ),
    "more of the same": ("Water boils at 100 degrees.", "Water boils at 100 degrees at sea level."),
    "capitals": (CANBERRA, "the capital of australia is canberra."),
    "typography": ("It doesn't boil at 1,000 degrees.", "It doesn’t boil at 1000 degrees."),
}


@pytest.mark.parametrize("pair", NOT_DIFFERENT.values(), ids=NOT_DIFFERENT)
def test_what_differs_otherwise_is_no_contradiction(pair: tuple[str, str]) -> None:
    assert compare(answers(*pair), "Which?")["contradictions"] == []


def test_who_sides_with_whom_is_told_of_three() -> None:
    analysis = compare(
        answers(CANBERRA, SYDNEY, "The capital of Australia is Canberra, an inland city."),
        "What is the capital of Australia?",
    )
    assert stances(analysis) == [[(CANBERRA, [0, 2]), (SYDNEY, [1])]]
    assert analysis["contradictions"][0]["topic"] == "The capital of Australia is …."
    assert analysis["best"] == 0


SHARED = {
    "the same": ("Bread keeps best in a paper bag.", "Bread keeps best in a paper bag."),
    "in another order": (
        "Store the bread in a paper bag to keep it fresh.",
        "To keep it fresh, store bread in a bag of paper.",
    ),
    "an item and a sentence": (
        "1. **Smoothies**: Smoothies made with fruits and yogurt.",
        "You can have smoothies made with fruits.",
    ),
    "Chinese": ("面包最好放在纸袋里保存。", "面包最好放在干燥的纸袋里保存。"),
    "Arabic": ("يحفظ الخبز في كيس ورقي جاف.", "يحفظ الخبز دائما في كيس ورقي جاف."),
}


@pytest.mark.parametrize("pair", SHARED.values(), ids=SHARED)
def test_sentences_that_share_their_words_are_said_by_both(pair: tuple[str, str]) -> None:
    found = compare(answers(*pair), "How?")
    assert [seats for _, seats in consensus(found)] == [[0, 1]]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Add sugar and butter.", "Add sugar and flour.", False),
        ("Use a strong password.", "Use a password manager.", False),
        ("Boil the eggs well.", "Boil the eggs badly.", False),
        ("The capital is Canberra now.", "Canberra is now the capital.", True),
        ("Add sugar and butter.", "Add sugar and butter first.", True),
    ],
)
def test_short_statements_agree_only_where_one_says_all_that_the_other_does(
    one: str, other: str, agree: bool
) -> None:
    assert bool(consensus(compare(answers(one, other), "How?"))) is agree


def test_what_few_of_many_say_is_partial_coverage_and_what_one_says_an_insight() -> None:
    shared = "A sourdough loaf keeps longer than a white one."
    alone = "Wrap the slices in foil and freeze them at once."
    analysis = compare(
        answers(
            shared,
            shared,
            alone,
            "My neighbour bakes rolls every Sunday morning.",
            "Mould grows quickly where moisture gathers.",
        ),
        "How does bread stay fresh?",
    )
    assert [(p["point"], p["seats"]) for p in analysis["partial_coverage"]] == [(shared, [0, 1])]
    assert (alone, 2) in [(i["insight"], i["seat"]) for i in analysis["unique_insights"]]


FEW_WORDS = (
    (("Paris", "Paris."), [("Paris", [0, 1])], []),
    (("42", "41", "42"), [], [[("42", [0, 2]), ("41", [1])]]),
    (("Yes", "No"), [], [[("Yes", [0]), ("No", [1])]]),
    (("パリ", "パリ"), [("パリ", [0, 1])], []),
)


@pytest.mark.parametrize(("texts", "same", "other"), FEW_WORDS)
def test_answers_of_a_word_are_compared_whole(
    texts: tuple[str, ...], same: list[Any], other: list[Any]
) -> None:
    analysis = compare(answers(*texts), "In one word?")
    assert (consensus(analysis), stances(analysis)) == (same, other)


def test_what_says_nothing_is_no_claim() -> None:
    filler = (
        "Sure, here is what you asked for today!",
        "I hope this helps you on your way.",
        "Here are five healthy breakfast ideas:",
        "As an AI language model I cannot say.",
        "A, B, C, D, E, F, G, H, I, J, K, L.",
    )
    analysis = compare(answers(*["\n\n".join(filler)] * 2), "Why?")
    assert not any(analysis[part] for part in PARTS)


SAYINGS = [
    "Water boils at {n} degrees.",
    "- **Bread** keeps {n} days in a bag of paper",
    "Die Miete stieg um {n} %.",
    "水在{n}度沸腾。",
    "| Monday | {n} |",
    "Companies should not adopt it before {n}!",
    "```python\nprint({n})\n```",
    "Is it {n}?",
    "## Part {n}",
    "Relax. Stay calm.",
    "- Yes",
    "No!",
    "She said: “It is {n}.” (Nobody else did…)",
]


@pytest.mark.parametrize("seed", range(40))
def test_every_quote_is_a_sentence_of_its_answer_and_found_there(seed: int) -> None:
    chance = random.Random(seed)
    texts = [
        "\n".join(chance.choice(SAYINGS).format(n=chance.randint(1, 3)) for _ in range(6))
        for _ in range(chance.randint(2, 8))
    ]
    analysis = compare(answers(*texts), "What?")
    assert set(PARTS) <= set(analysis)
    for claim, seats in claims(analysis):
        assert claim["standing"] == "supported"
        assert sorted(e["seat"] for e in claim["evidence"]) == sorted(seats)
        assert all(e["verified"] and e["quote"] in texts[e["seat"]] for e in claim["evidence"])


def test_a_long_sentence_is_quoted_from_its_beginning() -> None:
    long = f"Bread keeps {words(100)}in a bag."
    analysis = compare(answers(long, long), "What?")
    assert all(
        len(q["quote"]) <= 400 and q["verified"] for q in analysis["consensus"][0]["evidence"]
    )


BEST = (
    ("who agrees with another", (SYDNEY, CANBERRA, CANBERRA), (), 1),
    ("who ended by himself", (CANBERRA, CANBERRA), (0,), 1),
    ("who does not refuse", ("I'm sorry, as an AI I cannot say.", CANBERRA), (), 1),
    ("who says something", ("la la " * 60, CANBERRA), (), 1),
    ("the first of equals", (CANBERRA, CANBERRA), (), 0),
)


@pytest.mark.parametrize(("why", "texts", "cut", "seat"), BEST, ids=[case[0] for case in BEST])
def test_the_best_answer_is_of(
    why: str, texts: tuple[str, ...], cut: tuple[int, ...], seat: int
) -> None:
    assert best_seat(answers(*texts, cut=cut), "What is the capital of Australia?") == seat


ROWS = "| a | b |\n|---|---|\n| 1 | 2 |"
VERSE = "The sea, the sea\nso wide, so blue\nand I am free"
CUT = {
    "a sentence": ("It is warm. It is also very", "It is warm."),
    "an item": ("Two ways:\n\n1. Walk to it.\n2. Take the", "Two ways:\n\n1. Walk to it."),
    "all items": ("It is so.\n\n1. Take the", "It is so."),
    "what was announced": ("It is so. Here is why:", "It is so."),
    "after a heading": ("It is so.\n\n## Why it", "It is so."),
    "code": (
        "So:\n```python\na = 1\nb = 2\nprint(a +",
        "So:\n```python\na = 1\nb = 2\n```",
    ),
    "code without a line": ("It is so.\n```python\npri", "It is so."),
    "a row": (
        "It is so.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3",
        "It is so.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    ),
    "verse": (
        "The sea, the sea\nso wide, so blue\nand I am free\nand so are",
        "The sea, the sea\nso wide, so blue\nand I am free",
    ),
    "nothing whole": ("The capital of the country is", "The capital of the country…"),
    "Chinese": ("水是湿的。冰也", "水是湿的。"),
    "an abbreviation": ("It is so. Use e.g. Dr. Oetker's", "It is so."),
    "nothing at all": ("It is warm.", "It is warm."),
}


@pytest.mark.parametrize(("text", "kept"), CUT.values(), ids=CUT)
def test_an_answer_that_was_cut_off_ends_where_a_sentence_does(text: str, kept: str) -> None:
    assert trimmed(text, is_cut=True) == kept


WHOLE = (
    "Paris",
    "- Bread\n- Butter",
    "Roses are red\nviolets are blue",
    "So:\n\n```\nx = 1\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "Only a heading:",
    "12 * 3 = 36",
)


@pytest.mark.parametrize("text", WHOLE)
def test_an_answer_that_ended_by_itself_keeps_its_last_line(text: str) -> None:
    assert trimmed(text, is_cut=False) == text


def test_a_sentence_that_breaks_off_by_itself_is_left_out() -> None:
    loose = "Water is wet. And so it came that every sailor of the northern seas was"
    assert trimmed(loose, is_cut=False) == "Water is wet."
    assert trimmed("Enjoy! Yours, the cook 😊", is_cut=False) == "Enjoy! Yours, the cook 😊"


FENCES = {
    "its first is missing": (
        "def f(s):\n    return s\n```\n\nUse:\n```python\nf(1)\n```",
        "```\ndef f(s):\n    return s\n```\n\nUse:\n```python\nf(1)\n```",
    ),
    "its last is missing": ("So:\n```python\nf(1)", "So:\n```python\nf(1)\n```"),
    "tildes": ("So:\n~~~\nf(1)", "So:\n~~~\nf(1)\n~~~"),
}


@pytest.mark.parametrize(("text", "closed"), FENCES.values(), ids=FENCES)
def test_a_fence_that_is_missing_is_set(text: str, closed: str) -> None:
    assert trimmed(text, is_cut=False) == closed


BLUE = (
    "The sky is blue because air scatters blue light more than red light. Sunlight holds every "
    "colour of the rainbow at once."
)
MORE = "Short wavelengths of the blue end bounce between molecules of nitrogen and oxygen."


def test_two_sentences_of_others_at_most_are_added_to_prose() -> None:
    third = (
        f"{MORE} At sunset the sunlight passes through much more air. Oceans mirror the sky above."
    )
    given = answers(BLUE, f"{MORE} {BLUE}", third)
    text = put_together(given, "Why is the sky blue?", 0)
    first, added = plain(text).split("\n\n")
    assert first == BLUE and MORE in added and len(sentences(added)) <= 2
    assert "[^A,B]" in text and "[^B]" in text


NEVER_ADDED = {
    "hangs on another": "But the blue light of the sky is scattered by molecules of the air.",
    "a question": "Would the sky of another planet be of some other colour at noon?",
    "too short": "Skies scatter widely.",
    "another subject": "Every tenant shall pay rent before Monday noon without delay.",
    "is told already": "Air scatters blue light more than red light, so the sky is blue.",
    "contradicts": "The sky is green because air scatters blue light more than red light.",
    "refuses": "I'm sorry, the blue of the sky is beyond what I know of light.",
    "a sum": "The sky has 3 + 4 = 7 colours of light in its rainbow today.",
    "in the middle": "Blue light of the sky has a wavelength which is much shorter than",
}


@pytest.mark.parametrize("sentence", NEVER_ADDED.values(), ids=NEVER_ADDED)
def test_what_does_not_stand_by_itself_is_not_added(sentence: str) -> None:
    text = put_together(answers(BLUE, sentence), "Why is the sky blue?", 0)
    assert plain(text) == BLUE


NOT_PROSE = (
    "```python\nprint('The sky is blue because air scatters blue light more than red.')\n```",
    "- The sky is blue because of the air\n- Blue light is scattered more than red light is",
    "The sky is blue\nthe sea is too\nI think of you\nwhatever I do\nwith all that I knew",
    "First, 12 pens cost 12 * 3 = 36 euros, so that all the twelve pens cost 36 euros.",
    "The sky is blue.",
)


@pytest.mark.parametrize("text", NOT_PROSE)
def test_nothing_is_added_to_code_lists_verse_sums_and_short_answers(text: str) -> None:
    assert plain(put_together(answers(text, MORE), "Why is the sky blue?", 0)) == text


def test_marks_come_out_again_and_one_answer_has_none() -> None:
    odd = "Use `a. B` and [^A] here. Say [^1] too.\n\n1. One. Two.\n2. Three\n\n> A quote. Its end."
    text = put_together(answers(odd, MORE), "How?", 0)
    assert "[^A]" in text and plain(text) == plain(odd)
    assert put_together(answers(BLUE), "Why?", 0) == BLUE


# a whole run


async def test_who_cannot_judge_is_not_asked(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [CANBERRA], "tiny": []}, panel=["a", "b"], judge=TINY
    )
    fusion = ran.state.fusions[1]
    assert [r.model for r in ran.requests] == ["a", "b"]
    assert fusion.analysis_by == "words" and consensus(fusion.analysis) == [(CANBERRA, [0, 1])]
    assert fused_answer(ran.state) == CANBERRA
    by_words = [c for c in ran.state.calls.values() if c.is_by_words]
    assert [c.key for c in by_words] == ["analysis-f1-1", "synthesis-f1-1"]
    assert all((c.sent_at, c.cost, c.usage) == (None, None, Usage()) for c in by_words)
    assert not any(c.was_billable for c in by_words)
    deltas = [e for e in ran.events if e.call == "synthesis-f1-1" and e.type.is_delta]
    assert "".join(e.data["text"] for e in deltas) == f"{CANBERRA}[^A,B]"
    assert ran.state.status == "completed" and not ran.state.error


async def test_a_writer_that_can_write_is_asked_without_what_words_say(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "pen": ["Canberra it is."], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        writer="pen",
    )
    (asked,) = ran.requests_to("pen")
    assert "ANALYSIS" not in asked.messages[1]["content"]
    assert fused_answer(ran.state) == "Canberra it is."
    assert ran.state.fusions[1].analysis_by == "words"


async def test_a_judge_judges_for_a_writer_that_cannot_write(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []}, panel=["a", "b"], writer=TINY
    )
    assert [r.model for r in ran.requests] == ["a", "b", "judge"]
    assert ran.state.fusions[1].analysis_by == ""
    assert fused_answer(ran.state) == CANBERRA


def fails(reason: Reason) -> Any:
    def script(request: Any) -> Any:
        raise ProviderError(reason)

    return script


@pytest.mark.parametrize("fallback", [None, Panelist("spare", "fake"), TINY])
async def test_where_no_judge_is_left_words_are_compared_and_the_writer_writes(
    run_engine: RunEngine, fallback: Panelist | None
) -> None:
    ran = await run_engine(
        {
            "a": [CANBERRA],
            "b": [SYDNEY],
            "judge": fails(Reason.UNAUTHORIZED),
            "spare": fails(Reason.UNREACHABLE),
            "pen": ["Canberra it is."],
            "tiny": [],
        },
        panel=["a", "b"],
        judge=Panelist("judge", "fake", fallback=fallback),
        writer="pen",
    )
    fusion = ran.state.fusions[1]
    assert fusion.analysis_by == "words" and len(fusion.analysis["contradictions"]) == 1
    assert bool(fusion.analysis_reason) is (fallback is not TINY)
    assert fused_answer(ran.state) == "Canberra it is." and not fusion.best
    assert "tiny" not in [r.model for r in ran.requests]


@pytest.mark.parametrize("reason", [Reason.UPSTREAM_ERROR, Reason.UNAUTHORIZED, Reason.EMPTY])
async def test_where_nobody_judges_and_nobody_writes_the_best_answer_by_words_stands_in(
    run_engine: RunEngine, reason: Reason
) -> None:
    ran = await run_engine(
        {"a": [SYDNEY], "b": [CANBERRA], "c": [CANBERRA], "judge": fails(reason)},
        panel=["a", "b", "c"],
    )
    fusion = ran.state.fusions[1]
    assert (fusion.analysis_by, fusion.best) == ("words", "panel-1-1")
    assert fused_answer(ran.state) == CANBERRA
    assert "best single answer" in ran.state.error


async def test_an_unreadable_analysis_is_mended_first_and_compared_by_words_after(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {
            "a": [CANBERRA],
            "b": [SYDNEY],
            "judge": lambda r: ["No JSON."] if r.response_schema else ["Fused."],
        }
    )
    assert len(ran.requests_to("judge")) == 3
    assert ran.state.fusions[1].analysis_by == "words"
    assert ran.state.fusions[1].analysis_reason == "judge_not_valid_json"


BEGUN = (
    '{"consensus": [{"claim": "The capital is Canberra.", "seats": ["A", "B"], "evidence": '
    '[{"seat": "A", "quote": "Canberra"}]}, {"claim": "It'
)


async def test_what_a_judge_had_completed_is_kept_instead(run_engine: RunEngine) -> None:
    def breaks(request: Any) -> Any:
        return [BEGUN, ProviderError(Reason.DISCONNECTED)]

    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "judge": breaks, "pen": ["Canberra it is."]},
        panel=["a", "b"],
        writer="pen",
    )
    fusion = ran.state.fusions[1]
    assert fusion.analysis_by == "" and fusion.analysis["cut_off"] and fusion.analysis_reason
    (claim,) = fusion.analysis["consensus"]
    assert (claim["claim"], claim["standing"]) == ("The capital is Canberra.", "partly")
    assert "The capital is Canberra." in ran.requests_to("pen")[0].messages[1]["content"]


async def test_one_answer_alone_is_not_compared(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [f"{BLUE} And so"], "tiny": []}, panel=["a"], judge=TINY)
    fusion = ran.state.fusions[1]
    assert (fusion.analysis, fusion.analysis_by) == (None, "")
    assert fused_answer(ran.state) == f"{BLUE} And so"


async def test_a_form_that_only_a_model_can_keep_to_is_asked_of_the_model(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": ['{"city": "Canberra"}']},
        panel=["a", "b"],
        judge=TINY,
        request={"options": {"response_format": {"type": "json_object"}}},
    )
    assert [r.model for r in ran.requests] == ["a", "b", "tiny"]
    assert fused_answer(ran.state) == '{"city": "Canberra"}'


async def test_compare_first_ends_with_the_words(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        stop_after="analysis",
    )
    assert ran.state.fusions[1].analysis_by == "words" and not ran.state.fused
    assert ran.state.status == "completed"


async def test_who_takes_the_run_up_goes_on_from_what_was_told(run_engine: RunEngine) -> None:
    scripts = {"a": [BLUE], "b": [f"{MORE}\n\n{BLUE}"], "tiny": []}
    whole = await run_engine(scripts, panel=["a", "b"], judge=TINY)
    text = whole.state.calls["synthesis-f1-1"].text
    for said in ("", text[:30], "Something else"):
        state = RunState.from_dict(json.loads(json.dumps(whole.state.to_dict())))
        state.status, state.finished_at = state.status.RUNNING, None
        state.fusions[1].status = state.status.RUNNING
        call = state.calls["synthesis-f1-1"]
        call.status, call.text, call.finished_at = CallStatus.STREAMING, said, None
        again = await run_engine(scripts, panel=["a", "b"], judge=TINY, state=state)
        assert again.state.calls["synthesis-f1-1"].text == text
        assert again.requests == [] and "synthesis-f1-2" not in again.state.calls


async def test_limits_of_the_run_do_not_count_what_is_not_sent(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": [CANBERRA], "b": [SYDNEY], "tiny": []},
        panel=["a", "b"],
        judge=TINY,
        policy=Policy(max_calls=2),
    )
    assert fused_answer(ran.state) == CANBERRA and ran.state.status == "completed"


async def test_a_judge_that_judges_is_told_as_before(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [CANBERRA], "b": [SYDNEY]})
    fusion = ran.state.fusions[1]
    assert (
        fusion.analysis_by == ""
        and fusion.analysis["consensus"][0]["claim"] == (ANALYSIS["consensus"][0]["claim"])
    )
    done = [e for e in ran.events if e.type is EventType.CALL_COMPLETED and e.fusion]
    assert all("analysis_by" not in e.data for e in done)


HOSTILE = {
    "full stops": ".",
    "two marks": "?!",
    "dashes": "-",
    "spaces": " ",
    "lines": "\n",
    "fences": "```\n",
    "headings": "## a\n",
    "what is announced": "a:\n\n",
    "items": "- a\n",
    "rows": "| a ",
    "abbreviations": "z. B. ",
    "words": "a b ",
    "sentences": "Not no. ",
    "code": "```a",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_text_is_made_of_it_is_compared_in_linear_time(piece: str) -> None:
    def prepare(size: int) -> Any:
        text = piece * (size // len(piece))
        given = answers(text + "x", text + " x.", cut=(0,))

        def work() -> None:
            put_together(given, "Why?", compare(given, "Why?")["best"])

        return work

    assert growth(prepare, 10_000) < BOUND
