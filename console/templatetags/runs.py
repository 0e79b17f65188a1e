"""The runs of whoever reads a page that are under way, for the head of every page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django import template
from django.http import HttpRequest

from ..access import MANY, runs_under_way

register = template.Library()


@dataclass(frozen=True)
class UnderWay:
    count: int
    newest: uuid.UUID

    @property
    def said(self) -> str:
        return f"{self.count}+" if self.count == MANY else str(self.count)


@register.simple_tag(takes_context=True)
def runs_of_reader(context: template.Context) -> UnderWay | None:
    """None where there are none, and where nobody is known."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    runs = runs_under_way(user)
    return UnderWay(len(runs), runs[0]) if runs else None
