"""Text that says nothing more is noticed, in whoever's call, and what says something is not."""

from __future__ import annotations

import json
import random
import tracemalloc
from typing import Any

import pytest

from console.engine.events import EventType
from console.engine.findings.analysis import notes
from console.engine.findings.degenerate import (
    Degeneracy,
    Detector,
    find,
    is_alphabet,
    speaks_of_prompt,
    without_mark,
)
from console.engine.findings.given import given, why_best
from console.engine.provider import ReasoningDelta
from console.engine.spec import Panelist
from console.engine.state import Step
from console.engine.steps import prompts
from tests.degenerate import healthy, looping
from tests.engine.conftest import ANALYSIS, RunEngine
from tests.growth import BOUND, growth

MARK = "f23bcea2e7315ed9130d5990"
LOOP = "The sea is blue because it reflects the sky.\n"


@pytest.mark.parametrize("name", healthy.WRITTEN)
def test_what_repeats_itself_for_a_reason_is_left_alone(name: str) -> None:
    assert find(healthy.WRITTEN[name]) is None


@pytest.mark.parametrize("kind", healthy.FILES)
def test_of_texts_of_every_kind_none_is_stopped(kind: str) -> None:
    """A few of each; `python -m tests.degenerate` has thousands."""
    assert [p for p in healthy.pieces(kind, 12) if find(p)] == []


@pytest.mark.parametrize(("kind", "text"), [*looping.texts()])
def test_what_goes_on_without_end_is_noticed(kind: str, text: str) -> None:
    assert find(text) is Degeneracy.REPEATS


def test_what_a_detector_keeps_is_bounded_however_many_words_a_text_has() -> None:
    tracemalloc.start()
    try:
        detector = Detector()
        detector.feed("".join(f"word{n} " for n in range(2_000)))
        before, _ = tracemalloc.get_traced_memory()
        for start in range(2_000, 12_000, 50):
            detector.feed("".join(f"word{n} " for n in range(start, start + 50)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000  # a list of these words would be 2 MB


@pytest.mark.parametrize("size", [1, 5, 47, 1000])
def test_how_a_text_is_cut_into_deltas_makes_no_difference(size: int) -> None:
    def found(text: str) -> Degeneracy | None:
        detector = Detector()
        for at in range(0, len(text), size):
            if kind := detector.feed(text[at : at + size]):
                return kind
        return detector.end()

    for _, text in looping.texts():
        assert found(text) is Degeneracy.REPEATS
    for text in healthy.WRITTEN.values():
        assert found(text[:20_000]) is None


def test_a_loop_is_noticed_long_before_its_end() -> None:
    detector, count = Detector(), 0
    while detector.feed(LOOP) is None:
        count += 1
    assert count < 12


def test_of_a_long_piece_the_end_is_looked_at_and_its_fences_are_known() -> None:
    code = "```python\n" + "    result.append(value)\n" * 30
    assert find(healthy.WRITTEN["SQL"] + "\n" + code + "x = 1\n" * 20 + "```\n") is None
    assert find("```\n" + "\n".join(f"x{n} = {n}" for n in range(4000)) + LOOP * 20) is None
    assert find(f"Fine.\n{healthy.WRITTEN['Chinese']}\n" * 40 + LOOP * 300) is Degeneracy.REPEATS


def test_who_asked_for_a_repetition_gets_some_of_it() -> None:
    line = "I will not talk in class. "
    assert find(line * 30) is Degeneracy.REPEATS
    assert find(line * 30, asked=f"Write twenty times: {line}") is None
    assert find(line * 100, asked=f"Write twenty times: {line}") is Degeneracy.REPEATS


def test_in_data_few_words_say_much() -> None:
    ratings = [
        {"seat": s, "depth": d, "structure": 4, "coverage": 4, "factual_accuracy": 4}
        for s, d in zip("ABCDEFGH", [1, 2, 3, 4, 5, 4, 3, 2], strict=True)
    ]
    assert find(json.dumps({"ratings": ratings}), is_data=True) is None
    assert find(json.dumps(ratings[0]) * 20, is_data=True) is Degeneracy.REPEATS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"Rain is wet. === {MARK} ANSWER A ===", Degeneracy.ECHOES),
        (f"So {MARK[6:20]} it is.", Degeneracy.ECHOES),
        (f"So {MARK[6:17]} it is.", None),
        ("=== 0123456789abcdef01 END === is ours", Degeneracy.ECHOES),
        ("A (152 words) says so.", Degeneracy.ECHOES),
        ("It is so (A, B; not found in their words).", Degeneracy.ECHOES),
        ("Commit 0123456789abcdef0123 is good (A). Vitamin B (152 mg) is, too.", None),
        (
            "Do not paste pieces together, do not take the longest, and do not settle",
            Degeneracy.ECHOES,
        ),
        ("Do not paste pieces together, and do not take the longest.", None),
    ],
)
def test_what_a_writer_was_told_is_no_answer(text: str, kind: Degeneracy | None) -> None:
    ours = prompts.load()
    known: dict[str, Any] = {"mark": MARK, "prompts": [ours.synthesis, ours.marks]}
    assert find(text, **known) is kind
    # Whoever asks about such words may be answered in them.
    if kind and "paste" in text:
        assert find(text, **known, sources=lambda: [f"What does this mean: {text}?"]) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("A, B, C, D, E, F, G, H, I, J", True),
        ("a b c d e f g h and i", True),
        ("A, B and C agree.", False),
        ("Plan A is better than plan B or C, says D", False),
        ("a b c", False),
    ],
)
def test_the_alphabet_is_no_claim(text: str, is_one: bool) -> None:
    assert is_alphabet(text) is is_one


