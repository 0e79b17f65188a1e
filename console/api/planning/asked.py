"""What of a request says whether a panel is asked, and which: OpenRouter's words and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from .schemas import Asking, FusionParameters, Plugin
from .tools import SERVER_TOOL, Tool, Tools, parse_at

# Its panel is the quickest that was seen here; of the others it is the default preset's.
FLASH = "openrouter/fusion-flash"
ALIASES = ("fusion", "openrouter/fusion", FLASH)
PREFIX = "fusion/"


@dataclass(frozen=True)
class PanelRequest:
    body: Asking
    plugin: Plugin | None
    offered: Tools
    # Whose own presets may be named.
    person: User | None = None
    # The preset of who asks, where they have one: it is asked where the request says none.
    usual: str = ""

    @classmethod
    def of(cls, body: Asking, person: User | None = None, usual: str = "") -> PanelRequest:
        tools = Tools.of(body.tools, body.tool_choice)
        return cls(body, _plugin(body), tools, person, usual)

    @property
    def tool(self) -> FusionParameters | None:
        return self.offered.panel

    @property
    def tools(self) -> list[Tool]:
        """The client's own."""
        return list(self.offered.functions)

    @property
    def choice(self) -> str | dict[str, Any] | None:
        return self.offered.choice

    @property
    def is_alias(self) -> bool:
        return self.body.model in ALIASES or self.body.model.startswith(PREFIX)

    @property
    def is_switched_off(self) -> bool:
        return self.plugin is not None and not self.plugin.enabled

    @property
    def wants_fusion(self) -> bool:
        own = self.body.fusion
        wished = self.plugin or self.tool or own.panel or own.judge or own.answers
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
        return isinstance(self.choice, dict) and self.choice.get("type") == SERVER_TOOL

    @property
    def is_forced(self) -> bool:
        return self.choice == "required" or self._forces_ours

    @property
    def may_decide(self) -> bool:
        """It is the outer model that decides whether the panel is asked. Whoever brings answers
        has decided that they are compared."""
        offered = self.tool is not None and self.plugin is None and not self.is_forced
        return offered and not self.body.fusion.answers

    def options(self, request: dict[str, Any]) -> dict[str, Any]:
        """What is handed on to the answering call as it is, with its tools. A choice between
        tools is one between the client's own: where there are none, the panel was meant."""
        options = dict(request.get("options", {}))
        if not self.tools:
            options.pop("parallel_tool_calls", None)  # means nothing then, and servers refuse it
            return options
        options["tools"] = self.tools
        if self.choice is not None and not self._forces_ours:
            options["tool_choice"] = self.choice
        return options


def _plugin(body: Asking) -> Plugin | None:
    for number, raw in enumerate(body.plugins or ()):
        if raw.get("id") == "fusion":
            return parse_at(Plugin, raw, f"plugins.{number}")
    return None
