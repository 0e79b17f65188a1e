"""What is asked of a seat beyond the usual, in a few words."""

from __future__ import annotations

from ..engine.spec import Panelist


def options(panelist: Panelist) -> list[str]:
    said = []
    if panelist.temperature is not None:
        said.append(f"temperature {panelist.temperature:g}")
    if panelist.reasoning_effort:
        said.append(f"reasoning effort {panelist.reasoning_effort}")
    if panelist.has_own_limit:
        said.append(f"at most {panelist.max_output_tokens:,} tokens")
    if panelist.system_prompt:
        said.append("own system prompt")
    if panelist.fallback:
        said.append(f"fallback {panelist.fallback.short_name}")
    return said
