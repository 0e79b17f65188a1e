"""How many requests a token may make: a bucket per token, in Redis.

It holds one minute's requests and refills steadily. Without Redis reading goes
on, and whatever may cost money waits.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ...models import ApiToken
from ...record import eventlog
from .errors import ApiError

# KEYS[1] bucket; ARGV: capacity. Answers whether one was taken, what is left, and the
# microseconds until there is one more.
_TAKE = """
local capacity = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each = 60000000 / capacity
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
if full_at < now then full_at = now end
local left = math.floor((60000000 - (full_at - now)) / each + 0.000001)
if left < 1 then
  return {0, 0, math.ceil(full_at - now - 60000000 + each), math.ceil(full_at - now)}
end
full_at = full_at + each
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', 61000)
return {1, left - 1, 0, math.ceil(full_at - now)}
"""

_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = weakref.WeakKeyDictionary()


def redis() -> Redis:
    """One client for all requests of this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = eventlog.connect()
    return _clients[loop]


@dataclass(frozen=True)
class Allowance:
    limit: int
    remaining: int
    reset: float  # seconds until the bucket is full again

    def headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": f"{self.reset:.3f}s",
        }


async def take(token: ApiToken, *, spending: bool) -> dict[str, str]:
    """Count one request; the headers that say what is left. Raises ApiError."""
    limit = token.requests_per_minute
    if limit is None:
        return {}
    try:
        async with asyncio.timeout(2):
            script = redis().register_script(_TAKE)
            answer: Any = await script(keys=[f"fusion:token:{token.pk}:requests"], args=[limit])
    except (RedisError, OSError, TimeoutError, ValueError):
        if spending:
            raise ApiError("not_ready", headers={"Retry-After": "2"}) from None
        return {}
    taken, left, wait, reset = (int(n) for n in answer)
    headers = Allowance(limit, left, reset / 1e6).headers()
    if not taken:
        seconds = max(1, -(-wait // 1_000_000))
        raise ApiError(
            "rate_limit_exceeded",
            f"This token may make {limit} requests a minute. Wait {seconds} s.",
            headers=headers | {"Retry-After": str(seconds)},
        )
    return headers
