"""Which keys cannot pay: told by calls that were refused for it, and asked once a day.

It is forgotten with the first call that is paid for with the key, or by the next question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache

from django.db.models import Q, SlugField
from django.utils import timezone

from ..engine.errors import ProviderError, Reason
from ..engine.state import CallStatus
from ..models import Call, Credential
from ..models.prepared import Prepared, count_for, each, some
from ..providers.registry import can_pay
from ..providers.wire.http import make_client

PATIENCE = 10.0
EVERY = timedelta(days=1)


def remember_who_pays(calls: Iterable[Call]) -> None:
    """Of calls as they are saved; nothing is written where nothing has changed."""
    ended = [call for call in calls if call.finished_at is not None]
    refused = {_slug(c) for c in ended if c.reason == Reason.INSUFFICIENT_CREDITS}
    paid = {_slug(c) for c in ended if c.status == CallStatus.COMPLETED and c.cost}
    if refused:
        keys = Credential.objects.filter(slug__in=refused, cannot_pay_since=None)
        keys.update(cannot_pay_since=timezone.now())
    if paid - refused:
        slugs = sorted(paid - refused)
        _could_not_pay(count_for(slugs)).update({"cannot_pay_since": None}, **each("slug", slugs))


@cache
def _could_not_pay(count: int) -> Prepared:
    slugs = some("slug", SlugField(), count)
    return Prepared(
        lambda: Credential.objects.filter(slug__in=slugs).exclude(cannot_pay_since=None)
    )


def _slug(call: Call) -> str:
    return str(call.panelist.get("credential", ""))


def claim_keys_to_ask() -> list[Credential]:
    """Those that nobody has asked in a day, marked as asked: of several workers one gets each."""
    now = timezone.now()
    old = Q(money_asked_at=None) | Q(money_asked_at__lt=now - EVERY)
    claimed = []
    for credential in Credential.objects.filter(old):
        if not credential.is_ready or credential.is_local or credential.has_key_elsewhere:
            continue
        if Credential.objects.filter(old, pk=credential.pk).update(money_asked_at=now):
            claimed.append(credential)
    return claimed


def ask(credentials: Sequence[Credential]) -> dict[int, bool]:
    """Whether each can pay, of those whose provider says so. No database is needed."""

    async def all_of_them() -> list[bool | None]:
        async with make_client(connect_timeout=PATIENCE) as client:

            async def one(credential: Credential) -> bool | None:
                try:
                    return await can_pay(
                        credential.kind,
                        base_url=credential.url,
                        api_key=credential.key,
                        client=client,
                        timeout=PATIENCE,
                    )
                except ProviderError:
                    return None  # nothing is known anew

            return await asyncio.gather(*map(one, credentials))

    answers = zip(credentials, asyncio.run(all_of_them()), strict=True)
    return {c.pk: answer for c, answer in answers if answer is not None}


def keep(answers: dict[int, bool]) -> None:
    for pk, pays in answers.items():
        keys = Credential.objects.filter(pk=pk)
        if pays:
            keys.exclude(cannot_pay_since=None).update(cannot_pay_since=None)
        else:
            keys.filter(cannot_pay_since=None).update(cannot_pay_since=timezone.now())
