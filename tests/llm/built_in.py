"""The built-in model's server for tests, and a run that it carries out alone: everybody is let in
at once, and it has all the time it needs."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from console.engine.pool import Researcher
from console.engine.provider import Provider
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import RunState
from console.engine.steps.fuse import fuse
from console.engine.wait_for import EVERYONE
from fusion_site import installation
from tests.door import Door
from tests.stack import until

PATIENT = Policy(
    wait_for=EVERYONE,
    panel_timeout=900,
    first_token_timeout=600,
    stall_timeout=600,
    total_timeout=900,
)


@contextmanager
def built_in_model() -> Iterator[str]:
    """The address of its server, started as `up` starts it."""
    assert installation.local_model()
    python = str(installation.LOCAL_MODEL_VENV / "bin" / "python")
    script = str(installation.BASE / "fusion_site" / "local_model.py")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with Door() as door, subprocess.Popen([python, script, str(door.port)], **quiet) as process:

        def is_well() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{door.port}/health", timeout=2):
                    return True
            except OSError:
                return False

        try:
            until(is_well)
            yield f"http://127.0.0.1:{door.port}/v1"
        finally:
            process.terminate()


class Open:
    """Everybody may enter at once."""

    @asynccontextmanager
    async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
        yield

    async def record(self, key: str, *asked: object) -> None: ...


async def fused(
    spec: Spec, prompt: str, provider: Provider, researcher: Researcher | None = None
) -> RunState:
    async def provider_for(panelist: Panelist) -> Provider:
        return provider

    return await fuse(
        spec,
        [{"role": "user", "content": prompt}],
        state=RunState(),
        attempt=1,
        provider_for=provider_for,
        emit=lambda event: None,
        admission=Open(),
        clock=time.time,
        researcher=researcher,
    )
