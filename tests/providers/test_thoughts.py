"""Thoughts written into the answer are told apart from it, however the text is cut."""

from __future__ import annotations

import functools
import json

import pytest

from console.engine.provider import ReasoningDelta, TextDelta
from console.providers.wire import harmony
from console.providers.wire.thought_marks import MARKS
from console.providers.wire.thoughts import Moved, Thoughts
from tests.growth import BOUND, growth
from tests.upstream import Script
from tests.upstream.sse import DONE, STOP, event

THOUGHT, ANSWER = "let me see", "Rain is wet."
CHANNELS = (
    "<|channel|>analysis<|message|>let me see<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Rain is wet."
)


def split(text, size, known="", *, finished=True, cut=False):
    """(answer, thoughts, what was learned)."""
    splitter, answer, thoughts = Thoughts(known), "", ""
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    chunks = [chunk for piece in pieces for chunk in splitter.take(piece)]
    for chunk in [*chunks, *splitter.end(finished=finished, cut=cut)]:
        match chunk:
            case TextDelta(more):
                answer += more
            case ReasoningDelta(more):
                thoughts += more
            case Moved(moved, given_back):
                thoughts = "" if given_back else "\n\n".join(filter(None, [thoughts, moved]))
                answer = given_back
    return answer, thoughts, splitter.learned


def each_way(text, known="", **end):
    """What every cutting comes to, which is one."""
    outcomes = {split(text, size, known, **end) for size in range(1, len(text) + 1)}
    assert len(outcomes) == 1, outcomes
    return outcomes.pop()


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark.name)
@pytest.mark.parametrize("space", ["", "\n", " \n\n"])
def test_every_mark_fences_thoughts_in(mark, space):
    text = f"{space if not mark.words else ''}{mark.opening}{'' if mark.words else space}"
    text += f"{THOUGHT}{space}{mark.closing}{space}{ANSWER}"
    assert each_way(text)[:2] == (ANSWER, THOUGHT)
    assert mark.source


@pytest.mark.parametrize("mark", [m for m in MARKS if m.answer], ids=lambda mark: mark.name)
def test_what_stands_around_the_answer_is_no_part_of_it(mark):
    before, behind = mark.answer
    text = f"{mark.opening}\n{THOUGHT}\n{mark.closing}\n{before}\n{ANSWER}\n{behind}\n"
    assert each_way(text)[:2] == (ANSWER, THOUGHT)
    # What only seems to end it does not.
    text = f"{mark.opening}{THOUGHT}{mark.closing}{before}{ANSWER} {behind} More."
    assert each_way(text)[:2] == (f"{ANSWER} {behind} More.", THOUGHT)


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        (CHANNELS, ANSWER, THOUGHT),
        (CHANNELS + "<|return|>", ANSWER, THOUGHT),
        (f"<|start|>assistant{CHANNELS}<|end|>\n", ANSWER, THOUGHT),
        (f"<|channel|>final<|message|>{ANSWER}", ANSWER, ""),
        (f"<|start|>assistant<|message|>{ANSWER}<|return|>", ANSWER, ""),
        (CHANNELS.replace("final", "assistant"), ANSWER, THOUGHT),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary"
            "<|message|>b<|end|><|start|>assistant<|channel|>final<|message|>c <|end|> d < e",
            "c <|end|> d < e",
            "a\n\nb",
        ),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary "
            'to=functions.rm <|constrain|>json<|message|>{"path": "/"}<|call|>',
            "",
            'a\n\n{"path": "/"}',
        ),
        ("<|channel|>no header follows", "<|channel|>no header follows", ""),
    ],
)
def test_channels_are_read(text, answer, thoughts):
    assert each_way(text) == (answer, thoughts, None)


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("<think>a</think><think>b</think>c", "c", "a\n\nb"),
        ("<think>a</think>\n\n<thinking>b</thinking>\nc", "c", "a\n\nb"),
        ("<think></think>\n\nc", "c", ""),
        ("<think>\n\n</think>\n\n  c", "c", ""),
        ("<THINK>a</Think>c", "c", "a"),
        ("</think>\n\nc", "c", ""),
        ("<think>I say `</think>` when I am done</think>c", "c", "I say `</think>` when I am done"),
        ("<think>a</think><response>c</response>", "c", "a"),
        # What stands between two is the answer, and what follows in it as well.
        ("<think>a</think>b <think>c</think> d", "b <think>c</think> d", "a"),
        ("<think>a</think>b\n</think>\nc", "c", "a\n\nb"),
        ("<think>\U0001f600 İ</think>İ", "İ", "\U0001f600 İ"),
    ],
)
def test_blocks_at_the_beginning_are_thoughts(text, answer, thoughts):
    assert each_way(text) == (answer, thoughts, None)


