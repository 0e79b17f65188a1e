"""OpenRouter: OpenAI's format, with what it adds to it.

It reports the cost of each call, the concrete model behind an alias and who
served it, takes `reasoning` instead of `reasoning_effort`, and asks
applications to name themselves.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

from console.engine.errors import ProviderError
from console.engine.provider import Finish, Provider, Request
from console.engine.terms import Terms

from . import kinds, listing
from .listing import CredentialTest, ModelInfo, get_json, try_out
from .openai_compatible import OpenAICompatible
from .secret import Secret
from .traits import Traits
from .wire.answer import AnswerReader
from .wire.usage import money

BASE_URL = kinds.OPENROUTER.servers[0].address
ATTRIBUTION = {"HTTP-Referer": "http://localhost", "X-OpenRouter-Title": "Fusion"}


class OpenRouter(OpenAICompatible):
    def body(self, request: Request) -> dict[str, Any]:
        body = super().body(request)
        if effort := body.pop("reasoning_effort", None):
            body["reasoning"] = {"effort": effort}
        if provider := preferences(request.terms):
            body["provider"] = provider
        beside = dict(request.terms.beside)
        if request.search and "plugins" not in beside:
            # https://openrouter.ai/docs/features/web-search
            beside["plugins"] = [{"id": "web", "max_results": request.search.pages}]
        return body | beside

    def finish(self, answer: AnswerReader, response: httpx.Response) -> Finish:
        finish = answer.finish()
        header = response.headers.get("x-generation-id", "")[:200]
        return replace(finish, generation_id=finish.generation_id or header)


def preferences(terms: Terms) -> dict[str, Any]:
    """The `provider` of a request: whom it may go to, and on what terms."""
    asked: dict[str, Any] = {
        "zdr": terms.zero_retention or None,
        "data_collection": "deny" if terms.no_training else None,
        "only": list(terms.only_providers) or None,
        "ignore": list(terms.ignored_providers) or None,
        "max_price": dict(terms.max_price) or None,
        "enforce_distillable_text": terms.distillable or None,
    }
    promised = {name: value for name, value in asked.items() if value is not None}
    return {**terms.routing, **promised}


def make(
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    traits: Traits | None = None,
) -> Provider:
    url = base_url or BASE_URL
    return OpenRouter(url, api_key, client=client, headers=ATTRIBUTION, traits=traits)


async def list_models(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> list[ModelInfo]:
    return await listing.list_models(
        base_url=base_url or BASE_URL, api_key=api_key, client=client, timeout=timeout
    )


async def test_credential(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> CredentialTest:
    """Asks about the key itself: its list of models is open to anyone. Raises nothing."""

    async def ask() -> str:
        url = f"{base_url or BASE_URL}/key"
        payload = await get_json(client, url, api_key=api_key, timeout=timeout)
        data = _data(payload)
        used, limit = money(data.get("usage")), money(data.get("limit"))
        if used is None:
            return "The key works."
        if limit is None:
            return f"The key works: ${used:.2f} used, no limit of its own."
        left = money(data.get("limit_remaining"))
        left = max(limit - used, Decimal(0)) if left is None else left
        return f"The key works: ${left:.2f} left of ${limit:.2f}."

    return await try_out(ask)


async def can_pay(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> bool | None:
    """A key's own limit may be used up, and the account behind it. Raises ProviderError."""
    url = base_url or BASE_URL
    key = _data(await get_json(client, f"{url}/key", api_key=api_key, timeout=timeout))
    left = _dollars(key.get("limit_remaining"))
    if left is not None and left <= 0:
        return False
    try:
        account = _data(await get_json(client, f"{url}/credits", api_key=api_key, timeout=timeout))
    except ProviderError:
        return None  # not every key may ask for it
    bought, used = _dollars(account.get("total_credits")), _dollars(account.get("total_usage"))
    return None if bought is None or used is None else bought > used


def _data(payload: Any) -> dict[str, Any]:
    data = payload.get("data") if isinstance(payload, dict) else None
    return data if isinstance(data, dict) else {}


def _dollars(value: Any) -> float | None:
    """May be below zero, unlike what a call cost."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
