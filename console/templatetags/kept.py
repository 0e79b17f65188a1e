"""Parts of a page of a run that has ended, or has just begun, each made once for all who are shown
the same.

Such a part sees only what it is given, neither request nor page, and is found by all of that as
it is now: where anything in it changes (a ruling, a text, what a reader may see), it is another
part. What asks the database while it is made shows what it was not given, so it is not kept. So
nobody is shown what was made for somebody else, and nothing has to be thrown away.
"""

from __future__ import annotations

import hashlib
import pickle
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from django import template
from django.db import connection
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from ..fragments.put_in import PUT_IN_LAST
from ..fragments.seats import SeatView
from ..record.kept import KeptValues
from ..site import page_place

register = template.Library()

KEPT = 24_000_000  # bytes of HTML, of all together: of some 30 runs of six long answers

# What is another each time stands in a part as a random mark, and is put in for each reader.
_MARK = secrets.token_hex(16)
_EACH_TIME = {
    name: f"{_MARK}{number}"
    for number, name in enumerate(
        ("csrf_token", "client_run_id", "seat_stop", "seat_since"), start=1
    )
}
_NAMES = {mark[-1]: name for name, mark in _EACH_TIME.items()}

BRIEFLY = 400_000  # of some seven runs that begin: for those who come at once

Pieces = list[bytes]  # HTML, and by turns the names of what stands between


def _store(most: int) -> KeptValues[Pieces]:
    return KeptValues(most, lambda pieces: sum(map(len, pieces)), waits=page_place.leave)


_parts, _brief_parts = _store(KEPT), _store(BRIEFLY)


@register.simple_tag(takes_context=True)
def include_kept(
    context: template.Context,
    name: str,
    everything: Mapping[str, Any] | None = None,
    briefly: bool = False,
    **given: Any,
) -> SafeString:
    """`everything`: more that it is given, all at once. `briefly`: it will be another soon."""
    given |= everything or {}
    given |= _EACH_TIME
    key = hashlib.sha256(pickle.dumps((name, given), pickle.HIGHEST_PROTOCOL)).digest()
    try:
        pieces = (_brief_parts if briefly else _parts).get(key, lambda: _made(name, given))
    except _NotKept as made:
        pieces = made.pieces
    said = [*pieces]
    for n, each in enumerate(pieces[1::2]):
        said[2 * n + 1] = conditional_escape(context.get(each.decode()) or "").encode()
    if last := context.get(PUT_IN_LAST):
        return cast(SafeString, last.later(said))
    return mark_safe(b"".join(said).decode())


@register.filter
def at_any_time(seat: SeatView) -> SeatView:
    """One that has yet to begin, for which it is told elsewhere since when it is waited for."""
    if seat.call is None:
        return seat
    call = replace(seat.call, started_at=_EACH_TIME["seat_since"], sent_at=None)  # type: ignore[arg-type]
    return replace(seat, call=call)


class _NotKept(Exception):
    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces


def _made(name: str, given: dict[str, Any]) -> Pieces:
    asked = []

    def ask(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(ask):
        first, *rest = render_to_string(name, given).split(_MARK)
    pieces = [first.encode()]
    for after in rest:
        pieces += _NAMES[after[0]].encode(), after[1:].encode()
    if asked:
        raise _NotKept(pieces)
    return pieces