@pytest.mark.parametrize(
    "text",
    [
        "Rain is wet.",
        "Write <think>a</think> so that a parser can find it.",
        "Models end their thoughts with </think> and go on.",
        "Models end their thoughts with “</think>” and go on.",
        "The tag is (</think>) here.",
        "First <think>, then thoughts.\n</think>\nAnd so on.",
        "Use `</think>`\nin code.",
        "Like this:\n\n```\nlet me see\n</think>\nRain.\n```\n\nDone.",
        "~~~~\n```\n</think>\n~~~\n</think>\n~~~~\n",
        '{"claim": "all before\n</think>\nare thoughts"}',
        '["</think>"]',
        "<b>bold</b> and <thin",
        "<thinkers>are people</thinkers>",
        "< think >",
        "  \n leading space stays",
        "analysis of rain: assistantfinally it rains",
        "Analysis says so. The assistantfinal word is nothing.",
        "analysisResult = 3",
        "Here is my thought process: rain is wet.",
        "I write. Here is my response: rain.",
        "[THINKING about rain]",
        "<|channel of thoughts|>",
        "\n" * 5000 + "late",
        "",
    ],
)
def test_what_is_quoted_stays_text(text):
    outcomes = {split(text, size) for size in (1, 2, 3, 5, 7, 50, 6000)}
    assert outcomes == {(text, "", None)}


@pytest.mark.parametrize("text", ["<think>\nlet me see", "<thinking>let me see", CHANNELS[:35]])
@pytest.mark.parametrize("end", [{"cut": True}, {"cut": False}, {"finished": False}])
def test_thoughts_that_are_never_closed_are_no_answer(text, end):
    answer, thoughts, learned = each_way(text, **end)
    assert (answer, learned) == ("", None)
    assert "let me see".startswith(thoughts.strip())


UNOPENED = [
    ("let me see\n</think>\n\nRain is wet.", "<think>"),
    ("let me see</think>Rain is wet.", "<think>"),
    ("let me see! </think> Rain is wet.", "<think>"),
    ("let me see\n[/THINK]Rain is wet.", "[THINK]"),
    ("let me see\n</seed:think>Rain is wet.", "<seed:think>"),
    ("let me see◁/think▷Rain is wet.", "◁think▷"),
    ("let me see\n</think>\n<answer>Rain is wet.</answer>", "<think>"),
    ("let me see<|end|><|start|>assistant<|channel|>final<|message|>Rain is wet.", harmony.NAME),
    ("analysislet me seeassistantfinalRain is wet.", "analysis"),
]


@pytest.mark.parametrize(("text", "name"), UNOPENED)
def test_what_stands_before_a_closing_mark_alone_were_thoughts(text, name):
    answer, thoughts, learned = each_way(text)
    assert (answer, thoughts.strip("!"), learned) == (ANSWER, THOUGHT, name)


@pytest.mark.parametrize(("text", "name"), UNOPENED)
def test_of_a_model_known_to_open_none_nothing_is_moved(text, name):
    answer, thoughts, learned = each_way(text, name)
    assert (answer, thoughts.strip("!"), learned) == (ANSWER, THOUGHT, name)
    splitter = Thoughts(name)
    chunks = [chunk for letter in text for chunk in splitter.take(letter)]
    assert not any(isinstance(chunk, Moved) for chunk in chunks)


@pytest.mark.parametrize("name", ["<think>", "[THINK]", harmony.NAME])
def test_a_model_taken_to_think_that_answers_at_once_is_believed(name):
    assert each_way(ANSWER, name) == (ANSWER, "", "")
    # Cut at its limit, nobody knows: as before.
    assert each_way(ANSWER, name, cut=True) == ("", ANSWER, None)
    assert each_way('{"a": 1}', name) == ('{"a": 1}', "", None)
    assert split("", 1, name)[:2] == ("", "")


def test_a_name_that_nobody_knows_changes_nothing():
    assert each_way("<think>a</think>b", "<pondering>") == ("b", "a", None)
    assert each_way(ANSWER, "<pondering>") == (ANSWER, "", None)


