"""What the site's own search engine is paid: held before a search is made, as for a call, and
settled when the engine has answered. A search has no tokens: it is paid as a million of them."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from ..engine.errors import LeaseLost
from ..engine.state import RunStatus
from ..models import Hold, Run
from .amounts import MILLION, nano
from .asking import Ask, Denied, Payer
from .book import book
from .ending import End
from .shares import WEB


def search_hold(payer: Payer, attempt: int, engine: str, price: Decimal) -> str | Denied:
    """The key it is settled by. Raises LeaseLost when another attempt owns the run."""
    with transaction.atomic():
        # The run's row first, as whoever saves its calls does.
        mine = Run.objects.filter(pk=payer.run_id, attempt=attempt, status=RunStatus.RUNNING)
        if not mine.update(attempt=attempt):
            raise LeaseLost
        before = Hold.objects.filter(run=payer.run_id, call__startswith=f"{WEB}-").count()
        ask = Ask(
            key=f"{WEB}-{before + 1}",
            fusion=None,
            model=engine,
            input_most=MILLION,
            input_probably=MILLION,
            output=0,
            input_price=nano(price),
            output_price=0,
            engine=engine,
        )
        answer = book(payer, attempt, [ask], ())[ask.key]
    return answer if isinstance(answer, Denied) else ask.key


def search_settle(payer: Payer, attempt: int, key: str, cost: Decimal) -> None:
    with transaction.atomic():
        book(payer, attempt, (), [End(key, cost, None, None)])
