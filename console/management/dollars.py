"""An amount in US dollars, as it is typed in the shell."""

from __future__ import annotations

from decimal import Decimal

from django.core.management.base import CommandError

from console.money.amounts import read


def dollars(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError:
        raise CommandError(f"{option} is an amount in US dollars.") from None
