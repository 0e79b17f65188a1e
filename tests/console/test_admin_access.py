"""Who gets into the admin, and that no stored key comes out of it."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from console.models import Call, Credential, Fusion, Preset, Run
from console.providers.secret import Secret

PLANTED = "sk-planted-0123456789-canary"

PAGES = [
    "/admin/",
    "/admin/console/",
    "/admin/auth/",
    "/admin/password_change/",
    "/admin/console/preset/",
    "/admin/console/preset/add/",
    "/admin/console/credential/",
    "/admin/console/credential/add/",
    "/admin/console/run/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
]


@pytest.fixture
def planted(db: None) -> Credential:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret(PLANTED)
    credential.save()
    return credential


@pytest.fixture
def run(alice: User) -> Run:
    run = Run.objects.create(
        owner=alice, prompt="Why?", messages=[], spec={"panel": []}, preset="q", preset_name="Q",
        visibility="team",
    )  # fmt: skip
    fusion = Fusion.objects.create(
        run=run, number=1, status="completed", judge={}, synthesizer={}, text="<b>Fused</b>"
    )
    Call.objects.create(
        run=run,
        fusion=fusion,
        key="panel:0:1",
        step="panel",
        seat=0,
        number=1,
        cause="first",
        panelist={"model": "m", "credential": "openrouter"},
        status="completed",
        text="<script>alert(1)</script>",
    )
    return run


def every_page(client: Client) -> Iterator[tuple[str, str]]:
    """Every page of the admin that a link leads to, lists and rows alike."""
    seen: set[str] = set()
    waiting = [*PAGES, reverse("keys"), reverse("console")]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path, follow=True)
        assert response.status_code == 200, path
        html = response.content.decode()
        yield path, html
        for link in re.findall(r'href="([^"#]+)"', html):
            path = link.replace("&amp;", "&")
            if path.startswith("?"):
                continue
            if path.startswith("/admin/") and "jsi18n" not in path and "/r/" not in path:
                waiting.append(path)


def test_an_admin_finds_every_page_and_no_page_shows_the_key(
    client: Client, ada: User, planted: Credential, run: Run
) -> None:
    client.force_login(ada)
    pages = dict(every_page(client))
    stored = Credential.objects.get(pk=planted.pk).secret.token
    assert f"/admin/console/run/{run.pk}/change/" in pages
    assert f"/admin/console/credential/{planted.pk}/change/" in pages
    assert f"/admin/console/credential/{planted.pk}/history/" in pages
    for path, html in pages.items():
        assert PLANTED not in html, path
        assert stored not in html, path
    assert "ends in nary" in pages[f"/admin/console/credential/{planted.pk}/change/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_member_finds_nothing(client: Client, bob: User, path: str) -> None:
    client.force_login(bob)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_whoever_is_not_signed_in_is_asked_to(client: Client, db: None, path: str) -> None:
    response = client.get(path, follow=True)
    assert response.redirect_chain[-1][0].startswith(reverse("sign-in"))
    assert response.redirect_chain[-1][0].endswith(path.replace("/", "%2F"))


def test_a_member_cannot_test_a_key_or_post_anything(
    client: Client, bob: User, planted: Credential
) -> None:
    client.force_login(bob)
    assert client.post(f"/admin/console/credential/{planted.pk}/test/").status_code == 404
    assert client.post("/admin/console/credential/add/", {"name": "x"}).status_code == 404
    assert client.post("/admin/login/", {"username": "bob"}).status_code == 404


def test_a_deactivated_admin_is_signed_out(client: Client, ada: User) -> None:
    client.force_login(ada)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


def test_a_dump_holds_no_key(planted: Credential) -> None:
    out = StringIO()
    call_command("dumpdata", stdout=out)
    assert '"slug": "openrouter"' in out.getvalue()
    assert PLANTED not in out.getvalue()
    stored = Credential.objects.get(pk=planted.pk).secret.token
    assert stored not in out.getvalue()


def test_what_models_wrote_is_shown_as_text(client: Client, ada: User, run: Run) -> None:
    client.force_login(ada)
    html = client.get(f"/admin/console/run/{run.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html
    assert "&lt;b&gt;Fused&lt;/b&gt;" in html


def test_a_run_can_be_read_but_not_changed(client: Client, ada: User, run: Run) -> None:
    client.force_login(ada)
    assert client.get("/admin/console/run/add/").status_code == 403
    response = client.post(f"/admin/console/run/{run.pk}/change/", {"prompt": "Other"})
    assert response.status_code == 403
    run.refresh_from_db()
    assert run.prompt == "Why?"


def test_signing_out_of_the_admin_leads_to_sign_in(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.post("/admin/logout/").headers["Location"] == reverse("sign-in")
    assert client.get("/admin/").status_code == 302


def test_a_link_that_is_followed_signs_nobody_out_of_the_admin(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/admin/logout/").status_code == 405
    assert client.get("/admin/").status_code == 200


def test_the_list_is_one(client: Client, ada: User) -> None:
    client.force_login(ada)
    html = client.get("/admin/").content.decode()
    for name in ("Presets", "Credentials", "People", "Runs"):
        assert name in html
    assert "Groups" not in html
    assert Preset.objects.count() == 3


@pytest.mark.parametrize(
    "query",
    [
        "run/?status__exact=%00",
        "run/?q=%00",
        "run/?preset=a%00b",
        "preset/?id__in=99999999999999999999",
        "apitoken/?revoked_at__gte=%00",
    ],
)
def test_a_filter_nothing_can_match_is_a_bad_request_and_no_failure(
    client: Client, ada: User, query: str
) -> None:
    client.force_login(ada)
    status = client.get(f"/admin/console/{query}").status_code
    # PostgreSQL compares numbers of any size, and finds nothing.
    assert status == 400 or ("%00" not in query and status == 200)
