"""What replies of several endpoints have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class Error(Reply):
    message: str
    type: str
    param: str | None
    code: str
    metadata: dict[str, Any] | None = None


class ErrorReply(Reply):
    error: Error


class CachedTokens(Reply):
    cached_tokens: int


class ReasoningTokens(Reply):
    reasoning_tokens: int


class Usage(Reply):
    """Summed over all calls. A cost that nobody knows is null."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens
    cost: float | None
    cost_is_partial: bool


class Stance(Reply):
    model: str
    stance: str


class Contradiction(Reply):
    topic: str
    stances: list[Stance]


class Coverage(Reply):
    models: list[str]
    point: str


class Insight(Reply):
    model: str
    insight: str


class Analysis(Reply):
    """In OpenRouter's shape."""

    consensus: list[str]
    contradictions: list[Contradiction]
    partial_coverage: list[Coverage]
    unique_insights: list[Insight]
    blind_spots: list[str]
