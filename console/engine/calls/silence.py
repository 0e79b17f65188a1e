"""How long a call may go on without a word."""

from __future__ import annotations

import asyncio
import math

from ..errors import ProviderError, Reason
from ..spec import Policy


class Silence:
    """How long a call may go on without a word: longer while its server shows that it lives,
    never without an end.

    Every word puts the end off, and a timer is dear: there is one, which looks when it goes off
    whether the end has been put off meanwhile.
    """

    def __init__(self, policy: Policy, deadline: asyncio.Timeout) -> None:
        self._policy, self._deadline = policy, deadline
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._total = self._since + policy.total_timeout
        self._was_alive = False
        self.has_words = False
        self._is_over = False  # the text is whole: what bounds the wait is the provider's
        self._timer: asyncio.TimerHandle | None = None
        self._ends = math.inf
        self._end_at(self._since + policy.first_token_timeout)

    def _end_at(self, moment: float) -> None:
        if self._is_over:
            return
        self._ends = min(moment, self._total)
        if self._timer is None or self._ends < self._timer.when():
            self._set()

    def _set(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._ends, self._look)

    def _look(self) -> None:
        if self._loop.time() >= self._ends:
            self._deadline.reschedule(self._ends)
        else:
            self._set()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def broken(self) -> None:
        self.has_words, self._was_alive, self._is_over = True, False, False
        self._since = self._loop.time()
        self._end_at(self._since + self._policy.stall_timeout)

    def is_whole(self) -> None:
        self._is_over = True
        self.close()

    def comes_whole(self) -> None:
        """Nothing is to be expected before all of it is there."""
        self._end_at(self._total)

    def is_borne_longer(self) -> bool:
        """Told of a sign of life; whether it counts."""
        policy = self._policy
        if not policy.heeds_signs_of_life:
            return False
        self._was_alive = True
        longest = self._since + policy.alive_timeout
        later = min(self._loop.time() + policy.stall_timeout, longest)
        self._end_at(max(self._ends, later))
        return True

    def out_of_time(self) -> ProviderError:
        policy, silent = self._policy, round(self._loop.time() - self._since, 1)
        if self._loop.time() >= self._total:
            return ProviderError(
                Reason.TIMEOUT, f"The answer was not finished after {policy.total_timeout:g} s."
            )
        if self._was_alive:
            seconds = min(silent, policy.alive_timeout)
            sentence = f"No text for {seconds:g} s, nothing but signs of life."
            reason = Reason.STALLED if self.has_words else Reason.TIMEOUT
            return ProviderError(reason, sentence, unconfirmed=not self.has_words)
        if self.has_words:
            return ProviderError(Reason.STALLED, f"No text for {policy.stall_timeout:g} s.")
        return ProviderError(
            Reason.TIMEOUT,
            f"No text within {policy.first_token_timeout:g} s of asking.",
            unconfirmed=True,
        )
