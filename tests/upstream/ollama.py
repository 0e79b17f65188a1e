"""Lists of models as servers on people's machines write them, scripted by path.

with Ollama(SIZES) as ollama: ...        # what Ollama says at /v1/models, /api/tags, /api/version
up.script("/v1/models", llama_cpp("gemma-3-12b"))
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .script import Script
from .server import Upstream


def listed(*names: str, owned_by: str = "", **more: Any) -> Script:
    """A list in OpenAI's form."""
    owner = {"owned_by": owned_by} if owned_by else {}
    rows = [{"id": name, "object": "model", **owner, **more} for name in names]
    return Script(body=json.dumps({"object": "list", "data": rows}))


def llama_cpp(*names: str, n_params: int = 0) -> Script:
    meta = {"vocab_type": 2, "n_ctx_train": 8192, "n_params": n_params, "size": n_params // 2}
    return listed(*names, owned_by="llamacpp", meta=meta)


def tag(name: str, size: str, **more: Any) -> dict[str, Any]:
    """A row of /api/tags; `size` as in 12.2B."""
    details = {
        "format": "gguf",
        "family": "llama",
        "families": ["llama"],
        "parameter_size": size,
        "quantization_level": "Q4_K_M",
    }
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-11-01T10:00:00Z",
        "size": 4_000_000_000,
        "digest": hashlib.sha256(name.encode()).hexdigest(),
        "details": details | more.pop("details", {}),
        **more,
    }


def tags(*rows: dict[str, Any]) -> Script:
    return Script(body=json.dumps({"models": rows}))


class Ollama(Upstream):
    """Its models by name, with their sizes; any of them answers as the upstream does."""

    def __init__(self, models: Mapping[str, str], **more: Any) -> None:
        super().__init__(strict=True, **more)
        self.script("/v1/models", listed(*models, owned_by="library"))
        self.script("/api/tags", tags(*(tag(name, size) for name, size in models.items())))
        self.script("/api/version", Script(body=json.dumps({"version": "0.13.0"})))
        for name in models:
            self.script(name, Script(text=f"{name} says: it **holds**."))
