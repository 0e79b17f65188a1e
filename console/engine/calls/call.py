"""One call to one model, with its deadlines.

`Context` is what every step of a run works with: the frozen spec, the folded
state, and the ways out (emit an event, get a provider, ask admission).

Deadlines count from the moment a call goes out, so one that queues for a free
place does not time out while it waits.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..attachments import Attachment, Picture, listed, marked, not_kept
from ..content import refuse_unknown
from ..errors import LeaseLost, ProviderError, Reason
from ..events import Event, EventType
from ..findings.extracts import Library
from ..given_files import GivenFiles, ToSee
from ..pool import Researcher
from ..provider import (
    Alive,
    Complete,
    Finish,
    Message,
    Provider,
    ReasoningDelta,
    Recast,
    Request,
    TextDelta,
    Unstreamed,
)
from ..receipt import COMPUTED, REPORTED
from ..reducer import apply
from ..spec import Panelist, Policy, Spec
from ..state import RunState, Step
from ..terms import NobodyLeft, Terms
from ..usage import cost_of
from .limits import Reserved, reserve
from .unread import with_sent

log = logging.getLogger(__name__)

AT_A_TIME = 16_000  # characters of one call, between which other runs have their turn


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


async def stream_call(
    context: Context,
    key: str,
    panelist: Panelist,
    request: Request,
    *,
    on_text: Callable[[str], None],
    on_reasoning: Callable[[str], None],
    on_recast: Callable[[str, str], None],
    on_alive: Callable[[], None] = lambda: None,
    may_go_on: bool = False,
) -> Finish:
    """Carry the call out, handing deltas on as they come; `on_recast` is given text and
    reasoning in place of all that was handed on before, `on_alive` told of signs of life before
    the first word. `may_go_on`: it is given tools of ours, and what has to go back with its next
    turn is kept.

    Raises ProviderError; what `on_text` was given until then stands.
    """
    policy = context.spec.policy
    try:
        refuse_unknown(request.messages)
        # The one door of every call: none goes out without what the run asks of it.
        panelist = replace(panelist, terms=_terms_of(context, key, panelist))
        request = replace(request, terms=panelist.terms)
        provider = await context.provider_for(panelist)
        async with context.admission.place(key, panelist):
            calls = context.state.calls
            reserve(context.reserved, policy, calls.values(), key, request)
            files: dict[str, Any] = {"files": list(request.given)} if request.given else {}
            context.say(EventType.CALL_SENT, key, **files)
            try:
                paid = await context.admission.record(key, panelist, request)
            except BaseException:
                context.say(EventType.CALL_QUEUED, key)  # it never went out
                raise
            if paid:
                request = replace(request, max_output_tokens=paid)
                context.say(EventType.CALL_SENT, key, output_limit=paid)
            finish = await _within_deadlines(
                provider, request, policy, on_text, on_reasoning, on_recast, on_alive
            )
    except (ProviderError, LeaseLost, asyncio.CancelledError):
        raise
    except Exception as error:
        log.exception("call %s failed in an unforeseen way", key)
        raise ProviderError(Reason.INTERNAL) from error
    finally:
        context.settle()
        context.reserved.free(key)
    finish = await _with_pictures(context, key, finish)
    cost, source = finish.cost, REPORTED
    if cost is None:
        cost, source = cost_of(finish.usage, panelist.price), COMPUTED
    return replace(
        finish,
        usage=with_sent(finish.usage, request.messages),
        cost=None if cost is None else round(cost, 8),
        cost_source="" if cost is None else source,
        # Asked for by a model that was given none, they are no answer.
        tool_calls=finish.tool_calls if request.options.get("tools") else (),
        goes_on=finish.goes_on if may_go_on else {},
    )


async def _with_pictures(context: Context, key: str, finish: Finish) -> Finish:
    """Those of answers are kept; what else may be drawn, nobody is shown."""
    is_answer = context.state.calls[key].step in (Step.PANEL, Step.SYNTHESIS)
    if not (finish.pictures and context.album and is_answer):
        return finish
    found = [*finish.attachments]
    for picture in finish.pictures:
        found[picture.place] = found[picture.place] | await context.album.keep(picture)
    return replace(finish, attachments=tuple(found), pictures=())


def words_for(text: str, finish: Finish) -> str:
    """What an answer says that is pictures and nothing else."""
    return "" if text.strip() or finish.tool_calls else marked(finish.attachments)


def _terms_of(context: Context, key: str, panelist: Panelist) -> Terms:
    try:
        terms = context.spec.terms.and_also(panelist.terms)
    except NobodyLeft as nobody:
        raise ProviderError(Reason.CONFIGURATION, str(nobody)) from None
    is_asked_the_prompt = context.state.calls[key].step is Step.PANEL
    return terms if is_asked_the_prompt else terms.without_beside()


async def _within_deadlines(
    provider: Provider,
    request: Request,
    policy: Policy,
    on_text: Callable[[str], None],
    on_reasoning: Callable[[str], None],
    on_recast: Callable[[str, str], None],
    on_alive: Callable[[], None],
) -> Finish:
    handled = 0
    try:
        async with asyncio.timeout(None) as deadline:
            silence = _Silence(policy, deadline)
            try:
                async with aclosing(provider.stream(request)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        match chunk:
                            case TextDelta(text):
                                on_text(text)
                                handled += len(text)
                            case ReasoningDelta(text):
                                on_reasoning(text)
                                handled += len(text)
                            case Recast(text, reasoning):
                                on_recast(text, reasoning)
                            case Alive():
                                if silence.is_borne_longer() and not silence.has_words:
                                    on_alive()
                                continue
                            case Complete():
                                silence.is_whole()
                                continue
                            case Unstreamed():
                                silence.comes_whole()
                                if policy.heeds_signs_of_life:
                                    on_alive()  # for all that can be known, it writes
                                continue
                            case Finish():
                                return chunk
                        silence.broken()
                        if handled > AT_A_TIME:
                            # What has come already comes without a pause, and others have runs,
                            # too.
                            handled = 0
                            await asyncio.sleep(0)
            finally:
                silence.close()
    except TimeoutError:
        if not deadline.expired():
            raise ProviderError(Reason.TIMEOUT) from None
        raise silence.out_of_time() from None
    raise ProviderError(Reason.TRUNCATED)


class _Silence:
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


def least(*limits: int | None) -> int | None:
    """The smallest of the limits there are."""
    return min((limit for limit in limits if limit), default=None)


def receipt(finish: Finish) -> dict[str, Any]:
    """What the end of a call puts on record."""
    return finish.to_dict()


def failure(error: ProviderError) -> dict[str, Any]:
    data: dict[str, Any] = {"reason": error.reason.value, "error": error.message}
    if error.status_code:
        data["status_code"] = error.status_code
    return data


def request_for(
    panelist: Panelist,
    messages: list[Message],
    *,
    max_output_tokens: int | None,
    temperature: float | None,
    response_schema: dict[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Request:
    """`asked` is `Spec.request` for the call that answers it: what a program wants wins."""
    asked = asked or {}
    return Request(
        model=panelist.model,
        messages=messages,
        temperature=asked.get("temperature", temperature),
        max_output_tokens=asked.get("max_output_tokens", max_output_tokens),
        seed=asked.get("seed", panelist.seed),
        reasoning_effort=asked.get("reasoning_effort", panelist.reasoning_effort),
        response_schema=response_schema,
        options=asked.get("options", {}),
    )


def unusable(text: str, reasoning: str, finish: Finish) -> ProviderError | None:
    """Why a stream that ended well is still no answer; None when it is one."""
    if finish.finish_reason == "content_filter":
        return ProviderError(Reason.CONTENT_FILTER)
    if text.strip() or finish.tool_calls:
        return None
    if finish.attachments:
        beside = listed(finish.attachments)
        lost = not_kept(finish.attachments).removeprefix(f"{beside}, ")
        why = f" It was {lost}." if ": " in lost else ""
        return ProviderError(Reason.EMPTY, f"The model answered with {beside} and no text.{why}")
    if finish.finish_reason == "tool_calls":
        return ProviderError(Reason.EMPTY, "The model asked for tools, which it was not given.")
    if finish.finish_reason == "length" and reasoning.strip():
        return ProviderError(
            Reason.EMPTY, "The model thought until its output limit and gave no answer."
        )
    if finish.finish_reason == "length":
        return ProviderError(
            Reason.EMPTY, "The output limit was used up before the answer had begun."
        )
    if reasoning.strip():
        return ProviderError(Reason.EMPTY, "The model returned only its reasoning, no answer.")
    return ProviderError(Reason.EMPTY)
