"""An amount in US dollars, as it is typed in the shell."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django.core.management.base import CommandError


def dollars(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise CommandError(f"{option} is an amount in US dollars.") from None
    if not amount.is_finite() or amount < 0 or amount >= 10**8:
        raise CommandError(f"{option} is an amount in US dollars.")
    return amount
