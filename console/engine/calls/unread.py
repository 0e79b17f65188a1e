"""Whether a server can have read all that it was sent.

Some cut a prompt to their window without a word (Ollama to `num_ctx`, some gateways to what
is left), and answer what was left of it; nothing but the number of prompt tokens that they
report tells. No tokeniser makes fewer tokens than there are words, since none reaches over
a blank, and none that is in use makes seven characters into one of running text. A report
below that is of less than was sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..content import text_of
from ..provider import Message
from ..usage import Usage
from .window import tokens_in

LEAST = 1_000  # tokens: what is shorter fits anywhere
PLAUSIBLE = 4.5  # characters a token; nobody looks closer at a report of so many
MOST = 7.0  # characters a token, where no character stands three times running
TOLERANCE = 0.9  # of the number of words
SAMPLE = 100_000  # characters that are looked at, from the beginning

_WORD = re.compile(r"\w+")
_RUN = re.compile(r"(\S)\1{2,}|\s{2,}")  # tokenisers make one token of many of these


def with_sent(usage: Usage, messages: Sequence[Message]) -> Usage:
    """With `sent_tokens`, where the server reports so few that it cannot have read all."""
    counted = (usage.input_tokens or 0) + (usage.cached_tokens or 0)
    if usage.input_tokens is None:
        return usage
    texts = [text_of(message.get("content")) for message in messages]
    length = sum(map(len, texts))
    if length < LEAST * PLAUSIBLE or length <= counted * PLAUSIBLE:
        return usage
    sample = "\n".join(texts)[:SAMPLE]
    scale = length / len(sample)
    words = sum(1 for _ in _WORD.finditer(sample)) * scale
    solid = len(_RUN.sub(" ", sample)) * scale
    if counted >= words * TOLERANCE and counted * MOST >= solid:
        return usage
    return replace(usage, sent_tokens=max(sum(map(tokens_in, texts)), round(words)))
