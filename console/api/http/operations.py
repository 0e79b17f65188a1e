"""What each endpoint takes and answers, noted where it is declared: /v1/openapi.json tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from ...models.tokens import Scope


@dataclass(frozen=True)
class Operation:
    """`streams`: never, when the body asks for it, or always. `fails`: further statuses.

    `query`, `reply` and `events` are models, these of a stream's data; `example` is a body that
    can be sent as it is; `files` are the kinds of file that it answers with.
    """

    scope: Scope
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    reply: type[BaseModel] | None = None
    events: tuple[type[BaseModel], ...] = ()
    files: tuple[str, ...] = ()
    status: int = 200
    streams: Literal["never", "asked", "always"] = "never"
    spending: bool = False
    fails: tuple[int, ...] = ()
    example: dict[str, Any] | None = None
    says: str = ""


_known: dict[Callable[..., Any], Operation] = {}


def describe(view: Callable[..., Any], operation: Operation) -> None:
    _known[view] = operation


def operation_of(view: Callable[..., Any]) -> Operation:
    return _known[view]
