"""The same request again, just after its run failed for good: what is answered is that failure.

Many clients repeat whatever failed, at once and several times, and every repetition would pay
for a panel again; some begin anew what a person has stopped. So a failure that asking at once
cannot mend stands for a minute: no seat answered, or somebody stopped the run. Programs wait
longer from one repetition to the next, so each of them prolongs it, by a minute or by twice the
time since the failure, up to ten minutes in all. It stands for requests that begin after it, from
the same token, for the very same body, as long as that means the same models, and none of their
owner's runs has shown since that they answer again. Another answer is had by another body, an
`Idempotency-Key`, or by waiting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from ...engine.errors import Reason
from ...engine.findings.answering import answer_of, filtered_of
from ...engine.spec import Panelist, Spec
from ...engine.spec_versions import SpecUnreadable
from ...engine.state import RunStatus, Step
from ...models import Credential, Fusion, Run
from ...record.rows import state_from_rows
from ..http.base import ApiCall

# A run that no seat answered has one of these (OpenRouter's rule names what stopped one of them).
_NOBODY_ANSWERED = (Reason.ALL_PANELS_FAILED, Reason.RATE_LIMITED, Reason.INSUFFICIENT_CREDITS)
# What people mend, and then ask again at once.
_MENDED_BY_PEOPLE = (Reason.CONFIGURATION, Reason.INSUFFICIENT_CREDITS, Reason.BUDGET_EXCEEDED)
# No run takes longer; the index of a token's runs is by when they began.
_LONGEST_RUN = timedelta(days=1)
# So many times as long a failure stands at most, however often it is repeated.
_PROLONGED = 10
# So many of the latest runs are looked at for one of the same models.
_RECENT = 20


def failed_before(call: ApiCall[Any], hashes: Sequence[str], specs: Sequence[Spec]) -> Run | None:
    """The run of the same request that failed for good, and ended before this request began.

    `hashes` and `specs` are those of all the runs that this request has.
    """
    since = timezone.now() - _PROLONGED * _span()
    ended = Run.objects.filter(
        token=call.token,
        request_hash__in=hashes,
        created_at__gt=since - _LONGEST_RUN,
        finished_at__gt=since,
        finished_at__lte=call.began_at,
        status__in=[status for status in RunStatus if status.is_final],
    )
    last = ended.order_by("-finished_at").first()
    if last is None or not _stands(last) or not _would_ask_the_same(last, specs):
        return None
    return last if _failed_for_good(last, call) and not _answer_again(last) else None


def stopped_turn(call: ApiCall[Any]) -> Fusion | None:
    """The agent's turn that this very request has begun before, where somebody stopped it."""
    stopped = Fusion.objects.filter(
        token=call.token,
        request_hash=call.hash,
        status=RunStatus.CANCELLED,
        run__status=RunStatus.CANCELLED,
        run__finished_at__gt=timezone.now() - _PROLONGED * _span(),
        run__finished_at__lte=call.began_at,
    )
    last = stopped.select_related("run").order_by("-pk").first()
    if last is None or not _stands(last.run) or _went_with_its_client(last, call):
        return None
    return last


def repeated(failed: Run) -> None:
    """It has been asked for once more, and stands for another while."""
    failed.failure_repeated_at = timezone.now()
    failed.save(update_fields=["failure_repeated_at"])


def seconds_left(failed: Run) -> int:
    """Until the same request is asked anew, unless it comes before."""
    return max(1, math.ceil((_stands_until(failed) - timezone.now()).total_seconds()))


def _stands(failed: Run) -> bool:
    return timezone.now() < _stands_until(failed)


def _stands_until(failed: Run) -> datetime:
    assert failed.finished_at
    # A run that was taken up again since may have ended after its failure was last repeated.
    last = max(failed.finished_at, failed.failure_repeated_at or failed.finished_at)
    # Waits double from one repetition to the next, and some programs add up to as much by chance.
    further = max(_span(), 2 * (last - failed.finished_at))
    return min(last + further, failed.finished_at + _PROLONGED * _span())


def _span() -> timedelta:
    return timedelta(seconds=settings.SAME_FAILURE_SECONDS)


def _failed_for_good(run: Run, call: ApiCall[Any]) -> bool:
    if run.status == RunStatus.CANCELLED:
        was_answered = answer_of(run.frozen_spec, state_from_rows(run)) is not None
        return not was_answered and not _went_with_its_client(run, call)
    if run.status != RunStatus.FAILED or run.reason not in _NOBODY_ANSWERED:
        return False
    state = state_from_rows(run)
    if filtered_of(run.frozen_spec, state):
        return False  # it was told as an answer
    seats = {call.seat for call in state.calls.values() if call.step is Step.PANEL}
    last = [state.latest(Step.PANEL, seat=seat) for seat in seats]
    return not all(call and call.reason in _MENDED_BY_PEOPLE for call in last)


def _went_with_its_client(row: Run | Fusion, call: ApiCall[Any]) -> bool:
    """It was stopped by nobody, if its client wished so."""
    return bool(call.body.fusion.cancel_on_disconnect) and row.replied_at is None


def _would_ask_the_same(run: Run, specs: Sequence[Spec]) -> bool:
    """A preset that was changed since, or a key that was entered or tested, may fare better."""
    asked = _asked_of(run)
    if not asked or asked not in [list(_everybody(spec)) for spec in specs]:
        return False
    credentials = Credential.objects.filter(slug__in={slug for slug, _ in asked})
    return not credentials.filter(tested_at__gt=run.finished_at).exists()


def _answer_again(failed: Run) -> bool:
    """Another run of the same models has gone well since: they are worth asking."""
    if failed.status == RunStatus.CANCELLED:
        return False
    # One that began before says nothing of a server that is well by now.
    since = Run.objects.filter(
        owner=failed.owner, created_at__gt=failed.finished_at, status=RunStatus.COMPLETED
    )
    models = list(_everybody(failed.frozen_spec))
    return any(_asked_of(run) == models for run in since.order_by("-created_at")[:_RECENT])


def _asked_of(run: Run) -> list[tuple[str, str]]:
    try:
        return list(_everybody(run.frozen_spec))
    except SpecUnreadable:
        return []


def _everybody(spec: Spec) -> Iterator[tuple[str, str]]:
    """Credential and model of whoever may be asked."""
    for panelist in (*spec.panel, spec.judge, spec.writer):
        who: Panelist | None = panelist
        while who:
            yield who.credential, who.model
            who = who.fallback
