from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Run

from .story import Story

pytestmark = pytest.mark.database


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole(answer="A seat's words.", fused="Fused words.").save(alice)


def share(client: Client, run: Run, visibility: str) -> Run:
    response = client.post(f"/fusion/runs/{run.pk}/share", {"visibility": visibility})
    assert response.status_code == 302
    run.refresh_from_db()
    return run


def test_only_the_owner_shares(client: Client, run: Run, bob: User, charlie: User) -> None:
    url = f"/fusion/runs/{run.pk}/share"
    assert client.post(url, {"visibility": "link"})["Location"].startswith("/sign-in")
    client.force_login(bob)
    assert client.post(url, {"visibility": "link"}).status_code == 404
    Run.objects.update(visibility="team")
    assert client.post(url, {"visibility": "link"}).status_code == 404
    client.force_login(charlie)
    assert client.post(url, {"visibility": "link"})["Location"].startswith("/sign-in")
    run.refresh_from_db()
    assert run.share_token is None


def test_sharing_is_a_post_of_a_known_word(client: Client, run: Run, alice: User) -> None:
    client.force_login(alice)
    assert client.get(f"/fusion/runs/{run.pk}/share").status_code == 405
    response = client.post(f"/fusion/runs/{run.pk}/share", {"visibility": "world"})
    assert response.status_code == 400
    assert "Choose who may read this run." in response.content.decode()


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
    client: Client, run: Run, alice: User
) -> None:
    client.force_login(alice)
    token = share(client, run, "link").share_token
    assert token is not None
    assert len(token) >= 32
    assert f"http://testserver/fusion/shared/{token}" in (
        client.get(f"/fusion/runs/{run.pk}").content.decode()
    )
    response = Client().get(f"/fusion/shared/{token}")
    html = response.content.decode()
    assert response.status_code == 200
    assert "A seat&#x27;s words." in html or "A seat's words." in html
    assert "Fused words." in html
    assert "$" not in html
    assert f'data-socket="/ws/shared/{token}"' in html
    assert "<form" not in html
    assert '<meta name="robots" content="noindex, nofollow">' in html
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_a_revoked_link_is_gone_and_the_next_one_is_another(
    client: Client, run: Run, alice: User
) -> None:
    client.force_login(alice)
    first = share(client, run, "link").share_token
    share(client, run, "private")
    assert Client().get(f"/fusion/shared/{first}").status_code == 404
    second = share(client, run, "link").share_token
    assert first != second
    assert Client().get(f"/fusion/shared/{first}").status_code == 404
    assert Client().get(f"/fusion/shared/{second}").status_code == 200


def test_a_deactivated_owner_s_link_is_gone(run: Run, alice: User) -> None:
    Run.objects.update(visibility="link", share_token="known")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert Client().get("/fusion/shared/known").status_code == 404


def test_after_saving_the_new_link_is_in_sight(client: Client, run: Run, alice: User) -> None:
    client.force_login(alice)
    response = client.post(f"/fusion/runs/{run.pk}/share", {"visibility": "link"}, follow=True)
    html = response.content.decode()
    run.refresh_from_db()
    assert '<details class="menu share" open>' in html
    assert "Saved." in html and f"/fusion/shared/{run.share_token}" in html
    assert "Saved." not in client.get(f"/fusion/runs/{run.pk}").content.decode()
