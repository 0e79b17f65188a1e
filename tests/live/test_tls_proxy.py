"""Behind a proxy that ends TLS, with FUSION_BASE_URL: pages, forms, sockets, links and programs
are those of the address that people type."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.door import Door
from tests.live.conftest import PASSWORD, add_people, make_stack
from tests.live.member import Page, View
from tests.live.tls_proxy import NAME, certificate, tls_proxy
from tests.stack import Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live


@dataclass(frozen=True)
class Site:
    stack: Stack
    url: str
    trust: ssl.SSLContext

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=60)

    def sign_in(self, browser: httpx.Client, origin: str = "") -> httpx.Response:
        page = browser.get("/sign-in")
        form = {"username": "alice", "password": PASSWORD, "csrfmiddlewaretoken": _token(page)}
        return browser.post(
            "/sign-in",
            data=form,
            headers={"Origin": origin or self.url, "Referer": f"{origin or self.url}/sign-in"},
        )


def _token(page: httpx.Response) -> str:
    written = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert written
    return written[1]


@pytest.fixture(scope="module")
def site(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = certificate(tmp_path_factory.mktemp("tls"))
    with Door() as door:
        url = f"https://{NAME}:{door.port}"
        with make_stack(upstream, FUSION_BASE_URL=url) as stack:
            add_people(stack)
            with tls_proxy(door, file, stack.port):
                yield Site(stack, url, ssl.create_default_context(cafile=str(file)))


def test_cookies_go_over_tls_only_and_addresses_begin_with_https(site: Site) -> None:
    with site.browser() as browser:
        reply = site.sign_in(browser)
        assert reply.status_code == 302
        assert browser.get(reply.headers["location"]).url.scheme == "https"
        cookies = [cookie for r in (browser.get("/sign-in"), reply) for cookie in _set(r)]
        assert {cookie.split("=")[0] for cookie in cookies} == {
            "csrftoken",
            "sessionid",
            "signed_in",
        }
        assert all("; secure" in cookie.lower() for cookie in cookies)


def _set(reply: httpx.Response) -> list[str]:
    return reply.headers.get_list("set-cookie")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost", "null"])
def test_a_form_from_elsewhere_is_refused(site: Site, origin: str) -> None:
    with site.browser() as browser:
        assert site.sign_in(browser, origin).status_code == 403


async def test_a_run_is_watched_to_its_end_over_a_secure_socket(
    site: Site, upstream: Upstream
) -> None:
    upstream.script("tls-one", Script(text="Rain is wet.", tokens_per_second=20))
    upstream.script("judge", Script(text="Rain is wet, both say.", judge=Script()))
    with site.browser() as browser:
        site.sign_in(browser)
        page = browser.get("/fusion")
        form = {
            "prompt": "Is rain wet?",
            "preset": "custom",
            "panel": ["tls-one", "good"],
            "judge": "judge",
            "csrfmiddlewaretoken": _token(page),
        }
        started = browser.post("/fusion", data=form, headers={"Origin": site.url})
        assert started.status_code == 302, started.text[:2000]
        run_id = started.headers["location"].rstrip("/").rsplit("/", 1)[1]
        policy = browser.get(f"/fusion/runs/{run_id}").headers["content-security-policy"]
        assert "connect-src 'self'" in policy
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        at = f"wss{site.url.removeprefix('https')}/ws/runs/{run_id}"

        def socket(origin: str) -> connect:
            return connect(
                at,
                ssl=site.trust,
                additional_headers={"Cookie": cookies},
                origin=origin,  # type: ignore[arg-type]
                open_timeout=60,
            )

        for elsewhere in ("https://evil.example", site.stack.url):
            with pytest.raises(InvalidStatus):
                async with socket(elsewhere):
                    pass
        view = View()
        async with socket(site.url) as watching:
            await view.follow(watching)
        read = Page(browser.get(f"/fusion/runs/{run_id}").text)
    assert view.status == read.status == "completed"
    assert read.texts["seat-0"].strip() == view.text("seat-0").strip() == "Rain is wet."


def test_programs_are_told_addresses_that_they_can_open(site: Site) -> None:
    key = site.stack.token("alice")
    headers = {"Authorization": f"Bearer {key}"}
    body = {"model": "good", "messages": [{"role": "user", "content": "Is rain wet?"}]}
    with site.browser() as program:
        told = program.post("/v1/chat/completions", json=body, headers=headers).json()
        assert told["fusion"]["run_url"].startswith(f"{site.url}/fusion/runs/")
        run = program.get(f"/v1/runs/{told['fusion']['run_id']}", headers=headers).json()
        assert run["urls"] and all(url.startswith(site.url) for url in run["urls"].values())


def test_a_link_that_is_shared_opens_for_anyone(site: Site) -> None:
    with site.browser() as browser, site.browser() as anyone:
        site.sign_in(browser)
        key = site.stack.token("alice")
        body = {"model": "good", "prompt": "Is rain wet?"}
        headers = {"Authorization": f"Bearer {key}"}
        run_id = browser.post("/v1/runs", json=body, headers=headers).json()["id"]
        until(lambda: browser.get(f"/v1/runs/{run_id}", headers=headers).json()["answer"])
        token = _token(browser.get(f"/fusion/runs/{run_id}"))
        page = browser.post(
            f"/fusion/runs/{run_id}/share",
            data={"visibility": "link", "csrfmiddlewaretoken": token},
            headers={"Origin": site.url},
        ).text
        addresses = re.findall(rf"{re.escape(site.url)}/[^\"'<\s]+", page)
        (link,) = {address for address in addresses if "shared" in address}
        assert anyone.get(link).status_code == 200
