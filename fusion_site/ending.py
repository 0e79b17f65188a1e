"""The end of a web process: whoever it has taken is answered first.

It is ended not only with all the rest, but also to be started again, as `up` does when there is no
built-in model after all. Who comes then waits at the socket, which whoever gave it keeps open; but
a connection that was taken is lost with its process. Twisted and Daphne close it at once, without
a word.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

# What was taken is read by then, and what was answered written.
TURN_SECONDS = 0.2
# Whoever waits for longer, as programs do for a whole run, asks anew.
ANSWER_SECONDS = 5
LOOK_SECONDS = 0.02


async def end(
    ports: Collection[Any],
    connections: Mapping[Any, Mapping[str, Any]],
    is_waited_for: Callable[[Any], bool],
) -> None:
    """`connections` are Daphne's: requests and sockets, with the task of each that has begun."""
    for port in ports:
        port.stopListening()
    now = time.monotonic()
    latest, until = now + ANSWER_SECONDS, now + TURN_SECONDS
    while (now := time.monotonic()) < min(until, latest):
        if any(is_waited_for(one) for one in connections):
            until = now + TURN_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
    tasks = [known["application_instance"] for known in connections.values() if _goes_on(known)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _goes_on(known: Mapping[str, Any]) -> bool:
    task = known.get("application_instance")
    return task is not None and not task.done()
