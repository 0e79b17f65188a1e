"""U-60: models that think aloud, behind servers that pass their thoughts on as text."""

from __future__ import annotations

from typing import Any

from console.engine.errors import Reason
from tests.upstream import Script
from tests.upstream.sse import DONE, event, text

from .scenario import PROMPT_TOKENS, Scenario, cost

THOUGHT, ANSWER = "let me see", "Rain is wet."
# The upstream counts what it sends, thoughts included.
WORDS = 6


def written(content: str, size: int = 5, finish: str = "stop") -> Script:
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": WORDS}
    pieces = [text(content[n : n + size]) for n in range(0, len(content), size)]
    return Script(raw=[*pieces, event(finish=finish, usage=usage), DONE])


def thinks(title: str, content: str, **more: Any) -> Scenario:
    row: dict[str, Any] = {"sees": ("done",), "text": ANSWER, "reasoning": THOUGHT}
    return _row(title, written(content), **row | more)


def only_thinks(title: str, content: str, sentence: str, finish: str) -> Scenario:
    return _row(
        title,
        written(content, finish=finish),
        sees=("empty", sentence, "The run went on without it."),
        reason=Reason.EMPTY,
        reasoning=THOUGHT,
    )


def _row(title: str, script: Script, **more: Any) -> Scenario:
    usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": WORDS}
    return Scenario("U-60", title, script, usage=usage, cost=cost(WORDS), **more)


LIMIT = "The model thought until its output limit and gave no answer."
ONLY = "The model returned only its reasoning, no answer."

TABLE = [
    thinks(
        "thoughts within <think>, five characters at a time",
        "<think>\nlet me see\n</think>\n\nRain is wet.",
        usual=True,
    ),
    thinks("thoughts within [THINK]", "[THINK]let me see[/THINK]Rain is wet."),
    thinks(
        "thoughts and answer in channels",
        "<|channel|>analysis<|message|>let me see<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Rain is wet.<|return|>",
    ),
    thinks(
        "thoughts that nothing opened, closed by </think>: they move",
        "let me see\n</think>\n\nRain is wet.",
        usual=True,
    ),
    thinks(
        "a tag that the answer quotes",
        "Rain is <think>wet</think>.",
        text="Rain is <think>wet</think>.",
        reasoning="",
    ),
    only_thinks("thoughts never closed, length", "<think>\nlet me see", LIMIT, "length"),
    only_thinks("thoughts never closed, stop", "<think>\nlet me see", ONLY, "stop"),
]
