"""U-30 … U-36, U-42: answers that are too much, too little, or not what they seem."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from console.engine.errors import Reason
from tests.upstream import Script
from tests.upstream.sse import DONE, STOP, data, event, text

from .scenario import PROMPT_TOKENS, Scenario, completed, cost, good
from .streams import END, intact, raw, uncounted

MIB = 2**20
# Upstream, worker and viewer share one interpreter here: while it has a lot to do, nobody stalls.
PATIENT = {"first_token_timeout": 15, "stall_timeout": 10, "total_timeout": 60}
CUT = ("cut off", "The answer was cut because it grew too large.", "kept")
CALL = {"tool_calls": [{"index": 0, "function": {"name": "rm", "arguments": '{"path": "/"}'}}]}


def too_much(title: str, script: Script, sent: str, **more: Any) -> Scenario:
    said: dict[str, Any] = {"peak_mib": 100, "text": None, "policy": PATIENT}
    return Scenario(
        "U-30", title, script, sees=CUT, reason=Reason.TOO_LARGE, sent=sent, **said | more
    )


def counted(title: str, reported: Any, cost: Decimal | None, **more: Any) -> Scenario:
    script = good("one two", usage=reported)
    return completed("U-31", title, script, "one two", cost=cost, **more)


def empty(id: str, title: str, script: Script, *sees: str, **more: Any) -> Scenario:
    said: dict[str, Any] = {"usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": 0}}
    said["cost"] = cost(0)
    return Scenario(
        id, title, script, sees=("empty", *sees), reason=Reason.EMPTY, **said | more
    )  # fmt: skip


def filtered(title: str, script: Script, said: str, **more: Any) -> Scenario:
    words = len(said.split())
    receipt = {"usage": {"input_tokens": 4, "output_tokens": words}, "cost": cost(words)}
    return Scenario(
        "U-33",
        title,
        script,
        sees=("filtered", "The provider filtered this answer."),
        reason=Reason.CONTENT_FILTER,
        text=said,
        **receipt | more,
    )


def hostile(title: str, said: str, **more: Any) -> Scenario:
    pieces = [said[i : i + 50_000] for i in range(0, len(said), 50_000)]
    script = Script(text=said, deltas=pieces)
    return completed("U-42", title, script, said, policy=PATIENT, **more)


TWICE = data({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "ha "}}]})
BLOCK = "x" * 65_536

TABLE = [
    too_much(
        "100 MB at full speed", Script(deltas=[BLOCK] * 1600), BLOCK * 40, usual=True
    ),
    too_much(
        "one character an event, without end",
        raw(*[text("x") * 2000] * 150),
        "x" * 300_000,
        policy={"total_timeout": 100, "stall_timeout": 10, "first_token_timeout": 15, "grace": 100},
        long=True,
    ),
    too_much(
        "one line of 50 MB",
        raw(text("one two"), b'data: {"choices": "', *[b"x" * MIB] * 50),
        "one two",
        text="one two",
    ),
    uncounted("U-31", "usage is missing", good("one two", usage={}), "one two", usual=True),
    completed(
        "U-31",
        "usage grows in every chunk",
        raw(*(
            event({"content": word}, usage={"prompt_tokens": 4, "completion_tokens": n})
            for n, word in ((1, "one"), (2, " two"))
        ), STOP),
        "one two",
        usual=True,
    ),
    counted("usage is negative", {"prompt_tokens": -4, "completion_tokens": -2}, None, usage={}),
    counted("usage is text", {"prompt_tokens": "4", "completion_tokens": "2"}, None, usage={}),
    counted(
        "usage is absurd",
        {"prompt_tokens": 4, "completion_tokens": 10**12},
        None,
        usage={"input_tokens": 4},
        usual=True,
    ),
    counted(
        "the provider reports the cost",
        {"prompt_tokens": 4, "completion_tokens": 2, "cost": 0.25},
        Decimal("0.25"),
        kind="openrouter",
    ),
    counted(
        "the provider reports an absurd cost",
        {"prompt_tokens": 4, "completion_tokens": 2, "cost": 1e12},
        cost(2),
        kind="openrouter",
    ),
    empty(
        "U-32",
        "only reasoning, no answer",
        Script(text="", reasoning="Only thoughts."),
        "The model returned only its reasoning, no answer.",
        reasoning="Only thoughts.",
        usual=True,
    ),
    filtered("filtered at once", Script(text="", finish_reason="content_filter"), "", usual=True),
    filtered("filtered after two words", good("one two", finish_reason="content_filter"), "one two",
             usual=True),
    filtered(
        "a refusal instead of an answer",
        raw(event({"refusal": "I will"}) + event({"refusal": " not."}) + END),
        "I will not.",
        usage={"input_tokens": 4, "output_tokens": 2},
        cost=cost(2),
    ),
    completed(
        "U-34",
        "finish_reason: length",
        good("one two", finish_reason="length"),
        "one two",
        sees=("done", "cut at its token limit"),
        usual=True,
    ),
    empty(
        "U-34",
        "the output limit is used up before the first word",
        Script(text="", finish_reason="length", reasoning="Hmm."),
        "The model thought until its output limit and gave no answer.",
        reasoning="Hmm.",
    ),
    empty(
        "U-34",
        "the output limit is used up before anything came",
        Script(text="", finish_reason="length"),
        "The output limit was used up before the answer had begun.",
    ),
    empty(
        "U-35",
        "tool calls only",
        raw(event(CALL) + event(finish="tool_calls") + DONE),
        "The model asked for tools",
        usage={},
        cost=None,
        usual=True,
    ),
    empty(
        "U-35",
        "a function call only",
        raw(event({"function_call": {"name": "rm", "arguments": "{}"}}) + STOP),
        "The model asked for tools",
        usage={},
        cost=None,
    ),
    intact(
        "U-36",
        "the same chunk twice, and the answer from its start again",
        raw(TWICE, TWICE, text("ha ha ha"), END),
        "ha ha ha ha ha",
        usual=True,
    ),
    hostile("terminal escapes, bidi overrides, zero-width characters",
            "\x1b[31mred\x1b[0m \u202eabc\u202c a\u200bb \u2066x\u2069", usual=True),
    hostile("50,000 combining marks", "a" + "\u0301\u0336" * 25_000),
    hostile("1 MB without a space", "x" * MIB),
    hostile("10,000 nested quotes", ">" * 10_000 + " deep"),
    hostile("10,000 opening brackets", "[" * 10_000, usual=True),
    hostile("10,000 backticks", "`" * 10_000),
    hostile("a table of 1,000 columns, 200 rows",
            "|" + "".join(f"a{n}|" for n in range(1000)) + "\n|" + "-|" * 1000 + "\n"
            + "".join("|" + "|".join(f"{row % 9}{n % 7}" for n in range(1000)) + "|\n"
                      for row in range(200))),
]  # fmt: skip
