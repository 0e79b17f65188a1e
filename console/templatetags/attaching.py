"""What stands at a form that takes files."""

from __future__ import annotations

from django import template

from ..files.kinds import OFFERED

register = template.Library()


@register.simple_tag
def files_offered() -> str:
    """What a browser's dialogue offers first."""
    return OFFERED
