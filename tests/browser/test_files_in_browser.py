"""Files that go with a question, by hand: chosen, pasted, dropped, taken away, and read about."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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
    expect(page.locator(".run-files img")).to_have_count(1)
    expect(page.locator("#seat-0 .seat-given").first).to_contain_text("as text")
    shoot(page, f"run-{scheme}")
    assert problems(page) == []
    assert wide_things(page) == []
