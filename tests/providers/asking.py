"""One question to a provider, and all that came of it."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, Provider, ReasoningDelta, Recast, Request, TextDelta

KEY = "sk-or-v1-planted0123456789abcdefTAIL"


@dataclass
class Got:
    """All that one stream gave."""

    text: str = ""
    reasoning: str = ""
    finish: Finish | None = None
    error: ProviderError | None = None
    deltas: list[str] = field(default_factory=list)
    recasts: int = 0

    @property
    def reason(self) -> Reason | None:
        return self.error.reason if self.error else None


async def collect(provider: Provider, model: str = "alpha", **options: Any) -> Got:
    got = Got()
    request = Request(model, [{"role": "user", "content": "Why?"}], **options)
    stream: Any = provider.stream(request)
    try:
        async with asyncio.timeout(60), aclosing(stream) as chunks:
            async for chunk in chunks:
                assert got.finish is None, "nothing comes after Finish"
                match chunk:
                    case TextDelta(text):
                        got.text += text
                        got.deltas.append(text)
                    case ReasoningDelta(text):
                        got.reasoning += text
                    case Recast(text, reasoning):
                        got.text, got.reasoning = text, reasoning
                        got.recasts += 1
                    case Finish():
                        got.finish = chunk
    except ProviderError as error:
        got.error = error
    assert (got.finish is None) != (got.error is None), "one Finish or one error"
    return got
