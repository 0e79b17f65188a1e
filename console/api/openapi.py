"""The API in OpenAPI 3.1, made from the models that requests are read with."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .http.operations import Operation, operation_of
from .http.replies import ErrorReply
from .routes import ROUTES, Route

REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?P<kind>\w+):(?P<name>\w+)>")
_REQUEST_ID = {"x-request-id": {"required": True, "schema": {"type": "string"}}}
# Of every event of a stream; `data` is JSON, or [DONE].
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}
_STATUSES = {
    400: "The request does not have the required form, or asks for what cannot be.",
    401: "The token is missing, unknown, expired or revoked.",
    402: "A budget of the token, its owner, the site or the request is used up.",
    403: "The token's scopes do not allow this.",
    404: "There is no such thing, or it is not for you.",
    409: "The run is under way.",
    413: "The body, or what it asks, is too large.",
    422: "The Idempotency-Key was used with another request.",
    424: "The run failed. Nothing repeats this.",
    429: "Too many requests, or too many runs at once. See Retry-After.",
    503: "Fusion is not ready. Try again in a moment.",
}


def openapi(server: str) -> dict[str, Any]:
    """`server` is where /v1 is, without it."""
    return {"servers": [{"url": server}]} | _document()


@cache
def _document() -> dict[str, Any]:
    operations = [operation_of(view) for route in ROUTES for view in route.views.values()]
    bodies = {op.body for op in operations} | {op.query for op in operations}
    replies = {op.reply for op in operations} | {ErrorReply}
    replies |= {event for op in operations for event in op.events}
    schemas = _schemas(bodies, replies)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fusion",
            "version": "1",
            "description": "One prompt to a panel of language models, one fused answer.",
        },
        "security": [{"token": []}],
        "paths": {_path(route): _path_item(route, schemas) for route in ROUTES},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _schemas(
    bodies: set[type[BaseModel] | None], replies: set[type[BaseModel] | None]
) -> dict[str, Any]:
    given = [(m, "validation") for m in bodies if m] + [(m, "serialization") for m in replies if m]
    given.sort(key=lambda each: each[0].__name__)
    _, definitions = models_json_schema(given, ref_template=REF)  # type: ignore[arg-type]
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _path(route: Route) -> str:
    return "/v1/" + _PARAMETER.sub(r"{\g<name>}", route.path)


def _path_item(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    given = [_path_parameter(**match.groupdict()) for match in _PARAMETER.finditer(route.path)]
    item: dict[str, Any] = {"parameters": given} if given else {}
    for method, view in route.views.items():
        item[method.lower()] = _operation(method, route, operation_of(view), schemas)
    return item


def _path_parameter(kind: str, name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _operation(method: str, route: Route, op: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{route.name.removeprefix('api-').replace('-', '_')}",
        "summary": op.says,
        "description": f"Needs the scope `{op.scope}`.",
        "parameters": [*_query(op, schemas), *_headers(op)],
        "responses": {str(op.status): _answer(op)}
        | {str(status): _refusal(status) for status in _fails(route, op)},
    }
    if op.body:
        content: dict[str, Any] = {"schema": _ref(op.body)}
        if op.example:
            content["example"] = op.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _query(op: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if op.query is None:
        return []
    fields = schemas.pop(op.query.__name__)["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in fields.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address there is no null: what is not given is left out."""
    given = [s for s in schema.get("anyOf", []) if s != {"type": "null"}]
    if len(given) != 1:
        return schema
    rest: dict[str, Any] = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    return {**given[0], **rest}


def _headers(op: Operation) -> list[dict[str, Any]]:
    headers = []
    if op.spending:
        headers.append(("Idempotency-Key", "The same key again is the same run."))
    if op.streams == "always":
        headers.append(("Last-Event-ID", "Continue behind this event."))
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string", "maxLength": 200},
        }
        for name, description in headers
    ]


def _answer(op: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if op.reply and op.streams != "always":
        content["application/json"] = {"schema": _ref(op.reply)}
    if op.streams != "never":
        content["text/event-stream"] = {"schema": _event(op)}
    content |= {kind: {"schema": {}} for kind in op.files}
    return {"description": "Done.", "headers": _REQUEST_ID, "content": content}


def _event(op: Operation) -> dict[str, Any]:
    if not op.events:
        return _EVENT
    chunk = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"anyOf": [_ref(event) for event in op.events]},
    }
    # OpenAI's streams end with a word that is no JSON.
    data = {"anyOf": [chunk, {"const": "[DONE]"}]}
    return _EVENT | {"properties": _EVENT["properties"] | {"data": data}}


def _fails(route: Route, op: Operation) -> list[int]:
    statuses = {400, 401, 403, 429, *op.fails}
    if "<" in route.path or op.spending:
        statuses.add(404)
    if op.body:
        statuses.add(413)
    if op.spending:
        statuses |= {402, 422, 503}
    return sorted(statuses)


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _STATUSES[status],
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": _ref(ErrorReply)}},
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}
