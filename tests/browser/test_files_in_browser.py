"""Files that go with a question, by hand: chosen, pasted, dropped, taken away, and read about."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.acts import wait_for_the_end, wide_things
from tests.browser.conftest import Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.files import making
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 780}
REPORT = {
    "name": "service-log-2025.pdf",
    "mimeType": "application/pdf",
    "buffer": making.pdf(["The compressor leaks eleven per cent a year."] * 38),
}
# As a browser hands on what was copied or is dropped.
HAND_ON = """([kind, into, name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], name, { type }));
  const named = kind === "paste" ? { clipboardData: held } : { dataTransfer: held };
  const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
  document.querySelector(into).dispatchEvent(
    new Kind(kind, { bubbles: true, cancelable: true, ...named }));
}"""


def chips(page: Page) -> list[str]:
    return page.locator(".attached-name").all_inner_texts()


def hand_on(page: Page, kind: str, into: str, name: str) -> None:
    data = base64.b64encode(making.picture()).decode()
    page.evaluate(HAND_ON, [kind, into, name, "image/png", data])


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_files_are_attached_by_button_paste_and_drop_and_read_about(
    visit: Visit, shoot: Shoot, upstream: Upstream, viewport: Any, scheme: Any
) -> None:
    page = visit("alice", viewport=viewport, color_scheme=scheme)
    page.goto("/fusion")
    shoot(page, f"compose-{scheme}")
    page.get_by_label("Attach files").set_input_files([REPORT])
    expect(page.locator(".attached-file")).to_contain_text("38 pages")
    hand_on(page, "paste", "#prompt", "screen.png")
    expect(page.locator(".attached-name")).to_have_count(2)
    hand_on(page, "drop", ".ask", "dropped.png")
    expect(page.locator(".attached-name")).to_have_count(3)
    page.get_by_label("Attach files").set_input_files(
        [{"name": "run.exe", "mimeType": "text/plain", "buffer": b"MZ\x00"}]
    )
    expect(page.locator(".attached-wrong")).to_have_text("“run.exe” is a program.")
    page.get_by_role("button", name="Remove dropped.png").click()
    assert chips(page) == ["service-log-2025.pdf", "screen.png"]
    page.locator("#prompt").fill("What does the compressor do?")
    page.locator("label", has_text="Plain pair").click()
    shoot(page, f"attached-{scheme}")
    assert problems(page) == []
    assert wide_things(page) == []
    page.get_by_role("button", name="Fuse", exact=True).click()
    wait_for_the_end(page)
    expect(page.locator(".run-files")).to_contain_text("service-log-2025.pdf")
    expect(page.locator(".run-files img")).to_have_count(2)
    expect(page.locator("#seat-0 .seat-given").first).to_contain_text("as text")
    shoot(page, f"run-{scheme}")
    assert problems(page) == []
    assert wide_things(page) == []
    _follow_up(page, shoot, scheme)


def _follow_up(page: Page, shoot: Shoot, scheme: str) -> None:
    """With a file of its own; pressed while that is on its way, it goes when it is there."""
    page.goto(f"{page.url}?part=fused-answer")  # on a phone one part is shown at a time
    came = page.url
    page.locator("#follow-prompt").fill("And what does this say?")
    held: list[Route] = []
    page.route("**/fusion/files", lambda route: held.append(route))
    hand_on(page, "paste", "#follow-prompt", "note.png")
    expect(page.locator(".attached-waits")).to_have_count(1)
    page.get_by_role("button", name="Ask on").click()
    expect(page.locator(".attached-then")).to_have_text(
        "It is asked as soon as the files are there."
    )
    shoot(page, f"waits-{scheme}")
    assert problems(page) == []
    assert wide_things(page) == []
    assert page.url == came
    held[0].continue_()
    page.wait_for_url(lambda url: url != came)
    wait_for_the_end(page)
    expect(page.locator(".run-files")).to_contain_text("note.png")
    expect(page.locator(".run-files")).to_contain_text("service-log-2025.pdf")
