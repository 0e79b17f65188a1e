"""What is asked of a seat beyond the usual, in a few words."""

from __future__ import annotations

from ..engine.spec import Panelist


def options(panelist: Panelist) -> list[str]:
    words = []
    if panelist.temperature is not None:
        words.append(f"temperature {panelist.temperature:g}")
    if panelist.reasoning_effort:
        words.append(f"reasoning effort {panelist.reasoning_effort}")
    if panelist.has_own_limit:
        words.append(f"at most {panelist.max_output_tokens:,} tokens")
    if panelist.system_prompt:
        words.append("own system prompt")
    if panelist.fallback:
        words.append(f"fallback {panelist.fallback.short_name}")
    return words + panelist.terms.words
