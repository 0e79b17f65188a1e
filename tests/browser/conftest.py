"""A real Chromium before the whole stack; whoever visits is watched.

One Chromium serves the whole folder, and every visitor has a context of their own in it.
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
    Response,
    expect,
    sync_playwright,
)

from tests.browser.chromium import FLAGS, executable
from tests.browser.complaints import listen
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

    url: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    without_policy: list[str] = field(default_factory=list)

    def on(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("dialog", self._dismiss)
        listen(context, self.said)
        context.on("response", self._look)

    def _dismiss(self, dialog: Dialog) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()

    def _look(self, response: Response) -> None:
        if response.request.resource_type == "document":
            policy = response.headers.get("content-security-policy", "")
            if "default-src 'none'" not in policy or "unsafe" in policy:
                self.without_policy.append(response.url)

    def elsewhere(self) -> list[str]:
        ours = (self.url, self.url.replace("http", "ws", 1), "data:", "about:")
        return [address for address in self.asked if not address.startswith(ours)]


People = Callable[[str], Member]
Visit = Callable[..., Page]
Shoot = Callable[[Page, str], None]


@pytest.fixture
def visit(stack: Stack, browser: Browser, people: People) -> Iterator[Visit]:
    """`visit("ada")`: a page of hers in a context of its own; `visit()`: nobody known.

    Afterwards: nothing was asked of another host, every page had its policy, no dialog
    opened, and (unless `trouble` was expected) the browser had nothing to complain about.
    """
    contexts: list[tuple[BrowserContext, Watch, bool]] = []

    def page(name: str = "", *, trouble: bool = False, **options: Any) -> Page:
        context = browser.new_context(base_url=stack.url, **options)
        context.set_default_timeout(PATIENCE)
        watch = Watch(stack.url)
        watch.on(context)
        if name:
            context.add_cookies(
                [
                    {"name": c.name, "value": c.value or "", "url": stack.url}
                    for c in people(name).http.cookies.jar
                ]
            )
        if options.get("java_script_enabled", True):
            context.add_init_script(INSTRUMENTS)
        contexts.append((context, watch, trouble))
        return context.new_page()

    yield page
    for context, _, _ in contexts:
        context.close()
    for _, watch, trouble in contexts:
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
