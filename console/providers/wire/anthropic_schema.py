"""A JSON Schema in the words that Anthropic's structured outputs know.

Of limits it knows hardly any: they are said in the description, where a model reads them, and
whoever asked looks at what came back. Objects are closed.
https://platform.claude.com/docs/en/build-with-claude/structured-outputs
"""

from __future__ import annotations

import json
from typing import Any

KEPT = ("type", "enum", "const", "required", "title", "$ref")
FORMATS = {
    *("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6"),
    "uuid",
}
MAPS = ("properties", "$defs", "definitions")  # name -> schema
UNIONS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
SILENT = ("description", "additionalProperties", "$schema", "$id", "strict", "default")
DEEPEST = 100


def with_its_words(schema: Any, depth: int = 0) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return schema
    known: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for name, value in schema.items():
        if name in MAPS and isinstance(value, dict):
            known[name] = {key: with_its_words(one, depth + 1) for key, one in value.items()}
        elif name == "items":
            known[name] = with_its_words(value, depth + 1)
        elif name in UNIONS and isinstance(value, list):
            known[UNIONS[name]] = [with_its_words(one, depth + 1) for one in value]
        elif name in KEPT or _is_known(name, value):
            known[name] = value
        elif name not in SILENT:
            beside[name] = value
    words = [schema["description"]] if isinstance(schema.get("description"), str) else []
    if beside:
        limits = (f"{name}: {json.dumps(value)}" for name, value in beside.items())
        words.append(f"({', '.join(limits)})")
    if words:
        known["description"] = " ".join(words)
    if known.get("type") == "object":
        known["additionalProperties"] = False
    return known


def _is_known(name: str, value: Any) -> bool:
    if name == "format":
        return value in FORMATS
    return name == "minItems" and value in (0, 1)
