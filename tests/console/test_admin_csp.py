"""Every page of the admin in a real browser, under the strict Content-Security-Policy."""

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.models import Credential, Preset, Run
from tests.browser.chromium import FLAGS, executable
from tests.console.test_admin_access import PAGES, run

__all__ = ["run"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_browser_blocks_nothing_on_any_page(
    live_server: LiveServer, ada: User, alice: User, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Static files are the product's own to serve, at addresses that the test server knows not.
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda *_: False)
    rows = {
        "console/preset": Preset.objects.get(slug="quality").pk,
        "console/credential": Credential.objects.get(slug="openrouter").pk,
        "console/run": run.pk,
        "auth/user": alice.pk,
    }
    changes = [f"/admin/{name}/{pk}/change/" for name, pk in rows.items()]
    histories = [f"/admin/{name}/{pk}/history/" for name, pk in rows.items()]
    others = [f"/admin/auth/user/{alice.pk}/password/", f"/admin/console/run/{run.pk}/delete/"]
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = browser.new_page()
        page.on(
            "console",
            lambda m: said.append(f"{page.url}: {m.text}") if m.type == "error" else None,
        )
        page.on("pageerror", lambda e: said.append(f"{page.url}: {e}"))
        page.goto(f"{live_server.url}/sign-in?next=/admin/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("ada-has-a-password")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        for path in [*PAGES, *changes, *histories, *others, "/fusion/keys"]:
            response = page.goto(live_server.url + path)
            assert response and response.status == 200, path
            policy = response.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
        page.goto(live_server.url + changes[0])
        page.get_by_text("Add another Panelist").click()
        assert page.locator("#panelists-3").is_visible()
        assert said == []
        # The control: had anything been blocked, it would have been heard.
        page.evaluate("document.body.setAttribute('onclick', 'alert(1)'); document.body.click()")
        assert any("Content Security Policy" in line for line in said)
        page.wait_for_load_state("networkidle")  # an icon that is cut off leaves its file open
        browser.close()
