"""Parts of a page of a run that has ended, each made once for all who are shown the same.

Such a part sees only what it is given, neither request nor page, and is found by all of that as
it is now: where anything in it changes (a ruling, a text, what a reader may see), it is another
part. So nobody is shown what was made for somebody else, and nothing has to be thrown away.
"""

from __future__ import annotations

import hashlib
import pickle
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..record.kept import KeptValues
from ..site import page_place

register = template.Library()

KEPT = 8_000_000  # characters of HTML, of all together: of some 40 runs of six long answers
_parts: KeptValues[SafeString] = KeptValues(KEPT, len, waits=page_place.leave)


@register.simple_tag
def include_kept(name: str, **given: Any) -> SafeString:
    """Not for what holds a form of its own: its token is another each time."""
    key = hashlib.sha256(pickle.dumps((name, given), pickle.HIGHEST_PROTOCOL)).digest()
    return _parts.get(key, lambda: render_to_string(name, given))
