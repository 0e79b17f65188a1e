"""Parts of pages: the same views at the same addresses, asked by htmx."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from console.models import ApiToken, Run
from tests.console.story import Story, link_to

BY_HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client: Client, ada: User) -> Client:
    """Of an admin, who finds every page."""
    client.force_login(ada)
    return client


@pytest.fixture
def run(ada: User) -> Run:
    story = Story().begin().answer(0, "An answer.").answer(1, "Another.").fail(2).judge()
    return story.analyse().synthesise("Fused.").complete().save(ada)


def part(client: Client, path: str, **post: object) -> HttpResponse:
    """What htmx gets, which follows redirects as a browser does: headers and all."""
    if post:
        response = client.post(path, post, headers=BY_HTMX, follow=True)
    else:
        response = client.get(path, headers=BY_HTMX, follow=True)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    return response


def middle(html: str) -> str:
    """A page's <main>, without the token of its forms, which is masked anew each time."""
    (found,) = re.findall(r"<main.*</main>", html, re.S)
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", found)


@pytest.mark.parametrize("path", ["/fusion/runs", "/fusion/tokens", "/fusion/keys"])
def test_a_part_is_the_middle_of_its_page(page: Client, run: Run, path: str) -> None:
    whole = page.get(path)
    alone = part(page, path)
    assert middle(alone.content.decode()) == middle(whole.content.decode())
    for response in (whole, alone):
        assert "HX-Request" in response["Vary"]
        assert "no-store" in response["Cache-Control"]


def test_a_page_s_form_works_with_and_without_htmx(page: Client) -> None:
    form = {"name": "By htmx", "scopes": ["read"], "expires_days": "30"}
    html = part(page, "/fusion/tokens", **form).content.decode()
    assert "Copy the token now." in html and html.startswith("<main")
    token = ApiToken.objects.get(name="By htmx")
    html = part(page, f"/fusion/tokens/{token.pk}/revoke", really="").content.decode()
    assert "By htmx is revoked." in html and '<div id="messages" hx-swap-oob="true">' in html
    html = part(page, "/fusion/tokens", name="").content.decode()
    assert "This field is required." in html
    whole = page.post("/fusion/tokens", form | {"name": "Plain"}).content.decode()
    assert "<html" in whole and "Copy the token now." in whole


def test_sharing_changes_the_menu_and_the_word_above(page: Client, run: Run) -> None:
    html = part(page, f"/fusion/runs/{run.pk}/share", visibility="link").content.decode()
    assert "Saved." in html and "http://testserver/fusion/shared/" in html
    assert '<span id="run-visibility" hx-swap-oob="true">Anyone with the link</span>' in html
    assert "An answer." not in html


def test_who_watches_a_run_stops_it_where_they_read(page: Client, ada: User) -> None:
    run = Story().begin().answer(0, "An answer.").answer(1, "Another.").save(ada)
    for press in ("seats/2/stop", "fuse-now", "cancel"):
        told = page.post(f"/fusion/runs/{run.pk}/{press}", headers=BY_HTMX)
        assert (told.status_code, told.content) == (204, b"")
    run.refresh_from_db()
    assert run.stopped_seats == [2] and run.fuse_requested_at and run.cancel_requested_at
    for press in ("seats/2/stop", "fuse-now", "cancel"):
        plain = page.post(f"/fusion/runs/{run.pk}/{press}")
        assert (plain.status_code, plain["Location"]) == (302, f"/fusion/runs/{run.pk}")


def test_a_page_whose_run_has_ended_is_read_anew(page: Client, run: Run) -> None:
    for press in ("seats/2/stop", "fuse-now", "cancel"):
        told = page.post(f"/fusion/runs/{run.pk}/{press}", headers=BY_HTMX)
        assert told["HX-Refresh"] == "true"
    refused = page.post(f"/fusion/runs/{run.pk}/seats/2/stop")
    assert refused.status_code == 422 and b"The run has already ended." in refused.content


def test_a_run_that_nobody_had_begun_ends_with_the_press(page: Client, ada: User) -> None:
    run = Story().save(ada)
    told = page.post(f"/fusion/runs/{run.pk}/cancel", headers=BY_HTMX)
    run.refresh_from_db()
    assert (told["HX-Refresh"], run.status) == ("true", "cancelled")


def test_who_no_longer_waits_when_it_is_fused_already_reads_on(page: Client, ada: User) -> None:
    run = Story().begin().answer(0, "An answer.").answer(1, "Another.").fail(2).judge().save(ada)
    told = page.post(f"/fusion/runs/{run.pk}/fuse-now", headers=BY_HTMX)
    assert (told.status_code, told.content) == (204, b"")
    fresh = Story().begin().save(ada)
    refused = page.post(f"/fusion/runs/{fresh.pk}/fuse-now", headers=BY_HTMX)
    assert refused.status_code == 422 and b"no answer to fuse yet" in refused.content


def test_what_a_run_s_end_changes_is_a_part_of_its_page(page: Client, run: Run) -> None:
    url = f"/fusion/runs/{run.pk}"
    whole, alone = page.get(url), part(page, url)
    for response in (whole, alone):
        assert "HX-Request" in response["Vary"]
        assert "no-store" in response["Cache-Control"]
    html = alone.content.decode()
    for name in ("afterwards", "fused-next", "seat-0-again", "seat-2-again"):
        assert f'id="{name}"' in html and f'id="{name}"' in whole.content.decode()
    assert "Go on" in html and "Follow up" in html and "Ask again" in html
    assert 'id="seat-0-head"' not in html


def test_a_part_of_a_shared_run_offers_nothing_to_do(client: Client, run: Run) -> None:
    Run.objects.update(visibility="link")
    link_to(run, "by-link")
    response = part(client, "/fusion/shared/by-link")
    html = response.content.decode()
    assert 'id="afterwards"' in html and "<form" not in html and "$" not in html
    assert response["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("hostile", ["fuse", "worth"])
def test_what_models_wrote_stays_out_of_htmx_s_reach(
    client: Client, alice: User, hostile: str
) -> None:
    words = '<b hx-get="/x" hx-swap-oob="true" id="run">b</b>'
    if hostile == "fuse":
        run = Story().whole(words, words).save(alice)
    else:
        run = Story().whole().save(alice, prompt=words)
    client.force_login(alice)
    html = part(client, f"/fusion/runs/{run.pk}").content.decode()
    assert "<b" not in html.replace("<button", "")
    assert set(re.findall(r'id="([\w-]+)" [^>]*hx-swap-oob', html)) <= {
        "analysis",
        "fuse-these",
        "fusion-tabs",
        "verdict",
        "fused-next",
        "receipt-beside",
        "again",
        "thread",
        *(f"seat-{seat}-again" for seat in range(3)),
    }


def test_a_run_still_going_asks_for_its_end_and_an_ended_one_no_more(
    page: Client, run: Run, ada: User
) -> None:
    going = Story().begin().save(ada)
    html = page.get(f"/fusion/runs/{going.pk}").content.decode()
    assert f'hx-get="/fusion/runs/{going.pk}" hx-trigger="run-ended from:body"' in html
    assert "run-ended" not in page.get(f"/fusion/runs/{run.pk}").content.decode()


@pytest.mark.parametrize("path", ["/fusion/runs?page=2", "/fusion/tokens", "/fusion/keys"])
def test_who_was_signed_out_is_led_to_sign_in_as_a_whole_page(
    client: Client, db: None, path: str
) -> None:
    response = client.get(path, headers=BY_HTMX, follow=True)
    assert unquote(response["HX-Redirect"]) == f"/sign-in?next={path}"
    assert response.content == b""
