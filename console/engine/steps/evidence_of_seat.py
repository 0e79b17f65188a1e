"""How a seat comes by what is looked up for it: with tools of ours, by a search of its provider's
own, or from what was looked up for everybody, which those get who have neither."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ..calls.context import Context
from ..errors import ProviderError, Reason
from ..provider import Finish, Message, Request, WebSearch
from ..spec import Panelist, Way
from .gathering import Gathering
from .given_sources import with_cited, with_sources
from .own_tools import OwnTools
from .research import look_up_for_all

SHARED = "shared"  # in the trail: what a seat got instead of a way of its own
# In words that name no model, for who is not shown which it is.
NO_TOOLS = "It cannot be given tools to search with: it has what was looked up for it beforehand."
NO_SEARCH = "Its provider does not search: it has what was looked up for it beforehand."
NO_END = "The model went on asking for tools after {turns} turns, and gave no answer."
LEFT = "It was still looking things up when the answers of the others were taken."
# "does not support tools", "No endpoints found that support tool use", "functions are not …"
_OF_TOOLS = re.compile(r"\btool|\bfunction", re.I)
_OF_SEARCH = re.compile(r"\btool|\bsearch|\bplugin", re.I)
_REFUSALS = (Reason.BAD_REQUEST, Reason.UPSTREAM_ERROR, Reason.INVALID_MODEL)


@dataclass
class Evidence:
    context: Context
    gathering: Gathering | None
    panelist: Panelist
    way: Way
    tools: OwnTools | None = None

    @classmethod
    async def of(
        cls,
        context: Context,
        gathering: Gathering | None,
        seat: int,
        key: str,
        panelist: Panelist,
    ) -> Evidence:
        wish = context.spec.research
        if gathering is None or wish is None or wish.is_for_all:
            return cls(context, gathering, panelist, "shared")
        if wish.way == "own" and _can_call_tools(context, gathering, panelist):
            tools = OwnTools(context, gathering, wish, seat, key)
            return cls(context, gathering, panelist, "own", tools)
        is_refused = ("provider", panelist.credential, panelist.model) in gathering.refused
        if wish.way == "provider" and panelist.searches and not is_refused:
            return cls(context, gathering, panelist, "provider")
        await look_up_for_all(context, gathering)
        context.library = await gathering.library()
        why = NO_TOOLS if wish.way == "own" else NO_SEARCH
        step: dict[str, Any] = {"call": key, "place": 0, "tool": SHARED, "asked": ""}
        step |= {"at": round(context.clock(), 3), "failure": why}
        await gathering.keep_steps([step])
        return cls(context, gathering, panelist, "shared")

    async def messages(self, asked: list[Message]) -> list[Message]:
        match self.way:
            case "own":
                assert self.tools
                asked = _with_instructions(asked, self.tools.instructions())
                return await self.tools.conversation(self.panelist, asked)
            case "provider":
                return asked
        return with_sources(self.context, self.panelist, asked)

    def request(self, request: Request) -> Request:
        wish = self.context.spec.research
        if self.way == "own" and self.tools:
            return replace(request, options=request.options | self.tools.options)
        if self.way == "provider" and wish:
            return replace(request, search=WebSearch(wish.queries, wish.pages))
        return request

    @property
    def may_go_on(self) -> bool:
        return self.tools is not None

    def failed(self, error: ProviderError) -> None:
        """A server that knows no tools, or does not search, says so before its first word: it is
        asked without."""
        named = {"own": _OF_TOOLS, "provider": _OF_SEARCH}.get(self.way)
        if named and self.gathering and error.reason in _REFUSALS and named.search(error.message):
            self.gathering.refused.add((self.way, self.panelist.credential, self.panelist.model))
            error.adapted = True

    async def ended(
        self, text: str, finish: Finish, *, is_waited_for: bool
    ) -> tuple[Finish, ProviderError | None]:
        """(its receipt, why it is no answer nonetheless). With calls of tools it goes on."""
        library = None
        if self.tools and self.gathering:
            if finish.tool_calls and finish.finish_reason != "content_filter":
                if not self.tools.is_last:
                    error = None if is_waited_for else ProviderError(Reason.CUT_OFF, LEFT)
                    return replace(finish, goes_on={"back": finish.goes_on}), error
                if not text.strip():
                    assert self.context.spec.research
                    why = NO_END.format(turns=self.context.spec.research.turns)
                    return replace(finish, goes_on={}), ProviderError(Reason.EMPTY, why)
            finish = replace(finish, goes_on={}, tool_calls=())
            library = await self.gathering.citable()
        return with_cited(self.context, text, finish, library), None


def _can_call_tools(context: Context, gathering: Gathering, who: Panelist) -> bool:
    """A program's own tools, or the form that it wants, are not mixed with ours."""
    is_refused = ("own", who.credential, who.model) in gathering.refused
    is_able = who.takes_tools is not False and who.can_judge and not who.is_small
    options = context.spec.request.get("options", {})
    is_asked_else = bool({"tools", "response_format"} & options.keys()) or who.response_schema
    is_the_answer = context.spec.stop_after == "panel"
    return is_able and not is_refused and not (is_asked_else and is_the_answer)


def _with_instructions(asked: list[Message], instructions: str) -> list[Message]:
    if asked and asked[0]["role"] == "system":
        first = asked[0]
        said = first["content"]
        joined = (
            f"{said}\n\n{instructions}"
            if isinstance(said, str)
            else [*said, {"type": "text", "text": instructions}]
        )
        return [first | {"content": joined}, *asked[1:]]
    return [{"role": "system", "content": instructions}, *asked]