@pytest.mark.parametrize("unit", [
    "a < b [ ", "</think> ", "<think>", "`</think>`", "\n", "<|channel|>", "<|end|>",
    "```\n</think>",
])  # fmt: skip
@pytest.mark.parametrize("before", ["", "<think>", CHANNELS, "<think></think><answer>", "x\n```\n"])
@pytest.mark.parametrize("size", [9, 10**6])
def test_no_text_makes_it_slow(unit, before, size):
    def prepare(length):
        text = before + unit * (length // len(unit))
        return functools.partial(split, text, size)

    assert growth(prepare, 15_000) < BOUND


# over the wire


def whole(content, **message):
    message = {"role": "assistant", "content": content, **message}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return Script(body=json.dumps(body))


def deltas(text, size=5):
    return [text[n : n + size] for n in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_thoughts_in_the_content_arrive_as_reasoning(ask, size):
    text = "<think>\nlet me see\n</think>\n\nRain is wet."
    got = await ask(Script(deltas=deltas(text, size)))
    assert (got.text, got.reasoning, got.recasts) == (ANSWER, THOUGHT, 0)
    assert got.finish.finish_reason == "stop"


async def test_a_reply_in_one_piece_is_read_alike(ask):
    for text in ("<think>let me see</think>Rain is wet.", CHANNELS, UNOPENED[0][0]):
        got = await ask(whole(text))
        assert (got.text, got.reasoning) == (ANSWER, THOUGHT)


async def test_text_already_shown_moves_once(ask, make):
    provider = make()
    script = Script(deltas=deltas("let me see\n</think>\n\nRain is wet."))
    first = await ask(script, by=provider)
    second = await ask(script, by=provider)
    assert (first.text, first.reasoning, first.recasts) == (ANSWER, THOUGHT, 1)
    assert (second.text, second.reasoning, second.recasts) == (ANSWER, THOUGHT, 0)
    assert provider._traits.of("alpha") == {"thoughts": "<think>"}
    # It opens none and thinks nothing, once: nothing is lost, nor assumed any more.
    third = await ask(Script(deltas=["Rain ", "is wet."]), by=provider)
    assert (third.text, third.reasoning) == (ANSWER, "")
    assert provider._traits.of("alpha") == {}
    fourth = await ask(Script(deltas=["Rain ", "is wet."]), by=provider)
    assert (fourth.text, fourth.recasts) == (ANSWER, 0)


async def test_thoughts_sent_apart_stay_before_those_in_the_text(ask):
    stream = [
        event({"reasoning_content": "Hm."}), event({"content": "let me see\n</think>\n\n"}),
        event({"content": ANSWER}), STOP,
    ]  # fmt: skip
    got = await ask(Script(raw=stream))
    assert (got.text, got.reasoning) == (ANSWER, "Hm.\n\nlet me see")


async def test_thoughts_as_a_part_of_the_content_are_thoughts(ask):
    """Mistral's form."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}
    parts = [thinking, {"type": "text", "text": ANSWER}]
    for script in (Script(raw=[event({"content": parts}), STOP]), whole(parts)):
        got = await ask(script)
        assert (got.text, got.reasoning) == (ANSWER, THOUGHT)


async def test_what_is_held_back_is_told_when_the_answer_breaks_off(ask):
    for script in (
        Script(deltas=["<thi"], cut_after=1),
        Script(deltas=["<thi"], error_after=1),
        Script(deltas=["<thi"], cut_after=1, cut="end"),
        Script(deltas=["<thi"]),
    ):
        assert (await ask(script)).text == "<thi"


async def test_a_call_of_a_tool_in_a_channel_is_said_to_be_one(ask):
    text = '<|channel|>commentary to=functions.rm <|message|>{"path": "/"}<|call|>'
    got = await ask(Script(raw=[event({"content": text}), event(finish="stop"), DONE]))
    assert (got.text, got.finish.finish_reason) == ("", "tool_calls")


async def test_thoughts_count_by_their_own_limit(ask, make):
    provider = make(text=30, reasoning=30)
    said = "Rain is wet. And wetter."
    got = await ask(Script(deltas=["let me see now\n</think>", said]), by=provider)
    assert (got.text, got.reasoning) == (said, "let me see now")
    got = await ask(Script(deltas=["<think>", "x" * 40]), by=provider)
    assert (got.text, got.reasoning, got.reason) == ("", "x" * 30, "too_large")


@pytest.mark.parametrize("beginning", ["How so", "Here is my thought", "analysis", "an answer"])
def test_an_answer_that_only_begins_with_letters_of_a_mark_is_soon_not_looked_at(beginning):
    thoughts = Thoughts()
    begun = list(thoughts.take(beginning)) + list(thoughts.take(", and why. It is raining here."))
    assert "".join(piece.text for piece in begun) == f"{beginning}, and why. It is raining here."
    assert thoughts.has_none_in(" It rains.") is (beginning != "analysis")
