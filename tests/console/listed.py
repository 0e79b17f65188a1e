"""Keys of a site and the lists that their servers answer with (tests/data/lists)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

LISTS = Path(__file__).parents[1] / "data" / "lists"
# Key -> the credential's kind and address; a list of its name in tests/data/lists.
KEYS = {
    "openrouter": ("openrouter", "https://openrouter.ai/api/v1"),
    "anthropic": ("anthropic", "https://api.anthropic.com/v1"),
    "openai": ("openai_compatible", "https://api.openai.com/v1"),
    "google": ("openai_compatible", "https://generativelanguage.googleapis.com/v1beta/openai"),
    "groq": ("openai_compatible", "https://api.groq.com/openai/v1"),
    "xai": ("openai_compatible", "https://api.x.ai/v1"),
    "mistral": ("openai_compatible", "https://api.mistral.ai/v1"),
    "deepseek": ("openai_compatible", "https://api.deepseek.com/v1"),
    "moonshot": ("openai_compatible", "https://api.moonshot.ai/v1"),
    "ollama": ("openai_compatible", "http://127.0.0.1:11434/v1"),
    "large-ollama": ("openai_compatible", "http://127.0.0.1:11435/v1"),
}
Lists = dict[str, str]
Have = Callable[..., None]
