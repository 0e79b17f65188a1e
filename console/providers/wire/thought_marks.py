"""The marks that families of models fence their thoughts in with, each with where it is written
down, and what tells that one begins or ends here.

Only at the beginning of an answer does an opening mark mean anything: quoted later, it is text.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from . import harmony


@dataclass(frozen=True)
class Mark:
    """`answer` is what some write around the answer behind the thoughts.

    `words` that anybody might begin an answer with are believed only when the closing ones
    have come, too.
    """

    opening: str
    closing: str
    source: str
    answer: tuple[str, str] | None = None
    words: bool = False

    @property
    def name(self) -> str:
        return self.opening


def _tag(name: str, source: str, answer: str = "") -> Mark:
    around = (f"<{answer}>", f"</{answer}>") if answer else None
    return Mark(f"<{name}>", f"</{name}>", source, around)


MARKS = (
    # DeepSeek R1, Qwen3, QwQ, GLM, MiniMax, Phi, Nemotron, OLMo, LFM2: docs.vllm.ai, "Reasoning
    # Outputs". Hunyuan A13B and models trained like R1-Zero write <answer> behind it.
    _tag("think", "docs.vllm.ai/en/stable/features/reasoning_outputs", "answer"),
    # Granite 3.3 has <response> behind the same tag: see `AROUND`.
    _tag("thinking", "open-webui, DEFAULT_REASONING_TAGS; models told to think aloud", "answer"),
    _tag("thought", "huggingface.co/LGAI-EXAONE/EXAONE-Deep-32B; open-webui"),
    _tag("thoughts", "models told to think aloud"),
    _tag("reasoning", "huggingface.co/RekaAI/reka-flash-3; open-webui"),
    _tag("reason", "open-webui, DEFAULT_REASONING_TAGS"),
    _tag("reflection", "models told to think aloud, after Reflection 70B"),
    _tag("ant_thinking", "Anthropic's cookbooks, older prompts"),
    _tag("seed:think", "vLLM, seedoss_reasoning_parser (ByteDance Seed-OSS)"),
    _tag("longcat_think", "mlx-lm, tokenizer_utils (LongCat-Flash-Thinking)"),
    _tag("think:opensource", "mlx-lm, tokenizer_utils"),
    Mark('<details type="reasoning"', "</details>", "open-webui, what its chats hold; chat.z.ai"),
    Mark("[THINK]", "[/THINK]", "docs.mistral.ai, reasoning (Magistral, Ministral)"),
    Mark("◁think▷", "◁/think▷", "huggingface.co/moonshotai/Kimi-VL-A3B-Thinking; open-webui"),
    Mark(
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        "vLLM, cohere_command3 (Command A Reasoning, R7B)",
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ),
    Mark(
        "<|begin_of_thought|>",
        "<|end_of_thought|>",
        "huggingface.co/NovaSky-AI/Sky-T1-32B-Preview, OpenThinker; open-webui",
        ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ),
    Mark("<|inner_prefix|>", "<|inner_suffix|>", "llama.cpp, chat.cpp (Apertus)"),
    Mark("<|channel>thought", "<channel|>", "ai.google.dev/gemma, Gemma 4 prompt formatting"),
    Mark("<unused94>thought", "<unused95>", "huggingface.co/google/medgemma-27b-text-it"),
    Mark(
        "Here is my thought process:",
        "Here is my response:",
        "vLLM, granite_reasoning_parser (Granite 3.2)",
        words=True,
    ),
    Mark(
        "Here are my reasoning steps:",
        "[BEGIN FINAL RESPONSE]",
        "huggingface.co/ServiceNow-AI/Apriel-1.5-15b-Thinker",
        ("", "[END FINAL RESPONSE]"),
        words=True,
    ),
    # Harmony's channels where a server leaves their special tokens out: oobabooga/textgen#7374.
    Mark("analysis", "assistantfinal", "github.com/openai/harmony, tokens stripped", words=True),
)
AROUND = dict(mark.answer for mark in MARKS if mark.answer and mark.answer[0])
AROUND["<response>"] = "</response>"  # huggingface.co/ibm-granite/granite-3.3-8b-instruct
TAGS_CLOSING = [mark.closing for mark in MARKS if not mark.words]
BY_NAME = {mark.name: mark for mark in MARKS}
_BY_CLOSING = {mark.closing.lower(): mark for mark in MARKS}
CLOSINGS = re.compile(
    "|".join([harmony.FINAL, *(re.escape(mark.closing) for mark in MARKS)]), re.IGNORECASE
)

LONGEST = max(len(mark.opening) for mark in MARKS) + 1
LONGEST_CLOSING = 80
WORDS = [mark.opening for mark in MARKS if mark.words]
FIRST_OF_CLOSINGS = re.compile("[" + re.escape("".join({c[0] for c in TAGS_CLOSING})) + "]")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
QUOTES = "`\"'“”‘’«»„"


def closes(text: str, match: re.Match[str]) -> str:
    """The name of the mark that ends here what were thoughts from the beginning."""
    start, mark = text.lstrip(), _BY_CLOSING.get(match[0].lower())
    if start[:1] in ("{", "["):  # JSON, which quotes it
        return ""
    if mark is None:
        return harmony.NAME
    if mark.words:
        is_one = begins(start, mark.opening) and match[0] == mark.closing
    else:
        before, after = text[: match.start()], text[match.end() :]
        was_opened = mark.opening.lower() in in_lower_case(before)
        is_one = not was_opened and not _is_in_code(before) and _stands_alone(before, after)
    return mark.name if is_one else ""


def _stands_alone(before: str, after: str) -> bool:
    """At an end of a line or of a sentence, or between two words without a space: who writes
    about the mark puts it into a sentence of its own, or into quotes."""
    last, next_ = before[-1:], after[:1]
    if last and last in QUOTES and next_ and next_ in QUOTES:
        return False
    line, rest = before.rstrip(" \t"), after.lstrip(" \t")
    if line[-1:] in ("", "\n", "\r") or rest[:1] in ("", "\n", "\r"):
        return True
    if line[-1] in ".!?…。！？":
        return True
    return not last.isspace() and last not in QUOTES + "([{:" and not next_.isspace()


def _is_in_code(before: str) -> bool:
    fence = ""
    for match in _FENCE.finditer(before):
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence):
            fence = ""
    return bool(fence) or before.count("`", before.rfind("\n") + 1) % 2 == 1


def begins(lead: str, *marks: str) -> str:
    """The mark that the text begins with."""
    lower = in_lower_case(lead[:LONGEST])
    for mark in marks:
        if mark[0].isalpha() and not lead.startswith(mark):  # words
            continue
        # One word is no mark unless the next one sticks to it.
        if mark.isalpha() and not lead[len(mark) : len(mark) + 1].strip():
            continue
        if lower.startswith(mark.lower()):
            return mark
    return ""


def partial(text: str, mark: str) -> int:
    """How many characters at the end of the text the mark may begin with."""
    longest = min(len(text), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if mark.startswith(text[-n:])), 0)


def in_lower_case(text: str) -> str:
    """As long as before, whatever letters there are."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.translate(_ASCII)
