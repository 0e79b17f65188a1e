"""What of a request says whether a panel is asked, and which: OpenRouter's words and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from ..http.base import parse
from ..http.errors import ApiError
from .schemas import Asking, FusionParameters, Plugin

ALIASES = ("fusion", "openrouter/fusion")
PREFIX = "fusion/"
SERVER_TOOL = "openrouter:fusion"
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class PanelRequest:
    """`tools` are the client's own."""

    body: Asking
    plugin: Plugin | None
    tool: FusionParameters | None
    tools: list[dict[str, Any]]

    @classmethod
    def of(cls, body: Asking) -> PanelRequest:
        return cls(body, _plugin(body), *_server_tool(body))

    @property
    def is_alias(self) -> bool:
        return self.body.model in ALIASES or self.body.model.startswith(PREFIX)

    @property
    def is_switched_off(self) -> bool:
        return self.plugin is not None and not self.plugin.enabled

    @property
    def wants_fusion(self) -> bool:
        own = self.body.fusion
        wished = self.plugin or self.tool or own.panel or own.judge
        return not self.is_switched_off and (self.is_alias or bool(wished))

    @property
    def names_judge(self) -> bool:
        """A model that is asked for by its own name judges, too, unless another is to."""
        return bool(self.body.fusion.judge or self.wished.model) or not self.is_alias

    @property
    def wished(self) -> FusionParameters:
        return self.plugin or self.tool or FusionParameters.model_validate({})

    @property
    def _forces_ours(self) -> bool:
        choice = self.body.tool_choice
        return isinstance(choice, dict) and choice.get("type") == SERVER_TOOL

    @property
    def is_forced(self) -> bool:
        return self.body.tool_choice == "required" or self._forces_ours

    @property
    def may_decide(self) -> bool:
        """It is the outer model that decides whether the panel is asked."""
        return self.tool is not None and self.plugin is None and not self.is_forced

    def options(self, request: dict[str, Any]) -> dict[str, Any]:
        """What is handed on to the answering call as it is, with its tools. A choice between
        tools is one between the client's own: where there are none, the panel was meant."""
        options = dict(request.get("options", {}))
        if self.tools:
            options["tools"] = self.tools
            if self.body.tool_choice is not None and not self._forces_ours:
                options["tool_choice"] = self.body.tool_choice
        return options


def _plugin(body: Asking) -> Plugin | None:
    for number, raw in enumerate(body.plugins or ()):
        if raw.get("id") == "fusion":
            return _parse(Plugin, raw, f"plugins.{number}")
    return None


def _server_tool(body: Asking) -> tuple[FusionParameters | None, list[dict[str, Any]]]:
    """(parameters of the server tool, the client's own tools)."""
    parameters, own = None, []
    for number, raw in enumerate(body.tools or ()):
        if raw.get("type") == SERVER_TOOL:
            parameters = _parse(FusionParameters, raw.get("parameters") or {}, f"tools.{number}")
        elif not str(raw.get("type", "function")).startswith("openrouter:"):
            own.append(raw)
    return parameters, own


def _parse(schema: type[T], raw: Any, where: str) -> T:
    try:
        return parse(schema, raw)
    except ApiError as error:
        param = ".".join(filter(None, (where, error.param)))
        raise ApiError(error.code, error.message, param=param) from None
