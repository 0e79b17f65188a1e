"""Texts as HTML, each rendered once: a page that thousands read costs one rendering.

A rendering knows nothing of who reads it, only the text and what stands beside it, and that is
what it is found by. So it may be kept for everybody who may see the text; who may is asked
elsewhere, each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from django.utils.safestring import SafeString

from ..markdown import render
from ..record.kept import KeptValues
from ..site import page_place

# Characters of HTML, of all that are kept.
KEPT = 32_000_000


class Renderings:
    def __init__(self, make: Callable[..., SafeString] = render, most: int = KEPT) -> None:
        self._make = make
        # Thousands who wait for one rendering keep no other page waiting.
        self._kept: KeptValues[SafeString] = KeptValues(most, len, waits=page_place.leave)

    def __call__(
        self, text: str, *, sources: str = "", cited: Mapping[int, str] | None = None
    ) -> SafeString:
        return self._kept.get(
            _key(text, sources, cited), lambda: self._make(text, sources=sources, cited=cited)
        )


rendered = Renderings()


def _key(text: str, sources: str, cited: Mapping[int, str] | None) -> bytes:
    beside = json.dumps([sources, sorted((cited or {}).items())])
    key = hashlib.sha256(beside.encode() + b"\0")
    key.update(text.encode("utf-8", "surrogatepass"))
    return key.digest()
