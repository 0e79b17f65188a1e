"""A provider that plays a script within the process, for tests of what calls providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from console.engine.provider import Chunk, Finish, Provider, Request, TextDelta
from console.engine.usage import Usage

from .listing import CredentialTest, ModelInfo
from .secret import Secret
from .traits import Traits
from .wire.messages import wire_messages

if TYPE_CHECKING:
    import httpx

# A text, a chunk, a pause in seconds, something to wait for, or an error to raise.
Step = str | Chunk | float | Callable[[], Awaitable[object]] | Exception
Script = Iterable[Step]


class FakeProvider:
    """Plays one script for all models, one for each, or what a function says to a request.

    A script that does not end by itself ends with `Finish("stop")`.
    `requests` is what was asked; `open` counts the streams not yet closed.
    """

    def __init__(
        self, script: Script | Mapping[str, Script] | Callable[[Request], Script] = ("Hello.",)
    ) -> None:
        self.requests: list[Request] = []
        self.open = 0
        self._script = script

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        wire_messages(request.messages, request.files)  # refused as anybody else would
        self.requests.append(request)
        script = self._script
        if callable(script):
            script = script(request)
        elif isinstance(script, Mapping):
            script = script[request.model]
        words = 0
        self.open += 1
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, (int, float)):
                    await asyncio.sleep(step)
                elif callable(step):
                    await step()
                elif isinstance(step, Finish):
                    yield step
                    return
                else:
                    words += 1
                    yield TextDelta(step) if isinstance(step, str) else step
            usage = Usage(input_tokens=len(request.messages), output_tokens=words)
            yield Finish("stop", usage, model=request.model, provider="fake")
        finally:
            self.open -= 1


def make(
    *,
    base_url: str,
    api_key: Secret | str,
    client: httpx.AsyncClient,
    traits: Traits | None = None,
) -> Provider:
    return FakeProvider()


async def list_models(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> list[ModelInfo]:
    return [ModelInfo(id="fake", name="Fake")]


async def test_credential(
    *, base_url: str, api_key: Secret | str, client: httpx.AsyncClient, timeout: float = 15
) -> CredentialTest:
    return CredentialTest(ok=True, sentence="A fake provider takes any key.", latency=0)
