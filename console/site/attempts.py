"""How often somebody may try a password, and how many are looked at at a time.

Counted in Redis, for all web processes together; while that is away each process counts by itself,
within its share of the same limits. A count belongs to the address that it came from, so nobody is
refused the right password for what others have tried elsewhere.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from .addresses import counted
from .processes import share

log = logging.getLogger(__name__)

A_NAME, NAME_SECONDS = 10, 10 * 60  # from one address
ADDRESS_SECONDS = 60
# A hash takes a core for most of a second, which is the point of it. Each process has its share.
HASHES_AT_ONCE = share(2)
HASH_PATIENCE = 3.0
WAITING_AT_ONCE = share(20)

# KEYS[1] counter; ARGV: seconds. Answers how many there are and when they are forgotten.
_COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


class TooMany(Exception):
    """`seconds`: how long to wait."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Counts:
    """Of this process alone."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def add(self, key: str, seconds: int) -> tuple[int, int]:
        now = time.monotonic()
        with self._lock:
            number, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                number, until = 0, now + seconds
                self._make_room(now)
            self._counts[key] = number + 1, until
        return number + 1, max(1, round(until - now))

    def left(self, key: str) -> int:
        """Seconds until it is forgotten; 0 where there is none."""
        _, until = self._counts.get(key, (0, 0.0))
        return max(0, -int(-(until - time.monotonic()) // 1))

    def forget(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()

    def _make_room(self, now: float) -> None:
        if len(self._counts) < self._most:
            return
        self._counts = {k: c for k, c in self._counts.items() if c[1] > now}
        while len(self._counts) >= self._most:
            self._counts.pop(next(iter(self._counts)))


_here = Counts()
# Addresses that were told to wait: asked before anything else is done for a request.
_waiting = Counts()
_redis: Redis | None = None


def begin(*, address: str, name: str) -> None:
    """Before the password is looked at, so that many at once gain nothing. Raises TooMany."""
    place = counted(address)
    if seconds := _beyond(settings.SIGN_INS_PER_MINUTE, f"address:{place}", ADDRESS_SECONDS):
        _waiting.add(place, seconds)
        raise TooMany("Too many attempts from your address. Wait a minute and try again.", seconds)
    if seconds := _beyond(A_NAME, _of(place, name), NAME_SECONDS):
        minutes = -(-seconds // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        raise TooMany(f"Too many attempts. Wait {wait} and try again.", seconds)


def succeeded(*, address: str, name: str) -> None:
    """Its failures are forgotten; the address's number of attempts is not."""
    key = _of(counted(address), name)
    _here.forget(key)
    if settings.REDIS_URL:
        try:
            _client().delete(_PREFIX + key)
        except (RedisError, OSError) as error:
            log.warning("failed attempts are remembered: %s", error)


def address_waits(address: str) -> int:
    """Seconds that it was told to wait for; costs nothing to ask."""
    return _waiting.left(counted(address))


_PLACES = threading.BoundedSemaphore(HASHES_AT_ONCE)
_queue = threading.BoundedSemaphore(HASHES_AT_ONCE + WAITING_AT_ONCE)


@contextmanager
def place_to_hash() -> Iterator[None]:
    """Hashing takes the cores from everybody else. Raises TooMany."""
    busy = TooMany("Many people are signing in. Try again in a few seconds.", 3)
    if not _queue.acquire(blocking=False):
        raise busy
    try:
        if not _PLACES.acquire(timeout=HASH_PATIENCE):
            raise busy
        try:
            yield
        finally:
            _PLACES.release()
    finally:
        _queue.release()


def forget_all() -> None:
    """For tests."""
    _here.clear()
    _waiting.clear()


_PREFIX = "fusion:attempts:"


def _beyond(most: int, key: str, seconds: int) -> int:
    """One more; where there are too many now, the seconds until they are forgotten."""
    if settings.REDIS_URL:
        try:
            number, left = _client().eval(_COUNT, 1, _PREFIX + key, str(seconds))
            return max(1, int(left)) if int(number) > most else 0
        except (RedisError, OSError) as error:
            log.warning("attempts are counted by this process alone: %s", error)
    number, left = _here.add(key, seconds)
    return left if number > share(most) else 0


def _client() -> Redis:
    global _redis
    if _redis is None:
        _redis = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    return _redis


def _of(place: str, name: str) -> str:
    return "name:" + hashlib.sha256(f"{place}\n{name.casefold()}".encode()).hexdigest()
