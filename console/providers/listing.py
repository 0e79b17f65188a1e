"""What a provider offers and whether a key works there: questions that cost nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx

from console.engine.errors import ProviderError, Reason
from console.engine.usage import MILLION, Price

from .secret import Secret
from .wire.error_body import error_object
from .wire.http import FAILURES, classify
from .wire.refusals import in_band, parse, refusal, scrubber
from .wire.usage import money

BODY_LIMIT = 32 * 1024 * 1024
MODELS_LIMIT = 5_000
THINKING = {"reasoning", "include_reasoning", "reasoning_effort", "thinking"}


@dataclass(frozen=True)
class ModelInfo:
    id: str
    name: str
    context_length: int | None = None
    price: Price | None = None
    reasons: bool | None = None  # None: it does not say


@dataclass(frozen=True)
class CredentialTest:
    """`base_url`: where the provider's API is, if it is not at the address that was tried."""

    ok: bool
    sentence: str
    latency: float  # seconds
    base_url: str = ""


def authorization(api_key: Secret | str) -> dict[str, str]:
    """The header for a key, none for an empty one. Raises ProviderError for what no key can be."""
    key = Secret(api_key).reveal().strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        message = "The API key holds a character that no key has: copy it again."
        raise ProviderError(Reason.CONFIGURATION, message)
    return {"Authorization": f"Bearer {key}"}


async def get_json(
    client: httpx.AsyncClient, url: str, *, api_key: Secret | str, timeout: float = 15
) -> Any:
    """Raises ProviderError for everything that is not JSON with status 2xx."""
    scrub = scrubber(Secret(api_key).reveal().strip())
    headers = {"Accept": "application/json"} | authorization(api_key)
    try:
        async with (
            asyncio.timeout(timeout),
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ProviderError(Reason.BAD_RESPONSE)
            body = await read(response, BODY_LIMIT)
    except TimeoutError:
        message = f"The provider did not answer within {timeout:g} seconds."
        raise ProviderError(Reason.TIMEOUT, message) from None
    except FAILURES as exc:
        raise classify(exc, urlsplit(url).hostname or "The provider") from None
    if response.status_code != 200:
        raise refusal(response.status_code, response.headers, body[: 64 * 1024], scrub)
    payload = parse(body)
    if payload is None:
        raise ProviderError(Reason.BAD_RESPONSE)
    if error := error_object(payload):
        raise in_band(error, scrub)
    return payload


async def read(response: httpx.Response, limit: int) -> bytes:
    """The body as it came, cut at the limit."""
    body = bytearray()
    async for data in response.aiter_raw():
        body += data
        if len(body) >= limit:
            break
    return bytes(body[:limit])


async def list_models(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> list[ModelInfo]:
    """GET /models. Raises ProviderError."""
    payload = await get_json(client, f"{base_url}/models", api_key=api_key, timeout=timeout)
    rows = payload.get("data", payload.get("models")) if isinstance(payload, dict) else payload
    if rows is None and payload is not None and _LISTS & payload.keys():
        rows = []  # as a server writes a list without an entry
    if not isinstance(rows, list):
        raise ProviderError(Reason.BAD_RESPONSE)
    models: dict[str, ModelInfo] = {}
    for row in rows[:MODELS_LIMIT]:
        model = _model(row)
        if model:
            models.setdefault(model.id, model)
    return list(models.values())


_LISTS = {"data", "models"}


async def try_out(ask: Callable[[], Awaitable[str]]) -> CredentialTest:
    """How long a question took, and its answer or its failure in plain words."""
    start = time.perf_counter()
    try:
        ok, sentence = True, await ask()
    except ProviderError as error:
        ok, sentence = False, error.message
    return CredentialTest(ok, sentence, time.perf_counter() - start)


def _model(row: Any) -> ModelInfo | None:
    row = {"id": row} if isinstance(row, str) else row
    if not isinstance(row, dict):
        return None
    number = row.get("id") or row.get("name")
    if not isinstance(number, str) or not number.isprintable() or len(number) > 200:
        return None
    name = row.get("name")
    meta = row.get("meta")
    length = row.get("context_length") or row.get("max_model_len")
    if length is None and isinstance(meta, dict):
        length = meta.get("n_ctx")  # llama.cpp's
    return ModelInfo(
        id=number,
        name=name if isinstance(name, str) and name.isprintable() and len(name) <= 200 else number,
        context_length=length if isinstance(length, int) and length > 0 else None,
        price=_price(row.get("pricing")),
        reasons=_reasons(row),
    )


def _reasons(row: dict[str, Any]) -> bool | None:
    """OpenRouter lists which parameters a model takes, others what it is capable of."""
    for name in ("supported_parameters", "capabilities"):
        listed = row.get(name)
        if isinstance(listed, dict):
            listed = [able for able, value in listed.items() if value]
        if isinstance(listed, list) and listed:
            if any(word in THINKING for word in listed if isinstance(word, str)):
                return True
            # Of what a model is capable of, few lists say all.
            if name == "supported_parameters":
                return False
    return None


def _price(pricing: Any) -> Price | None:
    """From US dollars per token, as OpenRouter lists them; negative means it varies."""
    if not isinstance(pricing, dict):
        return None

    def per_million(name: str) -> Decimal | None:
        amount = money(pricing.get(name))
        return None if amount is None else amount * MILLION

    given, made = per_million("prompt"), per_million("completion")
    if given is None or made is None:
        return None
    return Price(input=given, output=made, cached_input=per_million("input_cache_read"))
