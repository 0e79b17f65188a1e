"""Carrying one run out: admit its calls, fuse, record."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from django.conf import settings
from django.db import Error
from redis.asyncio import Redis

from ..engine import windows
from ..engine.calls.context import Control
from ..engine.calls.window import window_of
from ..engine.errors import LeaseLost, ProviderError, Reason
from ..engine.events import Event, EventType
from ..engine.pool import lookups, searches, wanted
from ..engine.provider import Provider
from ..engine.reducer import apply
from ..engine.spec import MAX_SEATS, Panelist, Spec
from ..engine.state import RunState
from ..engine.steps.fuse import fuse, stopped
from ..files.attached import attached_to
from ..files.delivery import Delivery, has_files
from ..models import Credential, Run, credentials_named, traits_known, traits_learned
from ..money.asking import Payer
from ..money.book import Till
from ..providers.registry import make_provider
from ..providers.traits import Traits
from ..record import eventlog
from ..record.asked import Asked
from .admission import AllPlaces, RunAdmission
from .album import RunAlbum
from .leases import release
from .recorder import Db, Recorder
from .research import RunResearcher
from .saving import patiently

log = logging.getLogger(__name__)


# Slug -> a credential that is ready to be called with, and (model, name, value) of what its
# models are known not to take.
Keys = Mapping[str, tuple[Credential, list[tuple[str, str, str]]]]


@dataclass(frozen=True)
class Shared:
    """What the runs of a worker process have in common."""

    db: Db
    redis: Redis
    client: httpx.AsyncClient
    places: AllPlaces


class Execution:
    """One attempt at one run."""

    def __init__(
        self,
        shared: Shared,
        run: Run,
        state: RunState,
        asked: Asked,
        *,
        keys: Keys,
        handed_on: bool = False,
    ) -> None:
        self.run_id, self.attempt, self.owner_id = run.pk, run.attempt, run.owner_id
        self._is_a_programs = run.token_id is not None
        payer = Payer(run.pk, run.owner_id, run.token_id, run.project_id)
        self.till = Till(payer, run.attempt, is_open=run.has_purse)
        self._asked = asked
        self.control = Control()
        self.control.tell(fuse_now=bool(run.fuse_requested_at), stopped=set(run.stopped_seats))
        self.spec = Spec.from_dict(run.spec)
        self.state = state
        self._handed_on = handed_on
        self._researcher = RunResearcher(
            payer,
            run.attempt,
            self._patient_db,
            web=_searches_the_web(self.spec, state),
            queries=[search["query"] for search in searches(state.research)],
        )
        self._keys = keys
        self.stopped_by = ""  # cancelled | lost | shutdown
        self._shared = shared
        self._providers: dict[str, tuple[Provider, Credential]] = {}
        self.ended = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._lessons: set[asyncio.Task[None]] = set()

    async def _patient_db(self, work: Any, *args: Any) -> Any:
        return await patiently(lambda: self._shared.db(work, *args), f"run {self.run_id}")

    def stop(self, why: str) -> None:
        """`cancelled`: the user; `lost`: another worker has it; `shutdown`: this worker ends."""
        if not self.stopped_by:
            self.stopped_by = why
            if self._task:
                self._task.cancel()

    async def carry_out(self) -> None:
        # Nobody looks at most of what programs ask while it is written, and ten streams at once
        # leave the web process time for others.
        windows.every(2 if self._is_a_programs else 1)
        self.recorder = Recorder(
            self.run_id,
            self.attempt,
            self.state,
            redis=self._shared.redis,
            db=self._shared.db,
            checkpoint=settings.CHECKPOINT_SECONDS,
            on_lost=lambda: self.stop("lost"),
            till=self.till,
        )
        self._admission = RunAdmission(
            self.state,
            self.recorder,
            self._shared.places,
            emit=self.emit,
            is_stopped=lambda: bool(self.stopped_by),
        )
        self._task = asyncio.create_task(self._fuse(), name=f"run {self.run_id}")
        try:
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()):
                self._on_error(error)
            if self._lessons:
                await asyncio.wait(self._lessons)
            await self._end()
        except (LeaseLost, eventlog.Fenced):
            log.warning("run %s was taken over by another worker", self.run_id)
        finally:
            await self.recorder.close()

    async def _fuse(self) -> None:
        messages, histories = self._asked.messages, self._asked.histories
        files = Delivery({}, self._asked_of)
        if any(map(has_files, (messages, *histories.values()))):
            files = Delivery(await self._asked_of(attached_to, self.run_id), self._asked_of)
            histories = {seat: histories.get(seat) or messages for seat in range(MAX_SEATS)}
            messages = await files.as_text(_reader(self.spec), messages)
        await fuse(
            self.spec,
            messages,
            state=self.state,
            attempt=self.attempt,
            provider_for=self._provider_for,
            emit=self.recorder.emit,
            admission=self._admission,
            clock=time.time,
            control=self.control,
            histories=histories,
            handed_on=self._handed_on,
            pieces=self.recorder,
            files=files,
            researcher=self._researcher,
            album=RunAlbum(self.run_id, self._asked_of),
        )

    async def _asked_of(self, work: Any, *args: Any) -> Any:
        """The database, however long it is away."""
        return await patiently(lambda: self._shared.db(work, *args), f"run {self.run_id}")

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, LeaseLost):
            self.stopped_by = self.stopped_by or "lost"
            return
        log.error("run %s failed in an unforeseen way", self.run_id, exc_info=error)
        self._say(
            EventType.RUN_FAILED,
            reason=Reason.INTERNAL.value,
            error=str(ProviderError(Reason.INTERNAL)),
        )

    async def _end(self) -> None:
        if self.stopped_by == "lost":
            return
        if self.stopped_by == "shutdown" and not self.state.status.is_final:
            await self.recorder.abandon()
            await self._shared.db(release, self.run_id, self.attempt)
            return
        if self.stopped_by == "cancelled" and not self.state.status.is_final:
            ending, said = stopped(self.state)
            self._say(ending, **said)
        await self.recorder.finish()

    def _say(self, kind: EventType, **data: Any) -> None:
        self.emit(Event(kind, round(time.time(), 3), data=data))

    def emit(self, event: Event) -> None:
        self.recorder.tell()
        apply(self.state, event)
        self.recorder.emit(event)

    async def _provider_for(self, panelist: Panelist) -> Provider:
        slug = panelist.credential
        await self.recorder.has_begun()
        if slug not in self._providers:
            if slug in self._keys:
                credential, traits = self._keys[slug]
            else:
                credential, traits = await patiently(
                    lambda: self._shared.db(_credential, slug), f"run {self.run_id}"
                )
            self._shared.places.limit(slug, credential.max_concurrent)
            provider = make_provider(
                credential.kind,
                base_url=credential.url,
                api_key=credential.key,
                client=self._shared.client,
                traits=Traits(traits, partial(self._learn, slug, credential.url)),
            )
            # Another seat may have come first meanwhile: what is learned is learned for both.
            self._providers.setdefault(slug, (provider, credential))
        provider, credential = self._providers[slug]
        if broken := credential.unkept(panelist.terms):
            # It may have been given another address since the run was begun.
            words = ", ".join(map(panelist.terms.word, broken))
            raise ProviderError(
                Reason.CONFIGURATION, f"{credential.name} does not promise: {words}."
            )
        return provider

    def _learn(self, slug: str, url: str, *trait: str) -> None:
        """Kept at once, for the runs beside this one, and waited for at the end."""
        self._lessons.add(asyncio.create_task(self._keep(slug, url, trait)))

    async def _keep(self, slug: str, url: str, trait: Any) -> None:
        try:
            await self._shared.db(traits_learned, slug, url, [trait])
        except Error as error:
            # It is learned again by the next run that needs it.
            log.warning("run %s could not keep what it learned: %s", self.run_id, error)


def _searches_the_web(spec: Spec, state: RunState) -> bool:
    """Not where only the project's files are looked into; what a reader asks for is."""
    open_ones = [one for one in lookups(state.research) if not one.get("is_over")]
    is_asked_for = bool(open_ones or wanted(state.research))
    return is_asked_for or not (spec.research and spec.research.way == "files")


def _reader(spec: Spec) -> Panelist:
    """Of who compares and who writes, the one that can read less."""
    return min(spec.judge, spec.writer, key=lambda who: window_of(who) or math.inf)


def keys_of(spec: Spec) -> Keys:
    """Those that can be called with, read at once for all of a run's models; what is wrong with
    the others is said by `_credential` when their turn comes."""
    asked = [*spec.panel, spec.judge, spec.writer]
    asked += [p.fallback for p in asked if p.fallback]
    slugs = {p.credential for p in asked}
    credentials = credentials_named(slugs)
    ready = [credential for credential in credentials if not credential.lacks]
    known = traits_known(*ready)
    return {c.slug: (c, known[c.pk]) for c in ready}


def _credential(slug: str) -> tuple[Credential, list[tuple[str, str, str]]]:
    """Ready to be called with, and what its models are known not to take. Raises ProviderError."""
    credential = Credential.objects.filter(slug=slug).first()
    if credential is None:
        raise ProviderError(
            Reason.CONFIGURATION,
            f"The credential “{slug}” is not there any more. An admin can add it again.",
        )
    if lacks := credential.lacks:
        raise ProviderError(Reason.CONFIGURATION, lacks)
    return credential, traits_known(credential)[credential.pk]
