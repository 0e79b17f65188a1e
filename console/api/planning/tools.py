"""The tools of a request: functions of the client's own, OpenRouter's panel and its search of the
web, and what cannot be served. One rule for chat completions, responses and runs.

A function may be written as chat has it or as responses have it. Programs offer tools of many
other types unasked (web search, namespaces of servers, free text): they are left out, which is
said. One that has to be called is no offer, and refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from ..http.base import parse
from ..http.errors import ApiError
from .schemas import FusionParameters

SERVER_TOOL = "openrouter:fusion"
# A fusion's seats look things up then; a single model at OpenRouter is offered them as they are.
SEARCHING = ("openrouter:web_search", "openrouter:web_fetch")
FUNCTION = "function"
SERVED = (FUNCTION, SERVER_TOOL)
Tool = dict[str, Any]
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Tools:
    """`functions` and `choice` in chat's words; `panel`: parameters of the server tool;
    `searching`: its others that are known, as they came."""

    functions: tuple[Tool, ...] = ()
    panel: FusionParameters | None = None
    choice: str | dict[str, Any] | None = None
    left_out: tuple[str, ...] = ()
    searching: tuple[Tool, ...] = ()

    @classmethod
    def of(cls, tools: list[Tool] | None, choice: str | dict[str, Any] | None) -> Tools:
        """Raises ApiError."""
        functions: list[Tool] = []
        searching: list[Tool] = []
        panel, left_out = None, set()
        for number, tool in enumerate(tools or ()):
            kind = type_of(tool)
            if kind == SERVER_TOOL:
                parameters = tool.get("parameters") or {}
                panel = parse_at(FusionParameters, parameters, f"tools.{number}")
            elif kind == FUNCTION:
                functions.append(_function(tool, number))
            elif kind in SEARCHING:
                searching.append(tool)
            else:
                left_out.add(kind if re.fullmatch(r"[\w.:-]{1,50}", kind, re.ASCII) else "other")
        whole = cls(tuple(functions), panel, choice, tuple(sorted(left_out)), tuple(searching))
        return whole._chosen(choice) if isinstance(choice, dict) else whole

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.left_out:
            return ()
        return (warning_of(self.left_out),)

    @property
    def _names(self) -> list[str]:
        return [name_of(tool) for tool in self.functions]

    def _chosen(self, choice: dict[str, Any]) -> Tools:
        kind = type_of(choice)
        if kind == SERVER_TOOL:
            return self
        if kind == "allowed_tools":
            return self._allowed(choice.get("allowed_tools") or choice)
        if kind != FUNCTION:
            message = f"A tool of the type “{kind[:50]}” cannot be chosen here."
            raise ApiError("invalid_request", message, param="tool_choice")
        name = name_of(choice)
        if name not in self._names:
            message = (
                f"tool_choice names the function “{name[:100]}”, which is not among the tools."
            )
            raise ApiError("invalid_request", message, param="tool_choice")
        chosen = {"type": FUNCTION, "function": {"name": name}}
        return replace(self, choice=chosen)

    def _allowed(self, choice: dict[str, Any]) -> Tools:
        allowed = choice.get("tools")
        names = [name_of(tool) for tool in allowed or () if isinstance(tool, dict)]
        functions = tuple(tool for tool in self.functions if name_of(tool) in names)
        return replace(self, functions=functions, choice=str(choice.get("mode") or "auto"))


def warning_of(types: Iterable[str]) -> str:
    named = ", ".join(types)
    return f"Tools of these types cannot be served here and were left out: {named}."


def type_of(tool: Tool) -> str:
    return str(tool.get("type") or FUNCTION)


def name_of(tool: Tool) -> str:
    function = tool.get(FUNCTION)
    return str((function if isinstance(function, dict) else tool).get("name") or "")


def parse_at(schema: type[T], raw: Any, where: str) -> T:
    """As `parse`; what is wrong is named by where it stands in the request."""
    try:
        return parse(schema, raw)
    except ApiError as error:
        param = ".".join(filter(None, (where, error.param)))
        raise ApiError(error.code, error.message, param=param) from None


def _function(tool: Tool, number: int) -> Tool:
    if not name_of(tool):
        param = f"tools.{number}.function.name"
        raise ApiError("invalid_request", "A function has a name.", param=param)
    if isinstance(tool.get(FUNCTION), dict):
        return {"type": FUNCTION} | tool
    flat = {name: value for name, value in tool.items() if name != "type" and value is not None}
    return {"type": FUNCTION, "function": flat}
