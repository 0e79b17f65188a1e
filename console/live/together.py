"""What many sockets want to know of the database at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from channels.db import database_sync_to_async
from django.db import close_old_connections

Find = Callable[[], Any]


class Together:
    """Asks for all of them in one turn of a thread, and once where they ask the same. Nothing is
    remembered: who asks while an answer is on its way has the next one."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, tuple[Find, asyncio.Future[Any]]] = {}
        self._turns: set[asyncio.Task[None]] = set()

    async def ask(self, what: Hashable, find: Find) -> Any:
        """`what` is all that the answer hangs on."""
        if what not in self._waiting:
            loop = asyncio.get_running_loop()
            if not self._waiting:  # whom the same beat has woken asks before this has its turn
                turn = loop.create_task(self._turn())
                self._turns.add(turn)
                turn.add_done_callback(self._turns.discard)
            self._waiting[what] = find, loop.create_future()
        # Who leaves meanwhile leaves the others their answer.
        return await asyncio.shield(self._waiting[what][1])

    async def _turn(self) -> None:
        waiting, self._waiting = self._waiting, {}
        answers: list[Any] = []
        finds = [find for find, _ in waiting.values()]
        try:
            answers = await database_sync_to_async(_answers)(finds)
        except Exception as error:
            answers = [error] * len(finds)
        finally:
            for _, future in waiting.values() if not answers else ():
                future.cancel()  # the loop is ending
        for (_, future), answer in zip(waiting.values(), answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def _answers(finds: Iterable[Find]) -> list[Any]:
    return [_answer(find) for find in finds]


def _answer(find: Find) -> Any:
    try:
        return find()
    except Exception as error:  # of one of them, which must not cost the others theirs
        close_old_connections()  # if it is broken, the next has another
        return error
