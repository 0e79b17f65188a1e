"""Addresses of pages that a model may have opened: none that it made up itself.

A page may tell whoever reads it to open an address that carries what it knows. So only whole
addresses count, exactly as they were found: by a search, in the question, or in a page on the same
site as that page. The last are the first few of each page, since a choice among many tells, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

OF_A_PAGE = 20
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'“”‘’`{}|\\^\[\]]+", re.IGNORECASE)
_AFTER = ".,;:!?…*_~"
_USUAL_PORTS = {"http": 80, "https": 443}


def normalised(address: str) -> str:
    """Of two that lead to the same page by every reading the same; "" of what is none."""
    try:
        parts = urlsplit(address.strip())
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        return ""
    if scheme not in _USUAL_PORTS or not host or parts.username is not None:
        return ""
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, _USUAL_PORTS[scheme]) else f"{host}:{port}"
    return urlunsplit((scheme, place, parts.path or "/", parts.query, ""))


def addresses_in(text: str) -> Iterator[str]:
    """Each whole, without the marks of the sentence that it stands in."""
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_AFTER)
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(_AFTER)
        if normalised(address):
            yield address


def may_be_opened(
    hits: Iterable[str], question: str, pages: Iterable[tuple[str, str]]
) -> Mapping[str, str]:
    """By what they come to, as they were found. `pages`: address and text of each that was
    read."""
    named = [*hits, *addresses_in(question)]
    for address, text in pages:
        site = _site(address)
        # Looked at in the order of the page, however many others stand there.
        named += islice((one for one in addresses_in(text) if _site(one) == site), OF_A_PAGE)
    known: dict[str, str] = {}
    for one in named:
        known.setdefault(normalised(one) or one, one)
    return known


def _site(address: str) -> tuple[str, str]:
    parts = urlsplit(normalised(address))
    return parts.scheme, parts.netloc
