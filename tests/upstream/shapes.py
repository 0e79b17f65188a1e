"""OpenAI's shapes, and JSON made up to fit a JSON Schema."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

ASKS_FOR_JSON = re.compile(r"\b(return|respond|answer|reply|output|write)\b[^.\n]*\bJSON\b", re.I)
ANALYSIS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "consensus": {"type": "array", "items": {"type": "string"}},
        "contradictions": {"type": "array", "maxItems": 0},
        "partial_coverage": {"type": "array", "maxItems": 0},
        "unique_insights": {"type": "array", "maxItems": 0},
        "blind_spots": {"type": "array", "items": {"type": "string"}},
    },
}


def wanted_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The schema a request wants its answer in; None when it wants text."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        schema: dict[str, Any] = wanted.get("json_schema", {}).get("schema") or {}
        return schema
    format = (body.get("output_config") or {}).get("format") or {}  # Anthropic's
    if format:
        closed: dict[str, Any] = format.get("schema") or {}
        return closed
    systems = [m.get("content") for m in body.get("messages", []) if m.get("role") == "system"]
    asked = any(ASKS_FOR_JSON.search(str(said)) for said in [*systems, body.get("system")])
    return ANALYSIS_SCHEMA if asked or wanted.get("type") == "json_object" else None


def fill(schema: dict[str, Any]) -> str:
    """JSON that fits: every property, as many items as demanded (one otherwise), enums in turn."""
    turn = itertools.count(1)

    def value(s: dict[str, Any]) -> Any:
        if "$ref" in s:
            target: Any = schema
            for part in s["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return value(target)
        if "const" in s:
            return s["const"]
        if "enum" in s:
            return s["enum"][next(turn) % len(s["enum"])]
        for union in ("anyOf", "oneOf", "allOf"):
            if s.get(union):
                return value(s[union][0])
        kind = s.get("type", "object" if "properties" in s else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return {name: value(sub) for name, sub in s.get("properties", {}).items()}
        if kind == "array":
            return array(s)
        if kind == "string":
            text = f"Scripted point {next(turn)}."
            text += " More of it." * (max(0, s.get("minLength", 0) - len(text)) // 12 + 1)
            return text[: s.get("maxLength", max(s.get("minLength", 0), 60))]
        return {"boolean": True, "null": None}.get(kind, s.get("minimum", 1))

    def array(s: dict[str, Any]) -> list[Any]:
        count = max(s.get("minItems", 0), min(1, s.get("maxItems", 1)))
        return [value(s.get("items", {})) for _ in range(count)]

    return json.dumps(value(schema), ensure_ascii=False)


def error(status: int, message: str) -> dict[str, Any]:
    kinds = {
        401: "authentication_error",
        402: "insufficient_credits",
        404: "model_not_found",
        429: "rate_limit_exceeded",
    }
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


def usage(body: dict[str, Any], deltas: int, cost: float | None) -> dict[str, Any]:
    words = sum(len(str(m.get("content", "")).split()) for m in body.get("messages", []))
    counted = {
        "prompt_tokens": words,
        "completion_tokens": deltas,
        "total_tokens": words + deltas,
    }
    return counted if cost is None else counted | {"cost": cost}


def last_prompt(body: dict[str, Any]) -> str:
    users = [m for m in body.get("messages", []) if m.get("role") == "user"]
    content = users[-1].get("content", "") if users else ""
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content)
    return str(content)
