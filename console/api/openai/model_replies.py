"""What is answered about models: sent, and told in /v1/openapi.json, as `replies` says."""

from __future__ import annotations

from typing import Literal

from ..http.replies import Reply


class Architecture(Reply):
    input_modalities: list[str]
    output_modalities: list[str]
    modality: str


class Member(Reply):
    model: str
    context_length: int | None
    pricing: dict[str, str] | None


class Panel(Reply):
    """Null: words stand in, for a model that is too small."""

    panel: list[Member]
    judge: Member | None
    synthesizer: Member | None


class Links(Reply):
    details: str


class TopProvider(Reply):
    context_length: int | None
    max_completion_tokens: int | None
    is_moderated: bool


class Model(Reply):
    """Prices are US dollars per token; -1 varies, null is not known."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str
    context_length: int | None
    architecture: Architecture
    canonical_slug: str
    supported_parameters: list[str]
    default_parameters: None
    per_request_limits: None
    supported_voices: None
    top_provider: TopProvider
    links: Links
    description: str | None = None
    pricing: dict[str, str] | None
    fusion: Panel | None = None


class Pages(Reply):
    next: None


class ModelList(Reply):
    """The whole list."""

    object: Literal["list"]
    data: list[Model]
    total_count: int
    links: Pages
