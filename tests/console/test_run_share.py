from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from console.models import Run, ShareLink

from .story import Story, link_to


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole(answer="A seat's words.", fused="Fused words.").save(alice)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def share(client: Client, run: Run, visibility: str, **wished: object) -> str:
    """The path of a link that was made, which is told this once."""
    path = f"/fusion/runs/{run.pk}"
    response = client.post(f"{path}/share", {"visibility": visibility, **wished})
    assert response.status_code in (200, 302)
    run.refresh_from_db()
    found = re.search(r"http://testserver(/fusion/shared/[\w-]+)", response.content.decode())
    assert "/fusion/shared/" not in client.get(path).content.decode()
    return found[1] if found else ""


def seen(path: str) -> tuple[int, str]:
    response = Client().get(path)
    return response.status_code, response.content.decode()


def test_only_the_owner_shares(client: Client, run: Run, bob: User, charlie: User) -> None:
    url = f"/fusion/runs/{run.pk}/share"
    assert client.post(url, {"visibility": "link"})["Location"].startswith("/sign-in")
    client.force_login(bob)
    assert client.post(url, {"visibility": "link"}).status_code == 404
    Run.objects.update(visibility="team")
    assert client.post(url, {"visibility": "link"}).status_code == 404
    client.force_login(charlie)
    assert client.post(url, {"visibility": "link"})["Location"].startswith("/sign-in")
    assert not ShareLink.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"visibility": "world"}, "Choose who may read this run."),
        ({"days": "2"}, "A link ends in 1, 7 or 30 days, or never."),
        ({"days": "١"}, "A link ends in 1, 7 or 30 days, or never."),
        ({"days": "7", "hides": "everything"}, "A link can hide costs, models, prompt."),
    ],
)
def test_sharing_is_a_post_of_known_words(
    page: Client, run: Run, wrong: dict[str, str], sentence: str
) -> None:
    assert page.get(f"/fusion/runs/{run.pk}/share").status_code == 405
    response = page.post(f"/fusion/runs/{run.pk}/share", {"visibility": "link"} | wrong)
    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_the_team_sees_what_is_shared_with_it(
    client: Client, run: Run, alice: User, bob: User
) -> None:
    client.force_login(alice)
    share(client, run, "team")
    client.force_login(bob)
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Fused words." in html
    assert "Share" not in html


def test_a_link_is_read_without_an_account_without_costs_and_unindexed(
    page: Client, run: Run
) -> None:
    path = share(page, run, "link")
    response = Client().get(path)
    html = response.content.decode()
    assert response.status_code == 200
    assert "A seat&#x27;s words." in html or "A seat's words." in html
    assert "Fused words." in html and 'data-look="result"' in html
    assert "$" not in html
    assert f'data-socket="/ws{path.removeprefix("/fusion")}"' in html
    assert "<form" not in html
    assert '<meta name="robots" content="noindex, nofollow">' in html
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_no_row_knows_the_address(page: Client, run: Run) -> None:
    token = share(page, run, "link").rpartition("/")[2]
    assert len(token) >= 32
    rows = [*ShareLink.objects.values(), *Run.objects.values()]
    assert token not in str(rows)


def test_a_link_that_was_taken_back_says_so_and_the_next_one_is_another(
    page: Client, run: Run
) -> None:
    first = share(page, run, "link")
    share(page, run, "private")
    status, html = seen(first)
    assert status == 410 and "Fused words." not in html
    assert "It ran out or was taken back; whoever sent it can make another." in html
    for part in ("/compare", "/export"):
        assert seen(first + part)[0] == 410
    assert Client().head(first).status_code == 410
    second = share(page, run, "link")
    assert first != second
    assert (seen(first)[0], seen(second)[0]) == (410, 200)
    assert seen("/fusion/shared/never-was-one-of-ours")[0] == 404


def test_a_link_stays_until_another_is_asked_for(page: Client, run: Run) -> None:
    first = share(page, run, "link")
    assert share(page, run, "link") == "" and seen(first)[0] == 200
    second = share(page, run, "link", anew="1", days="0")
    assert (seen(first)[0], seen(second)[0]) == (410, 200)


def test_a_link_ends_when_it_was_said_to(page: Client, run: Run) -> None:
    path = share(page, run, "link", days="7", hides=["costs", "prompt"])
    link = ShareLink.objects.get()
    assert link.expires_at and link.made_at
    assert link.expires_at - link.made_at == timedelta(days=7)
    told = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "made by alice" in told and "hides costs, the prompt." in told
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert seen(path)[0] == 410
    assert "A link is open" not in page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert seen(share(page, run, "link"))[0] == 200


def test_a_deactivated_owner_s_link_is_gone(run: Run, alice: User) -> None:
    Run.objects.update(visibility="link")
    link_to(run, "known")
    assert seen("/fusion/shared/known")[0] == 200
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert seen("/fusion/shared/known")[0] == 404


def test_without_a_new_link_saving_leads_back_to_the_open_panel(page: Client, run: Run) -> None:
    path = f"/fusion/runs/{run.pk}"
    html = page.post(f"{path}/share", {"visibility": "team"}, follow=True).content.decode()
    assert '<details class="menu share" open>' in html and "Saved." in html
    assert "Saved." not in page.get(path).content.decode()
