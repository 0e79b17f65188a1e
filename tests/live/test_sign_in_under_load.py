"""Signing in through the web server itself: proxies, many attempts, and two processes."""

from __future__ import annotations

import httpx
import pytest

from tests.door import Door
from tests.live.conftest import PASSWORD
from tests.stack import PATIENCE, Stack

pytestmark = pytest.mark.live


# Few, so that they are tried within the minute also where ten other things go on.
AN_ADDRESS = 3


@pytest.fixture
def behind_a_proxy(both: tuple[int, int]) -> list[str]:
    """Two further web servers of the stack, whose proxy is whoever asks from here."""
    return [f"http://127.0.0.1:{port}" for port in both]


def serve(stack: Stack, name: str, door: Door, **env: str) -> str:
    stack.serve(name, door, "-m", "fusion_site.web", **env)
    url = f"http://127.0.0.1:{door.port}"
    assert httpx.get(f"{url}/healthz", timeout=PATIENCE).status_code == 200
    return url


def attempt(url: str, address: str, name: str, password: str = "a guess") -> httpx.Response:
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        forwarded = {"X-Forwarded-For": address, "Referer": f"{url}/sign-in"}
        client.get("/sign-in", headers=forwarded)
        form = {
            "username": name,
            "password": password,
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
        }
        return client.post("/sign-in", data=form, headers=forwarded)


def test_attempts_of_a_client_count_in_all_processes_and_for_no_other_client(
    behind_a_proxy: list[str],
) -> None:
    one, other = behind_a_proxy
    for number in range(10):
        assert attempt((one, other)[number % 2], "192.0.2.1", "alice").status_code == 200
    for url in behind_a_proxy:
        refused = attempt(url, "192.0.2.1", "alice", PASSWORD)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 500
        assert attempt(url, "192.0.2.2", "alice", PASSWORD).status_code == 302


def strict(stack: Stack, door: Door, **env: str) -> str:
    return serve(stack, "strict", door, FUSION_SIGN_INS_PER_MINUTE=str(AN_ADDRESS), **env)


def test_an_address_that_was_told_to_wait_is_refused_without_its_form_being_read(
    stack: Stack,
) -> None:
    with Door() as door:
        url = strict(stack, door, FUSION_TRUSTED_PROXIES="127.0.0.1")
        for number in range(AN_ADDRESS):
            assert attempt(url, "192.0.2.3", f"nobody-{number}").status_code == 200
        assert attempt(url, "192.0.2.3", "alice", PASSWORD).status_code == 429
        browser = {"X-Forwarded-For": "192.0.2.3", "Accept": "text/html"}
        page = httpx.post(f"{url}/sign-in", headers=browser)  # no form, no token of ours
        assert page.status_code == 429 and 0 < int(page.headers["retry-after"]) <= 60
        assert "Too many attempts from your address." in page.text and "<h1" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert httpx.get(f"{url}/sign-in", headers=browser).status_code == 200
        assert attempt(url, "192.0.2.4", "alice", PASSWORD).status_code == 302
        stack.kill("strict")


def test_what_anybody_writes_into_the_header_counts_for_nothing(stack: Stack) -> None:
    """This server trusts no proxy: eight addresses are one."""
    with Door() as door:
        url = strict(stack, door)
        statuses = [attempt(url, f"192.0.2.{n}", f"nobody-{n}").status_code for n in range(8)]
        stack.kill("strict")
    assert 429 in statuses
