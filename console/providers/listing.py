"""What a provider offers and whether a key works there: questions that cost nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
MOST_TOKENS = 2**31 - 1  # what a column holds; more is no count of tokens
THINKING = {"reasoning", "include_reasoning", "reasoning_effort", "thinking"}
TOOLS = {"tools", "tool_use", "function_calling", "tool_calling"}


@dataclass(frozen=True)
class ModelInfo:
    id: str
    name: str
    context_length: int | None = None
    price: Price | None = None
    # Of what follows, None and "": it does not say.
    reasons: bool | None = None
    takes_tools: bool | None = None
    output_tokens: int | None = None  # at most
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    alias_of: str = ""
    published_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class CredentialTest:
    """`base_url`: where the provider's API is, if it is not at the address that was tried."""

    ok: bool
    sentence: str
    latency: float  # seconds
    base_url: str = ""


def authorization(
    api_key: Secret | str, name: str = "Authorization", before: str = "Bearer "
) -> dict[str, str]:
    """The header for a key, none for an empty one. Raises ProviderError for what no key can be."""
    key = Secret(api_key).reveal().strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key:
        message = "The API key holds a character that no key has: copy it again."
        raise ProviderError(Reason.CONFIGURATION, message)
    return {name: f"{before}{key}"}


async def get_json(
    client: httpx.AsyncClient,
    url: str,
    *,
    api_key: Secret | str,
    timeout: float = 15,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """`headers`: how the key is shown, where that is not as a bearer's. Raises ProviderError for
    everything that is not JSON with status 2xx."""
    scrub = scrubber(Secret(api_key).reveal().strip())
    shown = authorization(api_key) if headers is None else headers
    headers = {"Accept": "application/json", **shown}
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
        model = model_of(row)
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


def model_of(row: Any) -> ModelInfo | None:
    row = {"id": row} if isinstance(row, str) else row
    if not isinstance(row, dict):
        return None
    number = row.get("id") or row.get("name")
    if not isinstance(number, str) or not number.isprintable() or len(number) > 200:
        return None
    return ModelInfo(
        id=number,
        name=_line(row.get("name")) or _line(row.get("display_name")) or number,
        context_length=_first_count(row, _CONTEXT),
        price=_price(row.get("pricing")),
        reasons=_able(row, THINKING),
        takes_tools=_able(row, TOOLS),
        output_tokens=_first_count(row, _OUTPUT),
        inputs=_modalities(row, "input_modalities"),
        outputs=_modalities(row, "output_modalities"),
        alias_of=_line(row.get("alias_target")),
        published_at=_moment(row, _PUBLISHED),
        expires_at=_moment(row, _EXPIRES),
    )


# Where the servers write it, as a path into the row; the first that says something is taken.
_CONTEXT = (
    ("context_length",),
    ("max_model_len",),  # vLLM
    ("meta", "n_ctx"),  # llama.cpp
    ("context_window",),  # Groq
    ("max_context_length",),  # Mistral, LM Studio
    ("max_input_tokens",),  # Anthropic
)
_OUTPUT = (
    ("top_provider", "max_completion_tokens"),  # OpenRouter
    ("max_completion_tokens",),  # Groq
    ("max_output_tokens",),
    ("max_tokens",),  # Anthropic
)
_PUBLISHED = (("created",), ("created_at",))
_EXPIRES = (
    ("expiration_date",),  # OpenRouter
    ("deprecation",),  # Mistral
    ("retires_at",),  # Anthropic
)


def _at(row: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _line(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 200 else ""


def _first_count(row: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> int | None:
    counts = (_at(row, path) for path in paths)
    return next((n for n in counts if type(n) is int and 0 < n <= MOST_TOKENS), None)


def _moment(row: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> datetime | None:
    """Of the seconds since 1970 or a date; what is neither says nothing."""
    for value in (_at(row, path) for path in paths):
        try:
            if type(value) in (int, float) and value > 0:
                return datetime.fromtimestamp(value, UTC)
            if isinstance(value, str) and value:
                moment = datetime.fromisoformat(value)
                return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _modalities(row: dict[str, Any], name: str) -> tuple[str, ...] | None:
    listed = _at(row, ("architecture", name)) or row.get(name)
    if not isinstance(listed, list):
        return None
    words = (w for w in listed if isinstance(w, str) and 0 < len(w) <= 20 and w.isprintable())
    return tuple(dict.fromkeys(words))[:20] or None


def _able(row: dict[str, Any], words: set[str]) -> bool | None:
    """OpenRouter lists which parameters a model takes, others what it is capable of."""
    for name in ("supported_parameters", "capabilities"):
        listed = row.get(name)
        if isinstance(listed, dict):
            listed = [able for able, value in listed.items() if value]
        if isinstance(listed, list) and listed:
            if any(word in words for word in listed if isinstance(word, str)):
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
