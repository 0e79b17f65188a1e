"""A real Chromium before the whole stack; whoever visits is watched.

One Chromium serves the whole folder, and every visitor has a window of their own in it, which the
next one has after them (`windows.py`).
Playwright's sync API leaves an event loop running in this thread for as long as it lives, and no
asyncio test can run beside it: there are none in this folder, and the browser goes with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Dialog,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.browser.chromium import FLAGS, executable
from tests.browser.complaints import listen
from tests.browser.windows import Windows
from tests.live.conftest import PASSWORD, PLANTED, add_people
from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Upstream

PATIENCE = 60_000
PROMPT_LIMIT = 5000
# What an admin would have made in /admin/ (which test_first_use.py does), made at once.
_PRESET = """
from console.models import Credential, Preset
server = Credential.objects.get(slug="openai")
pair = Preset.objects.create(
    name="Plain pair", slug="plain-pair", judge_model="good", judge_credential=server
)
for seat, model in enumerate(["good", "markdown"]):
    pair.panelists.create(seat=seat, credential=server, model=model)
"""
# Text that means harm calls `pwned()`; and every socket is kept, so that a test can cut it.
INSTRUMENTS = """
window.ran = 0; window.pwned = () => { window.ran += 1; return true; };
const Real = WebSocket; window.sockets = [];
window.WebSocket = class extends Real {
  constructor(...args) { super(...args); window.sockets.push(this); }
};
"""


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


@pytest.fixture(autouse=True)
def held_by_script(upstream: Upstream) -> None:
    upstream.hold(everything=False)


@pytest.fixture(scope="package")
def stack(upstream: Upstream) -> Iterator[Stack]:
    # Long enough a stall for a stream that a test holds and looks at.
    with Stack(
        OPENAI_BASE_URL=upstream.url,
        OPENAI_API_KEY=PLANTED,
        FUSION_STALL_TIMEOUT="300",
        FUSION_PERMISSION_SECONDS="1",
        FUSION_MAX_PROMPT_CHARACTERS=str(PROMPT_LIMIT),
    ) as stack:
        add_people(stack)
        stack.shell(_PRESET)
        yield stack


@pytest.fixture(scope="package")
def people(stack: Stack) -> Iterator[People]:
    """Each signed in once, beside the browser: to ask quickly, and to lend a session."""
    known: dict[str, Member] = {}

    def person(name: str) -> Member:
        if name not in known:
            known[name] = Member(stack, name, PASSWORD)
        return known[name]

    yield person
    for member in known.values():
        member.http.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a context asked, said and got."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    without_policy: list[str] = field(default_factory=list)
    is_over: bool = False  # the visit: what the window does on the way to the next is nobody's

    def on(self, context: BrowserContext) -> None:
        context.on("request", self._ask)
        context.on("dialog", self._dismiss)
        listen(context, self.said)
        context.on("response", self._look)

    def _ask(self, request: Request) -> None:
        if not self.is_over:
            self.asked.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        if self.is_over:
            dialog.accept()
            return
        self.said.append(dialog.message)
        dialog.dismiss()

    def _look(self, response: Response) -> None:
        if not self.is_over and response.request.resource_type == "document":
            policy = response.headers.get("content-security-policy", "")
            if "default-src 'none'" not in policy or "unsafe" in policy:
                self.without_policy.append(response.url)

    def elsewhere(self) -> list[str]:
        ours = (self.url, self.url.replace("http", "ws", 1), "data:", "about:")
        return [address for address in self.asked if not address.startswith(ours)]

    def begin_anew(self) -> None:
        self.is_over = False
        for told in (self.asked, self.said, self.without_policy):
            told.clear()


People = Callable[[str], Member]
Visit = Callable[..., Page]
Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="package")
def watches() -> dict[BrowserContext, Watch]:
    """Of each window its own, for as long as it stays."""
    return {}


@pytest.fixture(scope="package")
def windows(browser: Browser, watches: dict[BrowserContext, Watch]) -> Windows:
    def begin(context: BrowserContext) -> None:
        context.set_default_timeout(PATIENCE)
        watches[context] = Watch()
        watches[context].on(context)
        context.add_init_script(INSTRUMENTS)

    return Windows(browser, "/robots.txt", begin)


@pytest.fixture
def visit(
    stack: Stack, windows: Windows, watches: dict[BrowserContext, Watch], people: People
) -> Iterator[Visit]:
    """`visit("ada")`: a page of hers in a window of its own; `visit()`: nobody known.

    Afterwards: nothing was asked of another host, every page had its policy, no dialog
    opened, and (unless `trouble` was expected) the browser had nothing to complain about.
    """
    visits: list[tuple[Watch, bool]] = []

    def page(name: str = "", *, trouble: bool = False, **options: Any) -> Page:
        page = windows.take(base_url=stack.url, **options)
        context, watch = page.context, watches[page.context]
        watch.begin_anew()
        watch.url = stack.url
        if name:
            context.add_cookies(
                [
                    {"name": c.name, "value": c.value or "", "url": stack.url}
                    for c in people(name).http.cookies.jar
                ]
            )
        visits.append((watch, trouble))
        return page

    yield page
    for watch, _ in visits:
        watch.is_over = True
    windows.put_back()
    for watch, trouble in visits:
        assert watch.elsewhere() == []
        assert watch.without_policy == []
        assert trouble or watch.said == []


@pytest.fixture
def shoot() -> Shoot:
    """A picture of a page, where somebody wants to look: TEST_PICTURES names the folder."""
    folder = os.environ.get("TEST_PICTURES", "")

    def take(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=os.path.join(folder, f"{name}.png"), full_page=True)

    return take
