"""OpenAI's chat completions: OpenAI, Ollama, vLLM, LM Studio, llama.cpp, most gateways."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from console.engine.calls.aside import aside
from console.engine.errors import ProviderError, Reason
from console.engine.provider import (
    Alive,
    Chunk,
    Complete,
    Finish,
    Provider,
    Request,
    Unstreamed,
)

from . import kinds
from .listing import CredentialTest, authorization, list_models, read, try_out
from .secret import Secret
from .traits import Traits
from .wire.answer import AnswerLimits, AnswerReader, Delta
from .wire.http import FAILURES, classify
from .wire.messages import size_of, wire_messages
from .wire.pictures import Shortened
from .wire.quirks import Quirks
from .wire.refusals import parse, refusal, scrubber, text_of
from .wire.sse import Parser

__all__ = ["OpenAICompatible", "list_models", "make", "test_credential"]

THOUGHTS = "thoughts"  # the trait of a model that opens none of them: how it closes them
# Next to "identity" what some servers write to keep proxies from compressing a stream.
PLAIN = ("", "identity", "none")
VERSION = re.compile(r"/v\d+(?:beta|alpha)?\d*(?:/|$)")  # of an API, in its address


class OpenAICompatible:
    """A kind that speaks otherwise puts its own in the place of what stands first here, and
    keeps the rest: how an answer is waited for, bounded and ended."""

    endpoint = "/chat/completions"
    reader = AnswerReader

    def __init__(
        self,
        base_url: str,
        api_key: Secret | str,
        *,
        client: httpx.AsyncClient,
        headers: Mapping[str, str] | None = None,
        limits: AnswerLimits | None = None,
        linger: float = 5,
        traits: Traits | None = None,
    ) -> None:
        """`linger` is how long usage and `[DONE]` are waited for once an answer has finished."""
        self._base_url = base_url.rstrip("/")
        self._api_key = Secret(api_key)
        self._client = client
        self._headers = dict(headers or {})
        self._limits = limits or AnswerLimits()
        self._linger = linger
        self._traits = traits or Traits()
        self._quirks = Quirks(self._traits)
        self._scrub = scrubber(self._api_key.reveal().strip())
        self._host = urlsplit(self._base_url).hostname or "The provider"
        server = kinds.server_at(self._base_url)
        self._limit_name = (server and server.limit_field) or "max_tokens"

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        form = self._quirks.form(request.model, self.body(request), request.options)
        answering = False
        if not form.body.get("stream"):
            yield Unstreamed()
        try:
            async with (
                self._post(form.body) as response,
                aclosing(self._read(request, form.body, response)) as chunks,
            ):
                async for chunk in chunks:
                    if not answering:
                        answering = True
                        self._quirks.answered(request.model, form)
                    yield chunk
        except ProviderError as error:
            # Some refuse within a stream that they have begun: before its first word that
            # costs as little. What somebody asked for by name is not left out.
            if not answering:
                error.adapted = self._quirks.learn(request.model, form, error, request.options)
            raise

    def body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": wire_messages(request.messages, request.files),
            "stream": True,
            "stream_options": {"include_usage": True},
            self._limit_name: request.max_output_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "reasoning_effort": request.reasoning_effort,
        }
        if request.response_schema is not None:
            schema = {"name": "answer", "strict": True, "schema": request.response_schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body |= request.options
        return {name: value for name, value in body.items() if value is not None}

    def wire(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body as it goes out. Raises ProviderError."""
        return body

    def key_header(self) -> dict[str, str]:
        """Raises ProviderError."""
        return authorization(self._api_key)

    def finish(self, answer: AnswerReader, response: httpx.Response) -> Finish:
        return answer.finish()

    def _encoded(self, body: dict[str, Any]) -> bytes:
        """A lone surrogate in a prompt cannot be sent: it becomes a question mark."""
        return json.dumps(self.wire(body), ensure_ascii=False).encode(errors="replace")

    @asynccontextmanager
    async def _post(self, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """The response, once its status says that an answer follows."""
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        headers |= self._headers | self.key_header()
        content = await aside(size_of(body["messages"]), self._encoded, body)
        url = f"{self._base_url}{self.endpoint}"
        response = None
        try:
            async with self._client.stream(
                "POST", url, content=content, headers=headers
            ) as response:
                if response.headers.get("content-encoding", "").strip().lower() not in PLAIN:
                    message = "The provider sent compressed data that was not asked for."
                    raise ProviderError(Reason.BAD_RESPONSE, message)
                if response.status_code == 204:
                    raise ProviderError(Reason.EMPTY, status_code=204)
                if not response.is_success:
                    error_body = await read(response, self._limits.error_body)
                    raise refusal(
                        response.status_code, response.headers, error_body, self._scrub, body
                    )
                yield response
        except FAILURES as exc:
            answered = response is not None and response.num_bytes_downloaded > 0
            raise classify(exc, self._host, answered=answered) from None

    async def _read(
        self, request: Request, sent: dict[str, Any], response: httpx.Response
    ) -> AsyncGenerator[Chunk, None]:
        thinks = self._traits.of(request.model).get(THOUGHTS, "")
        answer = self.reader(
            request.model, self._limits, self._scrub, self._host, thinks=thinks, sent=sent
        )
        try:
            async with aclosing(self._chunks(answer, response)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (ProviderError, *FAILURES):
            for chunk in answer.rest(finished=False):
                yield chunk
            raise
        for chunk in answer.rest(finished=True):
            yield chunk
        if answer.learned:
            self._traits.learn(request.model, THOUGHTS, answer.learned)
        elif answer.learned is not None:
            self._traits.forget(request.model, THOUGHTS)
        yield self.finish(answer, response)

    async def _chunks(
        self, answer: AnswerReader, response: httpx.Response
    ) -> AsyncGenerator[Delta | Complete | Alive, None]:
        parser = Parser(self._limits.line)
        source = response.aiter_raw()
        shortened = Shortened(answer.pass_over, answer.cut_out)
        start = shortened.feed(await _start(source))
        if start[:1] in (b"{", b"["):
            for chunk in await self._whole(answer, start, source, shortened):
                yield chunk
        elif start[:1] == b"<":
            raise ProviderError(Reason.BAD_RESPONSE, text_of(start))
        else:
            told, comments = False, 0
            async with aclosing(self._until_done(answer, start, source, shortened)) as body:
                async for data in body:
                    events, has_words = parser.feed(data), False
                    for event in events:
                        for chunk in answer.take(event):
                            has_words = True
                            yield chunk
                    if not has_words and (events or parser.comments > comments):
                        yield Alive()
                    comments = parser.comments
                    if answer.finish_reason is not None and not (told or answer.finishes_early):
                        told = True
                        yield Complete()
                    if parser.overflowed or answer.is_too_large:
                        raise ProviderError(Reason.TOO_LARGE)
            for event in parser.close():
                for chunk in answer.take(event):
                    yield chunk
            if not answer.done and answer.finish_reason is None:
                raise _unfinished(answer, parser, start)

    async def _until_done(
        self,
        answer: AnswerReader,
        start: bytes,
        source: AsyncIterator[bytes],
        shortened: Shortened,
    ) -> AsyncGenerator[bytes, None]:
        """The body up to where the answer has ended.

        What remains then may be the end of the body, which leaves the
        connection usable, or usage, or nothing ever: none of it can spoil the
        answer any more, and none is waited for long.
        """
        yield start
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        try:
            while True:
                if answer.done or (answer.usage_after_finish and not answer.finishes_early):
                    soon = loop.time() + min(self._linger, 0.1)
                    deadline = soon if deadline is None else min(deadline, soon)
                elif answer.finishes_early:
                    deadline = None
                elif answer.finish_reason is not None and deadline is None:
                    deadline = loop.time() + self._linger
                if deadline is None:
                    data = await anext(source, None)
                else:
                    async with asyncio.timeout_at(deadline):
                        data = await anext(source, None)
                if data is None:
                    return
                yield shortened.feed(data)
        except (TimeoutError, *FAILURES):
            if deadline is None:
                raise

    async def _whole(
        self,
        answer: AnswerReader,
        start: bytes,
        source: AsyncIterator[bytes],
        shortened: Shortened,
    ) -> Iterator[Delta]:
        """An answer in one JSON document, from a server that does not stream."""
        body = bytearray(start)
        while len(body) <= self._limits.whole:
            data = await anext(source, None)
            if data is None:
                break
            body += shortened.feed(data)
            if answer.is_too_large:
                raise ProviderError(Reason.TOO_LARGE)
        else:
            raise ProviderError(Reason.TOO_LARGE)
        payload = await asyncio.to_thread(parse, bytes(body))
        if not isinstance(payload, dict):
            raise ProviderError(Reason.BAD_RESPONSE)
        chunks = list(answer.take_object(payload))
        if not answer.is_whole(payload):
            raise ProviderError(Reason.BAD_RESPONSE)
        return iter(chunks)


async def _start(source: AsyncIterator[bytes]) -> bytes:
    """The first bytes that say what this is, without what stands before them."""
    start = b""
    async for data in source:
        start = (start + data).removeprefix(b"\xef\xbb\xbf").lstrip()
        if start and start not in (b"\xef", b"\xef\xbb"):
            break
    return start


def _unfinished(answer: AnswerReader, parser: Parser, start: bytes) -> ProviderError:
    if not start:
        return ProviderError(Reason.EMPTY)
    if not answer.events and not parser.comments:
        return ProviderError(Reason.BAD_RESPONSE)
    return ProviderError(Reason.TRUNCATED)


def make(
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    traits: Traits | None = None,
) -> Provider:
    return OpenAICompatible(base_url, api_key, client=client, traits=traits)


async def test_credential(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> CredentialTest:
    """Lists the models, which costs nothing. Raises nothing."""

    async def ask(url: str) -> CredentialTest:
        async def count() -> str:
            models = await list_models(
                base_url=url, api_key=api_key, client=client, timeout=timeout
            )
            return (
                f"The key works: {len(models)} model{'' if len(models) == 1 else 's'} can be used."
            )

        return await try_out(count)

    result = await ask(base_url)
    if result.ok or VERSION.search(base_url):
        return result
    # Most servers speak this below /v1, and most people who forget that do not know why it fails.
    other = f"{base_url.rstrip('/')}/v1"
    below = await ask(other)
    return replace(below, base_url=other) if below.ok else result
