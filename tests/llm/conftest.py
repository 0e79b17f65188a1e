"""The engine with the built-in model for judge, synthesizer and panel. Slow, and honest:
figures are printed, whatever they are.

FUSION_LONG_TESTS=1: as many runs as docs/judging.md reports, with the limits of the preset Local.
In the short form everybody may write less: what a model writes is what these tests cost, and a
text that is cut off there is read as one is that is cut off later (tests/startup asks the preset as
it is). ANALYSIS_TOKENS: another output limit for the judge.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from console.catalog.seed_data import LOCAL_ANALYSIS_TOKENS, LOCAL_SYNTHESIS_TOKENS, presets
from console.engine.provider import Provider
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import RunState
from console.engine.steps import prompts
from console.engine.steps.fuse import fuse
from console.engine.wait_for import EVERYONE
from console.providers.registry import make_provider
from console.providers.wire.http import make_client
from tests.llm.built_in import Open, built_in_model

LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
ANSWER_TOKENS = None if LONG else 60
ANALYSIS_TOKENS = int(os.environ.get("ANALYSIS_TOKENS", LOCAL_ANALYSIS_TOKENS if LONG else 250))
PATIENT = Policy(
    wait_for=EVERYONE,
    panel_timeout=900,
    first_token_timeout=600,
    stall_timeout=600,
    total_timeout=900,
    analysis_max_output_tokens=ANALYSIS_TOKENS,
    synthesis_max_output_tokens=LOCAL_SYNTHESIS_TOKENS if LONG else 100,
)

Fused = Callable[..., Awaitable[RunState]]


@pytest.fixture(scope="session")
def local_model() -> Iterator[str]:
    """The address of the built-in model's server, one for all tests here."""
    with built_in_model() as address:
        yield address


@pytest.fixture
async def fused(local_model: str) -> AsyncIterator[Fused]:
    """await fused(prompt, state=…): the preset Local's panel, from where the state stands."""
    client = make_client()
    provider = make_provider("openai_compatible", base_url=local_model, api_key="", client=client)
    local = presets()["local"]["panel"]
    if ANSWER_TOKENS:
        local = [seat | {"max_output_tokens": ANSWER_TOKENS} for seat in local]

    async def provider_for(panelist: Panelist) -> Provider:
        return provider

    async def run(prompt: str, *, state: RunState | None = None, seats: int = 3) -> RunState:
        spec = Spec(
            panel=tuple(Panelist(credential="local", **seat) for seat in local[:seats]),
            judge=Panelist(local[0]["model"], "local"),
            prompts=prompts.load(),
            policy=PATIENT,
            shuffle_seed=7,
        )
        return await fuse(
            spec,
            [{"role": "user", "content": prompt}],
            state=state or RunState(),
            attempt=1,
            provider_for=provider_for,
            emit=lambda event: None,
            admission=Open(),
            clock=time.time,
        )

    yield run
    await client.aclose()
