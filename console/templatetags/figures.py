"""Filters for the pages' figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

from ..engine.usage import money

register = template.Library()
register.filter("money", money)


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key, "")


@register.filter
def unlocalized(seconds: float) -> str:
    """Epoch seconds for a data attribute: every digit, never in a locale's clothes."""
    return f"{seconds:.3f}"


@register.filter
def when(moment: datetime) -> str:
    """A time on the day itself, else a day."""
    here, now = timezone.localtime(moment), timezone.localtime()
    if here.date() == now.date():
        return f"{here:%H:%M}"
    return f"{here.day} {here:%b}" if here.year == now.year else f"{here.day} {here:%b %Y}"
