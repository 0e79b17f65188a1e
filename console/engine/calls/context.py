"""What every step of a run works with: the frozen spec, the folded state, and the ways out (emit an
event, get a provider, ask admission)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..attachments import Attachment, Picture
from ..events import Event, EventType
from ..findings.extracts import Library
from ..given_files import GivenFiles, ToSee
from ..pool import Researcher
from ..provider import Message, Provider, Request
from ..reducer import apply
from ..spec import Panelist, Spec
from ..state import RunState
from .limits import Reserved


class Admission(Protocol):
    """The door every call goes through."""

    def place(self, key: str, panelist: Panelist) -> AbstractAsyncContextManager[None]:
        """Entered once its credential has a free place, left when the call is over."""
        ...

    async def record(self, key: str, panelist: Panelist, request: Request) -> int | None:
        """Returns when the call is on record as sent and paid for, so that it may go out; an
        output limit where no more than that could be paid for.

        Raises ProviderError or LeaseLost.
        """
        ...


class Pieces(Protocol):
    """Pieces of texts, kept by whoever records the run until it looks: all that came meanwhile is
    one event, folded into the state when it is told."""

    def keep(self, kind: EventType, call: str, fusion: int, text: str) -> None: ...

    def tell(self) -> None:
        """Of all that is kept."""
        ...


class Files(Protocol):
    """What people attached, for who is asked."""

    async def give(
        self, panelist: Panelist, messages: list[Message], seat: int | None = None
    ) -> GivenFiles:
        """To a seat as it was chosen for it."""
        ...

    def was_refused(self, panelist: Panelist) -> None:
        """It took none as they are: whatever it is asked next has their text."""
        ...

    async def shown(
        self, reader: Panelist, drawn: Mapping[str, list[Attachment]], tokens: int | None
    ) -> ToSee:
        """For who compares and writes: what there is to be seen of what was attached, and of what
        came with each answer, by its letter; within so many tokens."""
        ...


class Album(Protocol):
    """Where pictures that come with answers are kept."""

    async def keep(self, picture: Picture) -> Attachment:
        """What is known of it from then on: its `hash`, or `why` it is not kept."""
        ...


class Control:
    """What readers asked of a run under way. `changed` wakes whoever waits."""

    def __init__(self) -> None:
        self.fuse_now = False
        self.stopped: set[int] = set()
        self.changed = asyncio.Event()

    def tell(self, *, fuse_now: bool, stopped: set[int]) -> None:
        if (fuse_now, stopped) != (self.fuse_now, self.stopped):
            self.fuse_now, self.stopped = fuse_now, stopped
            self.changed.set()


@dataclass
class Context:
    spec: Spec
    messages: list[Message]
    state: RunState
    emit: Callable[[Event], None]
    provider_for: Callable[[Panelist], Awaitable[Provider]]
    admission: Admission
    clock: Callable[[], float]
    control: Control = field(default_factory=Control)
    # Seat -> its own conversation, where it is not the run's.
    histories: Mapping[int, list[Message]] = field(default_factory=dict)
    reserved: Reserved = field(default_factory=Reserved)
    pieces: Pieces | None = None  # without: every piece is an event at once
    files: Files | None = None  # without: nothing was attached
    researcher: Researcher | None = None
    album: Album | None = None  # without: no picture that comes is kept
    # The sources that were read for the run, once research is over.
    library: Library | None = None

    async def given(self, panelist: Panelist, messages: list[Message], seat: int) -> GivenFiles:
        if self.files is None:
            return GivenFiles(messages)
        return await self.files.give(panelist, messages, seat)

    def write(self, kind: EventType, call: str, fusion: int = 0, *, text: str) -> None:
        """A piece of a call's text or thoughts; its first is told at once."""
        if self.pieces is None or self.state.calls[call].first_token_at is None:
            self.say(kind, call, fusion, text=text)
        else:
            self.pieces.keep(kind, call, fusion, text)

    def settle(self) -> None:
        """From here on the state has all that was written."""
        if self.pieces is not None:
            self.pieces.tell()

    def say(self, kind: EventType, call: str = "", fusion: int = 0, **data: Any) -> None:
        self.settle()
        event = Event(kind, round(self.clock(), 3), call, fusion, data)
        apply(self.state, event)
        self.emit(event)
