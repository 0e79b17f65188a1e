"""How many sockets may be open at once: in this process, from an address, of a person.

An address's and a person's are counted over all web processes: each keeps what it has in Redis,
in one hash that is forgotten soon after its process has died. While Redis is away each lets in its
share of the limit, by what it has itself.

Who is refused hears why in a frame, and then the code `TOO_MANY`, since a browser tells a page
nothing of a handshake that failed; the page then asks every two seconds instead. Nobody is looked
up for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.html import escape
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ..record import eventlog
from ..site.addresses import counted
from ..site.processes import share

log = logging.getLogger(__name__)

TOO_MANY = 4429
BEAT, FORGOTTEN_AFTER = 5.0, 15  # seconds
REDIS_PATIENCE = 1.0
_MEANWHILE = "This page asks for news every two seconds instead."


@dataclass(frozen=True)
class Limit:
    """`of` says whose sockets are counted together; None: this one is not counted. With a `name`
    they are counted over all processes."""

    setting: str
    of: Callable[[dict[str, Any]], object]
    sentence: str
    name: str = ""

    @property
    def most(self) -> int:
        most: int = getattr(settings, self.setting)
        return most


PROCESS = Limit(
    "SOCKETS_PER_PROCESS", lambda scope: "all", "More pages follow runs than can be served."
)
ADDRESS = Limit(
    "SOCKETS_PER_ADDRESS",
    lambda scope: counted(str(scope["client"][0])) if scope.get("client") else None,
    "Too many pages follow runs from your address.",
    "address",
)
PERSON = Limit(
    "SOCKETS_PER_PERSON",
    lambda scope: scope["user"].pk if scope["user"].is_authenticated else None,
    "Too many of your pages follow a run at once: close some.",
    "person",
)

# KEYS: the set of all processes, this one's hash. ARGV: its name, the field, what is open here with
# one more, the limit, the seconds. Answers whether there is a place for that one.
_TAKE = """
local open = tonumber(ARGV[3])
for _, process in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local hash = KEYS[1] .. ':' .. process
  if process == ARGV[1] then
  elseif redis.call('EXISTS', hash) == 1 then
    open = open + tonumber(redis.call('HGET', hash, ARGV[2]) or 0)
  else
    redis.call('SREM', KEYS[1], process)
  end
end
if open > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[1], ARGV[1])
return 1
"""
_ALL = "fusion:sockets"


class SocketCounts:
    """What is open here, as far as Redis knows of it."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self._name = ""
        self._redis: Redis | None = None
        self._in_turn = asyncio.Lock()  # or an older number is written over a newer one
        self._beating: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._is_told = True  # Redis, all that is open here
        self._away_until = 0.0

    @property
    def _hash(self) -> str:
        return f"{_ALL}:{self._name}"

    async def take(self, key: str, most: int) -> bool:
        self.open[key] += 1
        if self._beating is None:
            # Not before: web processes are copies of one that has loaded this.
            self._name = secrets.token_hex(8)
            self._beating = asyncio.get_running_loop().create_task(self._beat())
        is_free = False
        try:
            async with self._in_turn:
                number = self.open[key]
                arguments = [self._name, key, number, most, FORGOTTEN_AFTER]
                answer = await self._asked("eval", _TAKE, 2, _ALL, self._hash, *arguments)
            is_free = number <= share(most) if answer is None else bool(answer)
        except asyncio.CancelledError:
            self._is_told = False
            raise
        finally:
            if not is_free:
                self._less(key)
        return is_free

    def give_back(self, key: str) -> None:
        self._less(key)
        task = asyncio.get_running_loop().create_task(self._tell(key))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _less(self, key: str) -> None:
        self.open[key] -= 1
        if not self.open[key]:
            del self.open[key]

    async def _tell(self, key: str) -> None:
        async with self._in_turn:
            if number := self.open[key]:
                await self._asked("hset", self._hash, key, number)
            else:
                await self._asked("hdel", self._hash, key)

    async def _asked(self, command: str, *arguments: Any) -> Any:
        """None while Redis is away; it is asked again a little later."""
        now = time.monotonic()
        if now < self._away_until:
            return None
        try:
            self._redis = self._redis or eventlog.connect()
            async with asyncio.timeout(REDIS_PATIENCE):
                return await getattr(self._redis, command)(*arguments)
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            if self._is_told:
                log.warning("sockets are counted by this process alone: %s", error)
            self._is_told, self._away_until = False, time.monotonic() + REDIS_PATIENCE
            return None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            async with self._in_turn:
                is_known = await self._asked("expire", self._hash, FORGOTTEN_AFTER)
                if is_known is None or (is_known and self._is_told):
                    continue
                self._is_told = True
                await self._asked("delete", self._hash)
                if self.open:
                    await self._asked("hset", self._hash, None, None, dict(self.open))
                    await self._asked("expire", self._hash, FORGOTTEN_AFTER)
                    await self._asked("sadd", _ALL, self._name)


class Alone:
    """What is open in this process, whatever others have."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()

    async def take(self, key: str, most: int) -> bool:
        if self.open[key] >= most:
            return False
        self.open[key] += 1
        return True

    def give_back(self, key: str) -> None:
        self.open[key] -= 1


_counts = SocketCounts()


class Limited:
    def __init__(self, limit: Limit, application: Any) -> None:
        self._limit, self._application = limit, application
        self._counts: SocketCounts | Alone = _counts if limit.name else Alone()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        whose = self._limit.of(scope)
        if whose is None:
            return await self._application(scope, receive, send)
        key = f"{self._limit.name}:{whose}"
        if not await self._counts.take(key, self._limit.most):
            return await _refuse(f"{self._limit.sentence} {_MEANWHILE}", receive, send)
        try:
            return await self._application(scope, receive, send)
        finally:
            self._counts.give_back(key)


async def _refuse(sentence: str, receive: Any, send: Any) -> None:
    await receive()
    frame = {"fragments": {"run-asking": escape(sentence)}}
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(frame, ensure_ascii=False)})
    await send({"type": "websocket.close", "code": TOO_MANY})
