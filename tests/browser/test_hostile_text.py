"""Text of models, providers and people that means harm: nothing runs, nobody is asked.

The `visit` fixture adds the rest: no dialog, no request to another host, a strict policy on
every page.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.acts import wait_for_the_end, words
from tests.browser.conftest import INSTRUMENTS, People, Shoot, Visit
from tests.hostile_markdown import HANDLERS, PAYLOADS
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

SHORT = (
    "<script>pwned()</script><img src=https://evil.test/i onerror=pwned()>"
    "<svg onload=pwned()></svg>"
    "<div hx-get=/gadget/x hx-trigger=load data-hx-on:load=pwned()>x</div>"
)
NAME = '"><img src=x onerror=pwned()>'
SEATS = 8


def shares(payloads: list[str]) -> list[str]:
    """A like part of all payloads for every seat, each payload a block of its own."""
    return ["\n\n".join(payloads[seat::SEATS]) for seat in range(SEATS)]


def pieces(text: str) -> list[str]:
    """As a stream brings it, cut wherever it happens."""
    return [text[start : start + 150] for start in range(0, len(text), 150)]


def analysis() -> str:
    return json.dumps(
        {
            "consensus": [{"claim": f"c {SHORT}", "seats": ["A", "B"]}],
            "contradictions": [
                {
                    "topic": f"t {SHORT}",
                    "stances": [
                        {"seats": ["A"], "stance": f"s {SHORT}"},
                        {"seats": ["B"], "stance": "[x](javascript:pwned())"},
                    ],
                }
            ],
            "partial_coverage": [{"point": f"p {SHORT}", "seats": ["C"]}],
            "unique_insights": [{"insight": f"u {SHORT}", "seat": "D"}],
            "blind_spots": [f"b {SHORT}"],
        }
    )


def harmless(page: Page) -> None:
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") == 0
    made = "script:not([src]), iframe, object, embed, form[action*=evil], style, base, [onerror]"
    made += ", [onload], [hx-get*=gadget], [data-hx-get]"
    acts = ".share > form, .order form, #verdict > form, #terms"
    acts += ", form.while-running[hx-post^='/fusion/runs/']"
    made += f", [hx-post]:not({acts})"
    made += ", a[href^='javascript:']"
    assert page.locator("main").locator(made).count() == 0
    assert page.locator("main img").count() == 0


def test_hostile_text_is_only_ever_read(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    panel = [f"seat-{seat}{NAME}" for seat in range(SEATS - 1)] + [f"refused{NAME}"]
    for model, text in zip(panel, shares(PAYLOADS), strict=True):
        upstream.script(model, Script(deltas=pieces(text), reasoning=SHORT))
    upstream.script(panel[-1], Script(status=400, error_message=f"No. {SHORT}"))
    fused = "\n\n".join(HANDLERS)
    upstream.script(
        f"judge{NAME}", Script(deltas=pieces(fused), hold_after=2, judge=Script(text=analysis()))
    )
    alice = people("alice")
    run = "/fusion/runs/" + alice.ask(
        *(f"openai:{model}" for model in panel), judge=f"openai:judge{NAME}", prompt=f"Why? {SHORT}"
    )
    page = visit("alice")
    page.goto(run)
    expect(page.get_by_role("region", name="Agreement map")).to_contain_text("<svg onload=pwned()>")
    harmless(page)
    upstream.release()
    wait_for_the_end(page)
    harmless(page)
    expect(page.get_by_role("article", name="refused")).to_contain_text("No. <script>pwned()")
    shoot(page, "hostile")
    read = words(page)
    page.reload()
    harmless(page)
    assert words(page) == read
    made = alice.post(f"{run}/share", {"visibility": "link"}, token_from=run)
    shared = visit()
    page.reload()
    shared.goto(made.text.split('id="share-url"')[1].split('value="')[1].split('"')[0])
    expect(shared.get_by_role("article")).to_have_count(SEATS)
    harmless(shared)
    # Where it is found, what was asked is shown with it; else a question is its first sentence.
    for address in ("/fusion/runs?q=pwned", "/fusion/runs", "/fusion"):
        page.goto(address)
        expect(page.get_by_role("main")).to_contain_text("onerror=pwned()")
        harmless(page)
    expect(page.get_by_role("main")).to_contain_text("Why? <script>pwned()")
    alice.post(f"{run}/share", {"visibility": "team"}, token_from=run)  # else it shows nothing
    admin = visit("ada")
    admin.goto(f"/admin/console/run/{run.rsplit('/', 1)[-1]}/change/")
    admin.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    expect(admin.locator("#content")).to_contain_text("onerror=pwned()")
    assert admin.evaluate("window.ran") == 0
    assert admin.locator("#content").locator("img[src=x], svg[onload], [hx-get]").count() == 0


def test_the_same_text_does_run_where_a_page_lets_it(browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script(INSTRUMENTS)
    asked: list[str] = []

    def serve(route: Route) -> None:
        asked.append(route.request.url)
        body = SHORT if route.request.url == "http://site.test/" else ""
        route.fulfill(body=body, content_type="text/html")

    context.route("**/*", serve)
    page = context.new_page()
    page.goto("http://site.test/")
    assert page.evaluate("window.ran") >= 2
    assert "https://evil.test/i" in asked
    context.close()


def test_the_policy_stops_what_a_page_would_let_through(visit: Visit) -> None:
    page = visit("alice", trouble=True)
    page.goto("/fusion")
    html = "<img src=x onerror=pwned()><svg onload=pwned()></svg>"
    page.evaluate("html => (document.querySelector('main').innerHTML = html)", html)
    page.evaluate("document.body.append(document.createElement('script'))")
    page.locator("body > script").last.evaluate("script => (script.text = 'pwned()')")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") == 0
