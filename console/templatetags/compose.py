"""Parts of the page to ask on. What nobody has filled in reads alike for everybody: it is made
once in a process, of nothing but its place, and changes with the product only."""

from __future__ import annotations

from functools import cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..pages.form_rows import AnswerRow, SeatRow
from ..pages.forms import ComposeForm
from ..services.prompt_starters import STARTERS

register = template.Library()


@register.simple_tag
def seat(row: SeatRow, form: ComposeForm) -> SafeString:
    if row == SeatRow(row.seat):
        return _blank_seat(row.seat, form.shows_all)
    return _made("seat", row=row, form=form)


@cache
def _blank_seat(number: int, shows_all: bool) -> SafeString:
    return _made("seat", row=SeatRow(number), form={"shows_all": shows_all})


@register.simple_tag
def answer(row: AnswerRow) -> SafeString:
    if row == AnswerRow(row.number):
        return _blank_answer(row.number)
    return _made("answer", row=row)


@cache
def _blank_answer(number: int) -> SafeString:
    return _made("answer", row=AnswerRow(number))


@register.simple_tag
@cache
def starters() -> SafeString:
    """The templates that come along."""
    return _made("starters", starters=STARTERS)


MADE_ONCE = (_blank_seat, _blank_answer, starters)


def _made(name: str, **context: Any) -> SafeString:
    return SafeString(render_to_string(f"console/compose/_{name}.html", context).strip())
