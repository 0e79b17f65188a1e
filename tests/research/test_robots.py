"""What a robots.txt asks, as RFC 9309 reads it."""

from __future__ import annotations

import pytest

from console.research.robots import read

TEXT = """
User-agent: other
Disallow: /

User-agent: somebody
User-agent: *
Disallow: /private/
Allow: /private/open   # but this
Disallow: /*.pdf$
Disallow: /search?
Disallow: /caf%C3%A9
"""


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/", True), ("/private/", False), ("/private/a", False), ("/private/open/a", True),
        ("/a/b.pdf", False), ("/a/b.pdf.html", True), ("/search?q=a", False), ("/searching", True),
        ("/caf%c3%a9", False), ("/café", False),
    ],
)  # fmt: skip
def test_the_longest_rule_that_fits_decides(path: str, may: bool) -> None:
    assert read(TEXT).allows(path) is may


def test_a_group_that_names_us_is_the_only_one_that_counts() -> None:
    named = read("User-agent: *\nDisallow: /\n\nUser-agent: Fusion\nDisallow: /a\n")
    assert named.allows("/b") and not named.allows("/a")
    assert read("User-agent: *\nDisallow:\n").allows("/a")
    assert not read("Disallow: /a\nUser-agent: *\nDisallow: /b\nAllow: /b\n").rules[0][1]


def test_stars_without_end_take_no_time() -> None:
    robots = read("User-agent: *\nDisallow: /" + "*a" * 2000 + "$\n")
    assert robots.allows("/" + "a" * 1999 + "b")
