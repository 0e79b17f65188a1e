"""Large parts of a page, put in when all around them is rendered: a template copies what it holds
once for each block, condition and page that it stands in, and then as bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe

PUT_IN_LAST = "put_in_last"  # by this name a template finds whom to leave them to
_MARK = secrets.token_hex(16)


class PutInLast:
    def __init__(self) -> None:
        self._parts: list[Sequence[bytes]] = []

    def later(self, html: Sequence[bytes]) -> SafeString:
        """What stands for it meanwhile."""
        self._parts.append(html)
        return mark_safe(f"{_MARK}{len(self._parts) - 1};")

    def whole(self, page: str) -> bytes:
        before, *rest = page.split(_MARK)
        pieces = [before.encode()]
        for after in rest:
            number, _, text = after.partition(";")
            pieces += self._parts[int(number)]
            pieces.append(text.encode())
        return b"".join(pieces)
