"""`/v1/openapi.json`, and `/v1/docs` for people who read it. Both are open to everybody."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from ..site.public_url import public_url
from .http.db import db
from .openapi import REF, openapi

METHODS = ("get", "post", "patch", "delete")


async def openapi_json(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse(openapi(public_url(request=request)))


async def docs(request: HttpRequest) -> HttpResponseBase:
    return await db(_page, request)


def _page(request: HttpRequest) -> HttpResponse:
    server = public_url(request=request)
    document = openapi(server)
    schemas = document["components"]["schemas"]
    context = {
        "server": server,
        "operations": [
            _shown(server, path, method, item[method], item.get("parameters", []))
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        ],
        "schemas": [
            {"name": name, "says": schema.get("description", ""), "fields": _fields(schema)}
            for name, schema in schemas.items()
            if schema.get("properties")
        ],
    }
    return render(request, "console/api/docs.html", context)


def _shown(
    server: str, path: str, method: str, op: dict[str, Any], given: list[dict[str, Any]]
) -> dict[str, Any]:
    body = op.get("requestBody", {}).get("content", {}).get("application/json", {})
    responses = [
        {
            "status": status,
            "says": response["description"],
            "type": " or ".join(
                kind if kind == "text/event-stream" else _type(content["schema"])
                for kind, content in response["content"].items()
            ),
        }
        for status, response in op["responses"].items()
    ]
    return {
        "id": op["operationId"],
        "method": method.upper(),
        "path": path,
        "says": op["summary"],
        "needs": op["description"].replace("`", ""),
        "parameters": [p | {"type": _type(p["schema"])} for p in [*given, *op["parameters"]]],
        "body": _type(body["schema"]) if body else "",
        "responses": responses,
        "curl": _curl(f"{server}{path}", method, body.get("example")),
    }


def _curl(url: str, method: str, example: dict[str, Any] | None) -> str:
    lines = [f'curl "{url}"', '-H "Authorization: Bearer $FUSION_TOKEN"']
    if example is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(example)}'"]
    elif method != "get":
        lines.insert(1, f"-X {method.upper()}")
    return " \\\n  ".join(lines)


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "type": _type(field), "is_required": name in required}
        for name, field in schema["properties"].items()
    ]


def _type(schema: dict[str, Any]) -> str:
    """In a few words: what kind of value, and its bounds."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF.format(model=""))
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    kind = str(schema.get("format") or schema.get("type", "anything"))
    if kind == "array":
        kind = f"list of {_type(schema.get('items', {}))}"
    low = schema.get("minimum", schema.get("minLength", schema.get("minItems")))
    high = schema.get("maximum", schema.get("maxLength", schema.get("maxItems")))
    if low is None and high is None:
        return kind
    bounds = f"{'' if low is None else low}…{'' if high is None else high}"
    return f"{kind} ({bounds})"
