"""Anthropic's Messages API.

Within Fusion a request and its answer are in the words of chat completions, so all that is
known of models, limits and refusals holds here, too; `wire/anthropic_request` and
`wire/anthropic_answer` put them into Anthropic's words and back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, Provider, Request

from . import kinds
from .listing import (
    MODELS_LIMIT,
    CredentialTest,
    ModelInfo,
    authorization,
    get_json,
    model_of,
    try_out,
)
from .openai_compatible import VERSION, OpenAICompatible
from .secret import Secret
from .traits import Traits
from .wire.answer import AnswerReader
from .wire.anthropic_answer import MessagesReader
from .wire.anthropic_request import messages_body, says_how_to_think, usual_thinking

# The version after it takes no temperature, which models up to 4.6 do.
API = {"anthropic-version": "2023-06-01"}
PAGE = 1000  # models; the most that is given at once
INPUTS = {"image": "image_input", "file": "pdf_input"}
NOT_ITS = ("seed", "stream_options")  # what it has no field for


class Anthropic(OpenAICompatible):
    endpoint = "/messages"
    reader = MessagesReader

    def body(self, request: Request) -> dict[str, Any]:
        body = {name: v for name, v in super().body(request).items() if name not in NOT_ITS}
        body.setdefault("max_tokens", kinds.FRONTIER_OUTPUT_TOKENS)
        if says_how_to_think(body):
            body["thinking"] = usual_thinking(request.model)
        if request.search:
            body["search"] = request.search.queries
        return body

    def wire(self, body: dict[str, Any]) -> dict[str, Any]:
        return messages_body(body)

    def key_header(self) -> dict[str, str]:
        return _headers(self._api_key)

    def finish(self, answer: AnswerReader, response: httpx.Response) -> Finish:
        # Its support asks for this one.
        number = response.headers.get("request-id", "")[:200]
        finish = answer.finish()
        return replace(finish, generation_id=self._scrub(number) or finish.generation_id)


def make(
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    traits: Traits | None = None,
) -> Provider:
    return Anthropic(_api_at(base_url), api_key, client=client, headers=API, traits=traits)


async def list_models(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> list[ModelInfo]:
    """GET /v1/models, page after page. Raises ProviderError."""
    models: dict[str, ModelInfo] = {}
    after = ""
    while len(models) < MODELS_LIMIT:
        query = urlencode({"limit": PAGE} | ({"after_id": after} if after else {}))
        page = await get_json(
            client,
            f"{_api_at(base_url)}/models?{query}",
            api_key=api_key,
            timeout=timeout,
            headers=API | _headers(api_key),
        )
        rows = page.get("data") if isinstance(page, dict) else None
        if not isinstance(rows, list):
            raise ProviderError(Reason.BAD_RESPONSE)
        known = len(models)
        for model in filter(None, map(_model, rows)):
            models.setdefault(model.id, model)
        after = page.get("last_id")
        # A page that brings nothing new would be asked for for ever.
        if not page.get("has_more") or not isinstance(after, str) or len(models) == known:
            break
    return list(models.values())[:MODELS_LIMIT]


async def test_credential(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> CredentialTest:
    """Lists the models, which costs nothing. Raises nothing."""

    async def ask() -> str:
        models = await list_models(
            base_url=base_url, api_key=api_key, client=client, timeout=timeout
        )
        return f"The key works: {len(models)} model{'' if len(models) == 1 else 's'} can be used."

    return await try_out(ask)


def _headers(api_key: Secret | str) -> dict[str, str]:
    return authorization(api_key, "x-api-key", "")


def _api_at(base_url: str) -> str:
    """Its own programs are given the address without a version, as in ANTHROPIC_BASE_URL."""
    url = (base_url or kinds.ANTHROPIC.servers[0].address).rstrip("/")
    return url if VERSION.search(url) else f"{url}/v1"


def _model(row: Any) -> ModelInfo | None:
    """What is gone is in its list, too, and is not offered."""
    model = model_of(row) if isinstance(row, dict) and row.get("lifecycle") != "retired" else None
    able = row.get("capabilities") if model else None
    if model is None or not isinstance(able, dict):
        return model
    told = {name: one.get("supported") for name, one in able.items() if isinstance(one, dict)}
    inputs = [kind for kind, name in INPUTS.items() if told.get(name) is True]
    return replace(
        model,
        reasons=told["thinking"] if isinstance(told.get("thinking"), bool) else None,
        inputs=("text", *inputs),
    )
