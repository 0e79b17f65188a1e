"""Texts as HTML, each rendered once: a page that thousands read costs one rendering.

A rendering knows nothing of who reads it, only the text and what stands beside it, and that is
what it is found by. So it may be kept for everybody who may see the text; who may is asked
elsewhere, each time.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from django.utils.safestring import SafeString

from ..markdown import render

# Characters of HTML, of all that are kept; a text that takes more than its share is not.
KEPT = 32_000_000


class Renderings:
    """The last that were asked for. Who asks for one that is being made waits for it."""

    def __init__(self, make: Callable[..., SafeString] = render, most: int = KEPT) -> None:
        self._make, self._most = make, most
        self._kept: OrderedDict[bytes, SafeString] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._making: dict[bytes, threading.Lock] = {}

    def __call__(
        self, text: str, *, sources: str = "", cited: Mapping[int, str] | None = None
    ) -> SafeString:
        key = _key(text, sources, cited)
        with self._lock:
            if (kept := self._found(key)) is not None:
                return kept
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if (kept := self._found(key)) is not None:
                    return kept
            try:
                html = self._make(text, sources=sources, cited=cited)
                with self._lock:
                    self._keep(key, html)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return html

    def _found(self, key: bytes) -> SafeString | None:
        if (html := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return html

    def _keep(self, key: bytes, html: SafeString) -> None:
        if len(html) > self._most // 4 or key in self._kept:
            return
        self._kept[key] = html
        self._size += len(html)
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest)


rendered = Renderings()


def _key(text: str, sources: str, cited: Mapping[int, str] | None) -> bytes:
    beside = json.dumps([sources, sorted((cited or {}).items())])
    key = hashlib.sha256(beside.encode() + b"\0")
    key.update(text.encode("utf-8", "surrogatepass"))
    return key.digest()
