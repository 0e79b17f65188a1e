"""Filters for the pages' figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..engine.usage import money
from ..fragments.sentences import run_word
from ..record.titles import called

register = template.Library()
register.filter("money", money)
register.filter("called", called)
register.filter("run_word", run_word)


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key, "")


@register.filter
def unlocalized(seconds: float | str) -> str:
    """Epoch seconds for a data attribute: every digit, never in a locale's clothes. What is put in
    their place (kept.py) as it is."""
    return seconds if isinstance(seconds, str) else f"{seconds:.3f}"


@register.filter("moment")
def when_exactly(moment: datetime) -> SafeString:
    """Day and time. In the server's zone, by its name: `times.js` writes the reader's."""
    here = timezone.localtime(moment)
    return _time(here, "long", f"{here.day} {here:%b %Y, %H:%M}", here.tzname())


@register.filter
def when(moment: datetime) -> SafeString:
    """A time on the day itself, else a day."""
    here, now = timezone.localtime(moment), timezone.localtime()
    if here.date() == now.date():
        return _time(here, "short", f"{here:%H:%M}", here.tzname())
    year = "" if here.year == now.year else f" {here.year}"
    return _time(here, "short", f"{here.day} {here:%b}{year}")


def _time(moment: datetime, form: str, words: str, zone: str | None = None) -> SafeString:
    named = format_html('<span class="zone"> {}</span>', zone) if zone else ""
    html = '<time datetime="{}" data-form="{}" title="{}">{}{}</time>'
    exact = f"{moment.day} {moment:%b %Y, %H:%M} {moment.tzname()}"
    return format_html(html, moment.isoformat(timespec="seconds"), form, exact, words, named)