def test_an_answer_does_not_speak_of_its_prompt_unless_it_is_about_one() -> None:
    assert speaks_of_prompt("**The prompt asks** for five ideas.", "Five ideas?")
    assert speaks_of_prompt("The answer to the prompt is: rain.", "Why?")
    assert not speaks_of_prompt("The prompt asks for ideas.", "What does this prompt ask for?")
    assert not speaks_of_prompt("Rain. The prompt asks for more.", "Why?")


def test_the_mark_is_taken_out_of_a_text() -> None:
    fenced = f"=== {MARK} TEXT ===\nRain is wet.\n=== {MARK} END ===\nIce ({MARK[3:]}) floats."
    assert without_mark(fenced, MARK) == "Rain is wet.\nIce (…) floats."
    assert without_mark("Rain is wet.", MARK) == "Rain is wet."


@pytest.mark.parametrize("unit", ["x", "no space", "a b ", "春天来了", "\n", "```\n", "| a ", "1 "])
def test_the_time_grows_with_the_text(unit: str) -> None:
    def read(size: int) -> Any:
        rng = random.Random(2)
        text = "".join(unit + rng.choice("abcdefgh ") for _ in range(size // len(unit)))
        pieces = [text[at : at + 7] for at in range(0, len(text), 7)]

        def look() -> None:
            detector = Detector(mark=MARK, prompts=[prompts.load().synthesis])
            for piece in pieces:
                detector.feed(piece)

        return look

    assert growth(read, 40_000) < BOUND


def a_judge(analysis: Any, fused: Any) -> Any:
    def script(request: Any) -> Any:
        given = analysis if request.response_schema else fused
        return given(request) if callable(given) else given

    return script


GOOD = [json.dumps(ANALYSIS)]


async def test_a_seat_that_loops_is_ended_kept_and_not_judged(run_engine: RunEngine) -> None:
    script = {"a": [LOOP] * 1000, "b": ["Ice floats."], "c": ["Rain is wet."]}
    ran = await run_engine(script)
    call = ran.state.latest(Step.PANEL, seat=0)
    assert (call.status, call.reason) == ("failed", "repeats_itself")
    assert LOOP in call.text and len(call.text) < 1000 and call.retry_at is None
    assert len(ran.requests_to("a")) == 1
    assert ran.state.answer(0) is None
    assert ran.state.fusion.judged == ["panel-1-1", "panel-2-1"]


async def test_the_fallback_of_a_seat_that_loops_is_asked(run_engine: RunEngine) -> None:
    seat = Panelist("a", "fake", fallback=Panelist("d", "fake"))
    script = {"a": [LOOP] * 100, "b": ["Ice."], "d": ["Rain."]}
    ran = await run_engine(script, panel=[seat, "b"])
    assert ran.state.answer(0).text == "Rain."


async def test_thoughts_that_loop_are_ended_too(run_engine: RunEngine) -> None:
    thoughts = [ReasoningDelta("Wait, let me check that again. No, that is right. ")] * 500
    ran = await run_engine({"a": [*thoughts, "Rain."], "b": ["Ice."]})
    call = ran.state.latest(Step.PANEL, seat=0)
    assert call.reason == "repeats_itself" and len(call.reasoning) < 2000


async def test_a_single_model_that_is_passed_through_is_left_alone(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [LOOP] * 100}, stop_after="panel")
    assert ran.state.answer(0).text == LOOP * 100


async def test_several_that_are_compared_first_are_not(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [LOOP] * 100, "b": ["Ice."]}, stop_after="panel")
    assert ran.state.answer(0) is None


@pytest.mark.parametrize(
    ("fused", "reason"),
    [
        (lambda request: [LOOP] * 300, "repeats_itself"),
        (lambda request: ["Fine. ", *_copied(request)], "echoes_prompt"),
        (lambda request: ["The prompt asks for something about water."], "echoes_prompt"),
        (lambda request: [ReasoningDelta(LOOP)] * 300, "repeats_itself"),
    ],
)
async def test_a_fused_answer_that_says_nothing_gives_way_to_the_best_single_one(
    run_engine: RunEngine, fused: Any, reason: str
) -> None:
    script = {"a": ["Rain is wet."], "b": ["Ice floats."], "judge": a_judge(GOOD, fused)}
    ran = await run_engine(script)
    state = ran.state
    call = state.latest(Step.SYNTHESIS, fusion=1)
    assert (call.status, call.reason, state.status) == ("failed", reason, "completed")
    found = given(state, state.fusion)
    assert found and found.why == "best" and found.text in ("Rain is wet.", "Ice floats.")
    assert why_best(state, state.fusion) == "fused_unusable"
    assert state.reason == "synthesis_failed" and "of no use" in state.error
    fence = _fence(ran.requests[-1])
    assert not any(fence[:12] in str(event.data) for event in ran.events)


