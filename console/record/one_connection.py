"""One connection to Redis for all who ask at once.

The client takes a connection from its pool for each question, tries again by rules of its own
and puts every word into Redis's form in Python: for an append, several times what the append is.
Here one is kept. What is asked while others wait for their answers goes out together, as soon as
these are there.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError, ResponseError

PATIENCE = 5.0  # seconds for the next answer of all that went out together

Answer = asyncio.Future[Any]


class OneConnection:
    """What is asked may be asked twice, where the connection was cut before its answer came."""

    def __init__(self, redis: Redis) -> None:
        self._pool: Any = redis.connection_pool
        self._connection: Any = None
        self._is_closed = False
        self._asking = asyncio.Lock()
        self._asked: list[tuple[bytes, Answer]] = []

    def close(self) -> None:
        """Before its client is closed: it would be opened again for who asks after that."""
        self._is_closed = True

    async def ask(self, *words: str | bytes | int) -> Any:
        """Raises RedisError, OSError or TimeoutError. Whoever may be cancelled meanwhile takes
        the others' answers along."""
        question: Any = words  # hiredis's types know tuples of one word
        answer: Answer = asyncio.get_running_loop().create_future()
        self._asked.append((hiredis.pack_command(question), answer))
        async with self._asking:
            if not answer.done():
                await asyncio.sleep(0)  # whoever asks in the same moment is let in
                asked, self._asked = self._asked, []
                await self._ask_all(asked)
        return answer.result()

    async def _ask_all(self, asked: list[tuple[bytes, Answer]]) -> None:
        try:
            async with asyncio.timeout(PATIENCE) as patience:
                try:
                    await self._answer(asked, patience)
                except ConnectionLost:
                    # Left alone for long it may have been closed: it is opened again.
                    await self._answer(asked, patience)
        except (RedisError, OSError, TimeoutError) as error:
            _refuse(asked, error)
        except BaseException:
            _refuse(asked, ConnectionLost("The question was given up."))
            raise

    async def _answer(self, asked: list[tuple[bytes, Answer]], patience: asyncio.Timeout) -> None:
        if self._is_closed:
            raise ConnectionLost("The connection is closed.")
        if self._connection is None:
            self._connection = await self._pool.get_connection()
        connection = self._connection
        left = [(words, answer) for words, answer in asked if not answer.done()]
        try:
            await connection.send_packed_command([words for words, _ in left], check_health=False)
        except RuntimeError as error:  # uvloop's, of a connection that failed while it was idle
            raise ConnectionLost(str(error)) from error
        for _, answer in left:
            try:
                answer.set_result(await connection.read_response())
            except ResponseError as error:
                answer.set_exception(error)
            patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)


def _refuse(asked: list[tuple[bytes, Answer]], error: Exception) -> None:
    for _, answer in asked:
        if not answer.done():
            answer.set_exception(error)
            answer.exception()  # so that it counts as heard: whoever gave up does not listen


_ONES: WeakKeyDictionary[Redis, OneConnection] = WeakKeyDictionary()


def one_connection(redis: Redis) -> OneConnection:
    """The client's, which closes it with its pool."""
    if redis not in _ONES:
        _ONES[redis] = OneConnection(redis)
    return _ONES[redis]
