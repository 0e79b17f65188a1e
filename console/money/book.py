"""The book: money is held for calls that go out and settled for calls that have ended, within
the transaction that says so in the calls' own rows.

All windows that a transaction touches are locked at once, in one fixed order, so two never wait
for each other. A hold is settled by whoever changes it: two who try book once. One that was settled
by an estimate, since its worker was lost, is corrected when its worker comes back with the truth.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from ..engine.pool import lookups
from ..engine.state import Step
from ..models import Fusion, Hold, Purse, Run, Window
from ..models.money import (
    DAY,
    FOR_A_RUN,
    MONTH,
    OF_A_RUN,
    PERSON,
    PROJECT,
    RANKS,
    SITE,
    TOKEN,
    run_subject,
)
from . import words
from .asking import Answer, Ask, Denied, Granted, Payer
from .ending import End
from .shares import Shares, shares_of

log = logging.getLogger(__name__)

THE_WHOLE_RUN = date(1970, 1, 1)


@dataclass
class Till:
    """What one attempt at a run pays from. Closed while no budget concerns it: then nothing is
    looked up. `is_open` is told by whoever reads the run's row (`models.money.has_purse`)."""

    payer: Payer
    attempt: int
    is_open: bool

    def book(self, asks: Collection[Ask], ends: Collection[End]) -> dict[str, Answer]:
        if not self.is_open or not (asks or ends):
            return {ask.key: Granted() for ask in asks}
        return book(self.payer, self.attempt, asks, ends)


def book(
    payer: Payer, attempt: int, asks: Collection[Ask], ends: Collection[End]
) -> dict[str, Answer]:
    """Within the caller's transaction. What each of `asks` may do; money for those that are
    granted is held when this returns."""
    keys = [*(ask.key for ask in asks), *(end.key for end in ends)]
    holds = list(
        Hold.objects.filter(
            Q(settled_nano=None) | Q(is_estimated=True), run_id=payer.run_id, call__in=keys
        )
    )
    purses = _purses_of(payer, [ask for ask in asks if not ask.is_free])
    now = timezone.localtime()
    concerned = {purse.pk: purse for found in purses.values() for purse in found}
    in_order = sorted(concerned.values(), key=lambda purse: (rank(purse), purse.pk))
    windows = _locked(in_order, _windows_of(holds), now)
    by_key = {end.key: end for end in ends}
    changes: dict[int, list[int]] = defaultdict(lambda: [0, 0])  # window -> [held, spent]
    for hold in holds:
        if hold.call in by_key:
            _settle(hold, by_key[hold.call], windows, changes)
    held = {hold.call for hold in holds if hold.attempt == attempt}
    shares = shares_of(payer.run_id, concerned.values())
    answers: dict[str, Answer] = {}
    made: list[Hold] = []
    for ask in asks:
        # Asked for again after a commit whose answer was lost: it is held already, or was given
        # back while its worker seemed to be lost, and is corrected by what it costs.
        if ask.key in held:
            answers[ask.key] = Granted(_limit_of(holds, ask.key))
            continue
        if not purses.get(ask.key):
            answers[ask.key] = Granted(_limit_of(holds, ask.key))
            if ask.engine:
                made.append(_hold(payer, attempt, ask))
            continue
        days = {purse.pk: starts(purse, now) for purse in purses[ask.key]}
        paying = [w for w in windows.values() if days.get(w.purse_id) == w.starts]
        # None: its budgets were taken away a moment ago.
        taken = _take(payer, attempt, ask, paying, changes, made, shares) if paying else Granted()
        answers[ask.key] = taken
    Hold.objects.bulk_create(made)
    _write(changes, windows)
    return answers


def _purses_of(payer: Payer, asks: Collection[Ask]) -> Mapping[str, list[Purse]]:
    """Call -> the budgets it belongs to, the lowest rank first."""
    if not asks:
        return {}
    numbers = {ask.fusion for ask in asks if ask.fusion}
    tokens: dict[int | None, int | None] = {}
    if numbers:
        fusions = Fusion.objects.filter(run_id=payer.run_id, number__in=numbers)
        tokens = dict(fusions.exclude(token=None).values_list("number", "token_id"))
    of_call = {ask.key: tokens.get(ask.fusion, payer.token_id) for ask in asks}
    looks = [ask for ask in asks if ask.key.startswith(f"{Step.LOOKUP}-")]
    by_fusion = _tokens_of_looks(payer.run_id) if looks else {}
    of_call |= {ask.key: by_fusion[ask.fusion] for ask in looks if ask.fusion in by_fusion}
    found = purses_for(payer.run_id, payer.owner_id, of_call.values(), payer.project_id)
    return {
        key: [p for p in found if p.kind != TOKEN or p.subject == str(token)]
        for key, token in of_call.items()
    }


def _tokens_of_looks(run_id: Any) -> dict[int | None, int | None]:
    """Fusion -> who has a claim of it looked up just now: not who asked for the run."""
    research = Run.objects.filter(pk=run_id).values_list("research", flat=True).first()
    return {one["fusion"]: one["token"] for one in lookups(research or {}) if "token" in one}


def purses_for(
    run_id: Any,
    owner_id: int | None,
    tokens: Iterable[int | None],
    project_id: int | None = None,
) -> list[Purse]:
    """Each with whether it has a window of today."""
    subjects = [str(token) for token in set(tokens) if token is not None]
    mine = Q(kind=SITE) | Q(kind=TOKEN, subject__in=subjects)
    if run_id is not None:
        mine |= Q(kind__in=OF_A_RUN, subject=run_subject(run_id))
    if owner_id is not None:
        mine |= Q(kind=PERSON, subject=str(owner_id))
    if project_id is not None:
        mine |= Q(kind=PROJECT, subject=str(project_id))
    now = timezone.localtime()
    today, first = now.date(), now.date().replace(day=1)
    this = Window.objects.filter(
        Q(purse__period=FOR_A_RUN)
        | Q(purse__period=DAY, starts=today)
        | Q(purse__period=MONTH, starts=first),
        purse=OuterRef("pk"),
    )
    found = Purse.objects.filter(mine).annotate(has_window=Exists(this))
    return sorted(found, key=lambda purse: (rank(purse), purse.pk))


