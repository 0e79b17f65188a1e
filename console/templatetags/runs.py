"""The runs of whoever reads a page that are under way, and whether others did something to theirs,
for the head of every page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django import template
from django.http import HttpRequest

from ..access import MANY, at_the_head

register = template.Library()


@dataclass(frozen=True)
class UnderWay:
    """`newest`: None where there are none. `has_news`: others did something to one's runs."""

    count: int
    newest: uuid.UUID | None
    has_news: bool

    @property
    def said(self) -> str:
        return f"{self.count}+" if self.count == MANY else str(self.count)


@register.simple_tag(takes_context=True)
def runs_of_reader(context: template.Context) -> UnderWay | None:
    """None where nobody is known."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    told = at_the_head(user)
    runs = told.under_way
    return UnderWay(len(runs), runs[0] if runs else None, told.has_news)
