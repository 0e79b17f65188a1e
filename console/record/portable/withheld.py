"""What a document leaves out for a reader who is not shown it, so that what is left is still a
run that can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...engine.pool import Pool, lookups, searches
from ...engine.provider import Message
from ...engine.state import CallState, FusionState, Step
from ...engine.usage import Usage
from ...models import Run
from ...models.shown import Shown
from ..asked import Asked, Forgotten, asked

# Of a panelist: who it is, and what the head of its column says.
_OPEN = frozenset({
    "v", "model", "label", "temperature", "max_output_tokens", "limit_is_chosen", "seed",
    "reasoning_effort", "context_length", "reasons", "judges", "is_small", "terms", "brought_by",
})  # fmt: skip
_NOT_SHOWN = "(not shown)"
_LOCAL = "local"  # of the built-in model, which every page names


def spec_for(spec: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """As a page shows it: who was asked, by which criteria, how long it waited."""
    made = spec | {"panel": [panelist_for(one, shown) for one in spec.get("panel", ())]}
    if shown.inner and shown.costs:
        return made
    for name in ("judge", "synthesizer"):
        made[name] = panelist_for(spec.get(name), shown)
    if not shown.inner:
        made["request"] = {}
        made["prompts"] = dict.fromkeys(spec.get("prompts", ()), "")
        made |= _promises(spec)
    return made


def _promises(asked_of: dict[str, Any]) -> dict[str, Any]:
    """What is kept is said at the head of a column; preferences among servers are not."""
    terms = asked_of.get("terms")
    return {"terms": terms | {"routing": {}, "beside": {}}} if terms else {}


def panelist_for(panelist: dict[str, Any] | None, shown: Shown) -> dict[str, Any] | None:
    """Who brought an answer along stays where they are, like everybody."""
    if not panelist:
        return panelist
    made = dict(panelist)
    if "brought_by" in made:
        made["brought_by"] = ""
    if not shown.costs:
        made.pop("price", None)
    if not shown.inner:
        made = {name: value for name, value in made.items() if name in _OPEN}
        made["credential"] = _LOCAL if panelist.get("credential") == _LOCAL else ""
        made |= _promises(panelist)
        if panelist.get("system_prompt"):
            made["system_prompt"] = _NOT_SHOWN  # that there is one, the head of its column says
    if fallback := panelist_for(panelist.get("fallback"), shown):
        made["fallback"] = fallback
    return made


def call_for(call: CallState, shown: Shown) -> CallState:
    made = replace(call, panelist=panelist_for(call.panelist, shown) or {})
    if not shown.costs:
        made.cost, made.cost_source = None, ""
        if call.step is not Step.PANEL:
            made.usage = Usage()  # it stands in the receipt alone
    if not shown.inner:
        made.generation_id = made.taken_from = ""
    return made


def research_for(pool: Pool, shown: Shown) -> Pool:
    pool = {name: one for name, one in pool.items() if name != "wanted"}  # nobody reads it there
    if looks := lookups(pool):
        pool["lookups"] = [{k: v for k, v in one.items() if k != "token"} for one in looks]
    if shown.costs or not any("cost" in search for search in searches(pool)):
        return pool
    free = [{k: v for k, v in one.items() if k != "cost"} for one in searches(pool)]
    return pool | {"searches": free}


def fusion_for(fusion: FusionState, shown: Shown) -> FusionState:
    judge, writer = (panelist_for(one, shown) or {} for one in (fusion.judge, fusion.synthesizer))
    made = replace(fusion, judge=judge, synthesizer=writer)
    if not shown.notes:
        made.wish = _without_notes(fusion.wish)
    if not shown.inner and fusion.turn:
        made.turn = fusion.turn | {"messages": []}
        made.turn.pop("request", None)
    return made


def _without_notes(wish: dict[str, Any]) -> dict[str, Any]:
    made = {name: one for name, one in wish.items() if name not in ("facts", "instruction")}
    if "rulings" in wish:
        rulings = [{k: v for k, v in one.items() if k != "note"} for one in wish["rulings"]]
        made["rulings"] = [one for one in rulings if "verdict" in one]
    return made


def asked_for(run: Run, shown: Shown, *, before_is_there: bool) -> dict[str, Any]:
    """Its messages. Those of a run whose earlier one stands beside it are built from that."""
    if before_is_there and run.follows_calls is not None:
        return {"messages": [], "histories": {}, "follows_calls": run.follows_calls}
    conversation = Asked([{"role": "user", "content": run.prompt}])
    if shown.earlier:
        try:
            conversation = asked(run)
        except (Forgotten, Run.DoesNotExist):
            pass  # nobody knows it any more
    histories: dict[str, list[Message]] = {
        str(seat): own for seat, own in conversation.histories.items()
    }
    return {"messages": conversation.messages, "histories": histories, "follows_calls": None}
