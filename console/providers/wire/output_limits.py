"""How long an answer may be, as a refusal says it.

Two things are said: what a model writes at most, which holds for all it is asked, and what
is left of its window beside this prompt, which holds for this prompt alone.
"""

from __future__ import annotations

import re

LEAST = 16  # no limit of a model is smaller; a smaller number in a sentence is something else
ENOUGH = 256  # tokens that an answer may be worth; half of what was asked for is, too

# A window, and what the prompt takes of it.
WINDOWS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Anthropic: "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"
        # https://github.com/anthropics/claude-code/issues/228
        r"(?P<prompt>\d+) \+ \d+ > (?P<window>\d+)",
        # OpenAI, DeepSeek, vLLM: "maximum context length is 8192 tokens. However, you requested
        # 9000 tokens (5000 in the messages, 4000 in the completion)"
        # https://github.com/vllm-project/vllm/issues/20409
        r"context (?:length|window|size)\D{0,20}(?P<window>\d+)\D.*?\((?P<prompt>\d+) (?:tokens )?"
        r"(?:in|from) (?:the|your) (?:messages|prompt|input)",
        # OpenRouter: "(8000 of text input, 200 of tool input, 32000 in the output)"
        r"context length is (?P<window>\d+)\D.*?\((?P<prompt>\d+) of text input"
        r"(?:, (?P<more>\d+) of \w+ input)?",
        # vLLM: "This model's maximum context length is 8192 tokens and your request has 1000 input
        # tokens (8000 > 8192 - 1000)"
        r"context length is (?P<window>\d+)\D.*?request has (?P<prompt>\d+) input tokens",
        # vLLM: "You passed 1000 input tokens and requested 8000 output tokens. However, the model's
        # context length is only 8192 tokens"
        r"passed (?P<prompt>\d+) input tokens.*?context length is (?:only )?(?P<window>\d+)",
        # SGLang: "maximum context length of 32768 tokens. You requested a total of 33000 tokens:
        # 1000 tokens from the input messages and 32000 tokens for the completion"
        r"context length of (?P<window>\d+).*?: (?P<prompt>\d+) tokens from the input",
        # TGI, Together: "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs`
        # tokens and 2000 `max_new_tokens`"
        r"max_new_tokens`? must be <= (?P<window>\d+). Given: (?P<prompt>\d+) `?inputs",
    )
)
OF_A_WINDOW = re.compile(r"\b(?:context|window|prompt|inputs?|messages)\b|_window\b", re.IGNORECASE)
TOGETHER = re.compile(r"\b(?:total|requested|together|sum)\b", re.IGNORECASE)
# What an answer's length is called.
OUTPUT = (
    r"(?:max[_ ](?:completion[_ ]|output[_ ]|new[_ ])?tokens|maxOutputTokens|num_predict|"
    r"(?:completion|output|generated|response)[_ ]?(?:tokens|length|limit)|maximum tokens|"
    r"number of tokens to generate|generates? (?:at most|up to|no more than))"
)
# How a limit is named beside it. The first number that fits is the limit.
LIMITS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # OpenAI, Azure: "This model supports at most 4096 completion tokens"
        r"supports? (?:at most|up to|a maximum of|no more than|only) (?P<limit>\d+)",
        r"(?:only supports?|limited to|capped at|only (?:produce|write|generate)s?) (?P<limit>\d+)",
        # Anthropic: "max_tokens: 64000 > 32000, which is the maximum allowed number of output
        # tokens"
        r"\d+ > (?P<limit>\d+),? which is the maximum",
        # OpenAI: "Expected a value <= 16384, but got 32000 instead"
        r"(?:<=|less (?:than )?or equal (?:to|than)|at most|up to|cannot exceed|must not exceed|"
        r"no(?:t be|t)? (?:more|greater|larger|higher) than|not exceed|greater than|larger than|"
        r"bigger than) (?:the (?:maximum|limit) (?:of )?)?`?(?P<limit>\d+)",
        # Google: "the supported range is from 1 (inclusive) to 65537 (exclusive)"
        r"range is from \d+ \(inclusive\) to (?P<beyond>\d+) \(exclusive\)",
        # DashScope: "Range of max_tokens should be [1, 8192]"; DeepSeek: "the valid range of
        # max_tokens is [1, 8192]"
        r"(?:range|between|in|interval)\b[^.\d\[(]{0,40}[\[(]?\d+"
        r"(?:,| and| to| ?-|\.\.) ?(?P<limit>\d+)",
        # Bedrock: "The maximum tokens you requested exceeds the model limit of 4096"
        r"(?:limit|maximum|max(?:imum)? value|max|capped|ceiling)\b[^.\d]{0,40}(?:of|is|at|:|to|=)?"
        r"[^.\d]{0,4}(?P<limit>\d+)",
        r"(?:less|smaller|lower|fewer) than `?(?P<beyond>\d+)|< ?(?P<below>\d+)",
    )
)


def what_is_left(message: str, asked: int) -> int | None:
    """Of a window that the prompt and `asked` tokens do not fit in together, if it is enough
    for an answer; None where nothing of a window is said."""
    text = _plain(message)
    for pattern in WINDOWS:
        if match := pattern.search(text):
            counts = {name: int(value) for name, value in match.groupdict().items() if value}
            left = counts["window"] - counts["prompt"] - counts.get("more", 0)
            break
    else:
        left = _by_counting(text, asked)
    return left if LEAST <= left < asked and left >= min(ENOUGH, asked / 2) else None


def _by_counting(text: str, asked: int) -> int:
    """In words nobody foresaw: a window, and the prompt or prompt and answer together."""
    others = _numbers(text) - {asked}
    if not OF_A_WINDOW.search(text) or len(others) not in (2, 3):
        return 0
    if len(others) == 3 or TOGETHER.search(text):
        for total in others:
            prompt = total - asked
            windows = others - {total, prompt}
            if prompt > 0 and len(windows) == 1 and prompt < (window := windows.pop()) < total:
                return window - prompt
    prompt, window = min(others), max(others)
    fits = len(others) == 2 and str(asked) in text and prompt + asked > window
    return window - prompt if fits else 0


def longest_output(message: str, asked: int) -> int | None:
    """What the model writes at most, where the sentence is about that and less than `asked`."""
    text = _plain(message)
    if not re.search(OUTPUT, text, re.IGNORECASE):
        return None
    for pattern in LIMITS:
        for match in pattern.finditer(text):
            numbers = {name: int(value) for name, value in match.groupdict().items() if value}
            limit = numbers.get("limit") or numbers.get("beyond", numbers.get("below", 0)) - 1
            if LEAST <= limit < asked:
                return limit
    # In words nobody foresaw: the one number beside what was asked for.
    others = {number for number in _numbers(text) if number < asked}
    return others.pop() if len(others) == 1 and str(asked) in text else None


def _numbers(text: str) -> set[int]:
    """Those that stand by themselves, and not within a name."""
    digits = re.findall(r"(?<![\w.-])\d+(?![\w-]|\.\d)|(?<==)\d+(?![\w-])", text)
    return {int(number) for number in digits if int(number) >= LEAST}


def _plain(message: str) -> str:
    """8,192 and 8 192 are 8192."""
    return re.sub(r"(?<=\d)[,\u202f\u00a0](?=\d{3}(?!\d))", "", message)