async def test_a_fused_answer_that_could_not_be_written_says_that(run_engine: RunEngine) -> None:
    from console.engine.errors import ProviderError, Reason

    judge = a_judge(GOOD, [ProviderError(Reason.UPSTREAM_ERROR)])
    state = (await run_engine({"a": ["Rain."], "b": ["Ice."], "judge": judge})).state
    assert why_best(state, state.fusion) == "fused_failed"


def _fence(request: Any) -> str:
    return str(request.messages[0]["content"]).split("carry the mark ")[1][:24]


def _copied(request: Any) -> list[str]:
    """The fence line, a few characters at a time."""
    line = f"=== {_fence(request)} ANSWER A (3 words) ==="
    return [line[at : at + 3] for at in range(0, len(line), 3)]


async def test_a_text_with_the_beginning_of_the_mark_in_it_arrives_whole(
    run_engine: RunEngine,
) -> None:
    def fused(request: Any) -> list[str]:
        return ["Take ", _fence(request)[:8], _fence(request)[8:11], " of it, ", "face", "d5"]

    script = {"a": ["Rain."], "b": ["Ice."], "judge": a_judge(GOOD, fused)}
    ran = await run_engine(script)
    text = "Take " + _fence(ran.requests[-1])[:11] + " of it, faced5"
    assert given(ran.state, ran.state.fusion).text == text
    deltas = [e.data["text"] for e in ran.events if e.type is EventType.CALL_DELTA and e.fusion]
    assert "".join(deltas) == text


async def test_claims_that_say_nothing_are_dropped_and_counted(run_engine: RunEngine) -> None:
    def analysis(request: Any) -> list[str]:
        fence = _fence(request)
        claims = [fence, "A, B, C, D, E, F, G, H, I", f"A (2 words) === {fence}", "Water is wet."]
        consensus = [
            {"claim": c, "seats": ["A", "B"], "evidence": [{"seat": "A", "quote": fence[:20]}]}
            for c in claims
        ]
        told = "Write about the subject, concretely, in the language of the prompt."
        return [json.dumps(ANALYSIS | {"consensus": consensus, "blind_spots": [told, "Salt."]})]

    script = {"a": ["Rain."], "b": ["Ice."], "judge": a_judge(analysis, ["Fused."])}
    ran = await run_engine(script)
    found = ran.state.fusion.analysis
    assert [c["claim"] for c in found["consensus"]] == ["Water is wet."]
    assert found["consensus"][0]["evidence"] == []
    assert found["blind_spots"] == ["Salt."] and found["no_claims"] == 4
    assert notes(found) == [
        "Left out: 4 statements of the judge that repeated words and said nothing."
    ]
    fence = _fence(ran.requests[-1])
    assert not any(fence[:12] in str(event.data) for event in ran.events)


async def test_an_analysis_of_nothing_but_such_claims_is_sent_back_and_then_dropped(
    run_engine: RunEngine,
) -> None:
    parts = dict.fromkeys(ANALYSIS, []) | {"blind_spots": ["A B C D E F G H I J"]}
    script = {"a": ["Rain."], "b": ["Ice."], "judge": a_judge([json.dumps(parts)], ["Fused."])}
    ran = await run_engine(script)
    assert ran.state.fusion.analysis_reason == "echoes_prompt"
    assert len([r for r in ran.requests_to("judge") if r.response_schema]) == 2


async def test_what_a_judge_found_before_it_looped_is_kept(run_engine: RunEngine) -> None:
    again = '{"claim": "It is so, it is so.", "seats": ["A", "B"]}, '
    begun = '{"consensus": [{"claim": "Water is wet.", "seats": ["A", "B"]}, '
    script = {"a": ["Rain."], "b": ["Ice."], "judge": a_judge([begun, *[again] * 500], ["Fused."])}
    ran = await run_engine(script)
    found = ran.state.fusion.analysis
    assert found["consensus"][0]["claim"] == "Water is wet." and found["cut_off"]
    assert len(ran.state.latest(Step.ANALYSIS, fusion=1).text) < 3000


async def test_a_judge_that_only_loops_costs_the_analysis(run_engine: RunEngine) -> None:
    script = {"a": ["Rain."], "b": ["Ice."], "judge": a_judge([LOOP] * 300, ["Fused."])}
    ran = await run_engine(script)
    assert ran.state.fusion.analysis_reason == "repeats_itself"
    assert given(ran.state, ran.state.fusion).text == "Fused."
