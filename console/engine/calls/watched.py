"""A text is looked at while it is written, and its call is ended when it says nothing more."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ProviderError, Reason
from ..findings.degenerate import Degeneracy, Detector, first_piece, held_back, without_mark

REASONS = {Degeneracy.REPEATS: Reason.REPEATS_ITSELF, Degeneracy.ECHOES: Reason.ECHOES_PROMPT}


class Watched:
    """Hands on what it is given, for as long as the detector has nothing to say.

    Raises ProviderError. Of the fence's `mark`, which nobody is to see, nothing is handed on:
    what may be its beginning is kept back until more has come.
    """

    def __init__(
        self, hand_on: Callable[[str], None], detector: Detector | None, *, mark: str = ""
    ) -> None:
        self._hand_on, self._detector, self._mark = hand_on, detector, mark
        self._held = ""

    def __call__(self, text: str) -> None:
        if self._mark:
            text = self._held + text
            kept = held_back(text, self._mark)
            self._held = text[len(text) - kept :]
            text = text[: len(text) - kept]
            if (at := first_piece(text + self._held, self._mark)) is not None:
                self._held = ""
                self._say(text[:at])
                raise ProviderError(Reason.ECHOES_PROMPT)
        self._say(text)
        self._judge(self._detector.feed(text) if self._detector else None)

    def begin_with(self, text: str) -> None:
        """Of a text that takes the place of all that was handed on. Raises ProviderError."""
        self._held = ""
        if self._detector:
            self._detector.begin()
            self._judge(self._detector.feed(text))

    def end(self) -> None:
        """Of a text that is whole. Raises ProviderError."""
        held, self._held = self._held, ""
        self._say(held)
        if self._detector:
            self._judge(self._detector.feed(held) or self._detector.end())

    def _say(self, text: str) -> None:
        if text:
            self._hand_on(text)

    def _judge(self, found: Degeneracy | None) -> None:
        if found:
            raise ProviderError(REASONS[found])


class Unmarked:
    """Tells a text as it comes, without the fence's mark, which nobody is to see: what may be its
    beginning waits for more, and at the end for the text as a whole, which is told anyway."""

    def __init__(self, mark: str, tell: Callable[..., None]) -> None:
        self._mark, self._tell, self._held = mark, tell, ""

    def __call__(self, text: str) -> None:
        text = self._held + text
        kept = held_back(text, self._mark)
        self._held = text[len(text) - kept :]
        if told := without_mark(text[: len(text) - kept], self._mark):
            self._tell(text=told)
