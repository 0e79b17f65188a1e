"""A page as a reader has it: the words under each id."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


class Words(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self._open: list[tuple[str, str]] = []
        self._said: dict[str, list[str]] = {}
        self.feed(html)

    def under(self, *ids: str) -> str:
        """The words under these ids, one after the other, with single spaces."""
        return re.sub(r"\s+", " ", " ".join("".join(self._said.get(i, ())) for i in ids)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        self._open.append((tag, dict(attrs).get("id") or ""))
        self._said.setdefault(self._open[-1][1], [])
        if tag in ("p", "div", "span", "dd", "li", "h2", "summary"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        while any(tag == name for name, _ in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        for name in {name for _, name in self._open if name}:
            self._said[name].append(data)
