"""Which addresses a model may have opened: whole ones that were found, and none of its own."""

from __future__ import annotations

import pytest

from console.engine.findings.addresses import (
    OF_A_PAGE,
    addresses_in,
    may_be_opened,
    normalised,
)

HIT, PAGE = "https://found.example/a?x=1", "https://rivers.example/elbe"
TEXT = (
    "See https://rivers.example/oder. Also (https://rivers.example/a_(river)), and "
    "https://other.example/elbe, or https://rivers.example:8443/x."
)
QUESTION = "What does https://asked.example/paper.pdf, say? And “http://asked.example”?"


@pytest.mark.parametrize(
    ("wanted", "as_found"),
    [
        (HIT, HIT),
        ("HTTPS://Found.example:443/a?x=1#part", HIT),
        ("https://asked.example/paper.pdf", "https://asked.example/paper.pdf"),
        ("http://asked.example/", "http://asked.example"),
        ("https://rivers.example/oder", "https://rivers.example/oder"),
        ("https://rivers.example/a_(river)", "https://rivers.example/a_(river)"),
        # a beginning of one, one with more behind it, and another query
        ("https://rivers.example/od", None),
        ("https://asked.example/paper", None),
        ("https://found.example/a", None),
        ("https://found.example/a?x=1&said=secret", None),
        ("https://found.example/A?x=1", None),
        # of another site, of another port of it, and with a name in it
        ("https://other.example/elbe", None),
        ("https://rivers.example:8443/x", None),
        ("https://me:secret@found.example/a?x=1", None),
    ],
)
def test_only_whole_addresses_that_were_found(wanted: str, as_found: str | None) -> None:
    known = may_be_opened([HIT], QUESTION, [(PAGE, TEXT)])
    assert known.get(normalised(wanted) or wanted) == as_found


def test_of_a_page_that_offers_a_choice_of_many_only_the_first_may_be_opened() -> None:
    text = " ".join(f"https://rivers.example/{n}" for n in range(500))
    known = may_be_opened([], "", [(PAGE, text)])
    assert [*known.values()] == [f"https://rivers.example/{n}" for n in range(OF_A_PAGE)]


def test_what_is_no_address_is_none() -> None:
    text = "ftp://a.example http:// https://[::1 https://a.example:port/ xhttps://b.example"
    assert [*addresses_in(text)] == []
