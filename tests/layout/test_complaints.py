"""What a browser complains of fails the test that showed it the page."""

from __future__ import annotations

import pytest

from tests.layout.conftest import Show
from tests.stack import until

pytestmark = pytest.mark.browser

PAGES = {
    "error of a script": '<script nonce="n">throw new Error("broken on purpose")</script>',
    "rejected promise": '<script nonce="n">Promise.reject(new Error("kept no word"))</script>',
    "console": '<script nonce="n">console.error("it said so")</script>',
    "policy": '<script nonce="n"></script><script>window.ran = 1</script>',
    "policy on styles": '<p style="color: red">red</p>',
    "missing": '<script nonce="n" src="/static/console/nothing.js"></script>',
    "socket": '<script nonce="n">new WebSocket("ws://elsewhere.test/")</script>',
}
WORDS = ("broken on purpose", "kept no word", "it said so", "script-src", "style-src", "404")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: f"<!doctype html><title>x</title>{html}" for name, html in PAGES.items()}


@pytest.mark.parametrize(
    ("name", "words"), list(zip(PAGES, (*WORDS, "Content Security Policy"), strict=True))
)
def test_what_a_browser_complains_of_is_heard(
    show: Show, complaints: list[str], name: str, words: str
) -> None:
    page = show(name, 800)
    until(lambda: page.evaluate("new Promise(requestAnimationFrame)") and complaints)
    assert any(words in complaint for complaint in complaints), complaints
    complaints.clear()