def rank(purse: Purse) -> int:
    return RANKS.get(purse.kind, RANKS[SITE] - 1)


def starts(purse: Purse, now: datetime) -> date:
    """The first day of the window, in the site's time zone, that `now` lies in."""
    if purse.period == FOR_A_RUN:
        return THE_WHOLE_RUN
    return now.date() if purse.period == DAY else now.date().replace(day=1)


def _locked(purses: Collection[Any], besides: Collection[int], now: datetime) -> dict[int, Window]:
    """The windows of today of `purses_for`, made where they are missing, and those `besides`."""
    if not purses and not besides:
        return {}
    _made([purse for purse in purses if not purse.has_window], now)
    current = Q(pk__in=besides)
    for purse in purses:
        current |= Q(purse_id=purse.pk, starts=starts(purse, now))
    # The purse comes with the lock: its limit may just have been changed.
    ordered = Window.objects.select_for_update(of=("self",)).select_related("purse")
    return {row.pk: row for row in ordered.filter(current).order_by("rank", "pk")}


def _made(purses: Collection[Purse], now: datetime) -> None:
    """Before anything is locked, for who makes the same waits for the other's end."""
    if purses:
        Window.objects.bulk_create(
            [Window(purse=p, rank=rank(p), starts=starts(p, now)) for p in purses],
            ignore_conflicts=True,
        )


def _windows_of(holds: Iterable[Hold]) -> set[int]:
    return {window for hold in holds for window in hold.windows}


def _limit_of(holds: Iterable[Hold], key: str) -> int | None:
    return next((hold.output_limit for hold in holds if hold.call == key), None)


def _take(
    payer: Payer,
    attempt: int,
    ask: Ask,
    paying: Collection[Window],
    changes: dict[int, list[int]],
    made: list[Hold],
    shares: Shares,
) -> Answer:
    if ask.input_price is None or ask.output_price is None:
        return Denied(words.unpriced(next(iter(paying)).purse, ask))
    kept = {window.pk: shares.kept_from(ask.key, window.purse) for window in paying}
    left = {window.pk: _left(window, changes) - kept[window.pk] for window in paying}
    least = min(paying, key=lambda window: left[window.pk])
    amount, limit = ask.amount(), None if ask.is_limited else ask.output
    if amount > left[least.pk]:
        limit = ask.that_fits(left[least.pk])
        if limit is None:
            return Denied(words.denied(least.purse, ask, left[least.pk]))
        amount = ask.amount(limit)
    made.append(_hold(payer, attempt, ask, limit, paying))
    for window in paying:
        changes[window.pk][0] += amount
    shares.taken(ask.key, amount)
    return Granted(limit)


def _hold(
    payer: Payer,
    attempt: int,
    ask: Ask,
    limit: int | None = None,
    paying: Collection[Window] = (),
) -> Hold:
    assert ask.input_price is not None and ask.output_price is not None
    return Hold(
        run_id=payer.run_id,
        call=ask.key,
        attempt=attempt,
        engine=ask.engine,
        amount_nano=ask.amount(limit),
        windows=[window.pk for window in paying],
        input_tokens=ask.input_probably,
        input_price_nano=ask.input_price,
        output_price_nano=ask.output_price,
        priced_by=ask.priced_by,
        output_limit=limit,
    )


def _left(window: Window, changes: Mapping[int, list[int]]) -> int:
    more = sum(changes[window.pk]) if window.pk in changes else 0
    return window.purse.limit_nano - window.spent_nano - window.held_nano - more


def _settle(
    hold: Hold, end: End, windows: Mapping[int, Window], changes: dict[int, list[int]]
) -> None:
    was, actual = hold.settled_nano, end.settles(hold)
    if was is not None and actual[1]:
        return  # one estimate is as good as another
    settled = Hold.objects.filter(pk=hold.pk, settled_nano=was).update(
        settled_nano=actual[0], is_estimated=actual[1], settled_at=timezone.now()
    )
    if not settled:
        return
    hold.settled_nano = actual[0]
    for pk in hold.windows:
        if pk in windows:  # else its budget is not there any more
            changes[pk][0] -= hold.amount_nano if was is None else 0
            changes[pk][1] += actual[0] - (was or 0)
    if actual[0] > hold.amount_nano:
        log.warning(
            "call %s of run %s cost %d nano-dollars, and %d were held: the provider billed more "
            "than its list says",
            *(hold.call, hold.run_id, actual[0], hold.amount_nano),
        )


def _write(changes: Mapping[int, list[int]], windows: Mapping[int, Window]) -> None:
    for pk, (held, spent) in changes.items():
        if held or spent:
            Window.objects.filter(pk=pk).update(
                held_nano=F("held_nano") + held, spent_nano=F("spent_nano") + spent
            )
            _warn(windows[pk], spent)


def _warn(window: Window, more: int) -> None:
    """Once a window, when most of it is spent, all of it, or more than that. A run's budget is the
    business of who started it."""
    purse, spent = window.purse, window.spent_nano
    now = words.state(purse.limit_nano, spent + more)
    if now and purse.kind not in OF_A_RUN and now != words.state(purse.limit_nano, spent):
        log.warning("%s (%s): %s", words.named(purse), purse, now)
