"""What servers say of the tokens and the money of a call, as tokens and money.

They agree on the names and not on what they count. Most count thoughts within the output,
as OpenAI does; some count them beside it, which the sum tells where they say how many they
were, and where they do not, only what is known of the server. A sum that nothing explains
is kept beside what was counted (`Usage.reported_total`).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from console.engine.usage import Usage

# Ends of hosts that count thoughts in the total alone, where they do not say how many they
# were, and where that is written.
THOUGHTS_IN_TOTAL_ONLY = {
    "generativelanguage.googleapis.com": "github.com/mozilla-ai/any-llm/issues/1290",
    "aiplatform.googleapis.com": "github.com/Portkey-AI/gateway/pull/1460",
    "api.x.ai": "docs.x.ai/docs/key-information/consumption-and-rate-limits",
}
# xAI tells what it charged in these: github.com/Wei-Shaw/sub2api/issues/5771
TICKS = "cost_in_usd_ticks"
TICKS_IN_A_DOLLAR = 10_000_000_000
# How gateways call the sum of a cost that they tell part by part.
TOTALS = ("total_cost", "total", "total_amount", "cost", "amount")


def usage_from(usage: dict[str, Any], host: str = "") -> Usage:
    """Counts that cannot be are unknown, so that their cost is estimated, not believed."""
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    made_of = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    given = _count(usage, "prompt_tokens", "input_tokens")
    made = _count(usage, "completion_tokens", "output_tokens")
    total = _count(usage, "total_tokens")
    cached = _count(details, "cached_tokens")
    reasoning = _count(made_of, "reasoning_tokens")
    if reasoning is None:
        reasoning = _count(usage, "reasoning_tokens")
    if given is not None and made is not None:
        made += _beside(given, made, reasoning or 0, total, host)
    return Usage(
        input_tokens=given,
        output_tokens=made,
        cached_tokens=None if cached is None else min(cached, given or 0),
        reasoning_tokens=None if reasoning is None else min(reasoning, made or 0),
        searches=_searches(usage),
        search_tokens=_count(usage, "citation_tokens"),
        reported_total=None if given is None or made is None else _odd(total, given + made),
    )


def cost_from(usage: dict[str, Any]) -> Decimal | None:
    """US dollars where a gateway reports them, as OpenRouter does; with a key of one's own at
    the provider behind it, what that one charges comes on top."""
    cost = _total(usage.get("cost"))
    if cost is None and (ticks := _count(usage, TICKS, most=TICKS_IN_A_DOLLAR * 10_000)):
        return Decimal(ticks) / TICKS_IN_A_DOLLAR
    details = usage.get("cost_details")
    if cost is not None and usage.get("is_byok") and isinstance(details, dict):
        cost += money(details.get("upstream_inference_cost")) or 0
    return cost


def money(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10_000 else None


def _beside(given: int, made: int, reasoning: int, total: int | None, host: str) -> int:
    """Output tokens that were not counted as output."""
    missing = 0 if total is None else total - given - made
    if reasoning and missing == reasoning:
        return reasoning
    if reasoning > made and total is None:
        return reasoning  # more than there was output: they cannot be a part of it
    if missing > 0 and not reasoning and host.endswith(tuple(THOUGHTS_IN_TOTAL_ONLY)):
        return missing
    return 0


def _searches(usage: dict[str, Any]) -> int | None:
    """As OpenRouter tells them, Anthropic and those who speak like it, and Perplexity."""
    for tools in ("server_tool_use_details", "server_tool_use"):
        if (number := _count(usage.get(tools), "web_search_requests")) is not None:
            return number
    return _count(usage, "num_search_queries")


def _odd(total: int | None, counted: int) -> int | None:
    return total if total and total != counted else None


def _total(cost: Any) -> Decimal | None:
    """Of a cost that is told part by part, the sum as it is told: parts that nobody knows would
    make a sum of ours too small."""
    if isinstance(cost, dict):
        return next(
            (total for name in TOTALS if (total := money(cost.get(name))) is not None), None
        )
    return money(cost)


def _count(usage: Any, *names: str, most: int = 100_000_000) -> int | None:
    for name in names:
        value = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # some know no other numbers
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < most:
            return value
    return None
