from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from console.models import InstallClaim
from console.services.errors import Refused
from console.services.people import claim_use

STRONG = "a-long-enough-phrase"


@pytest.fixture
def link(db: None) -> str:
    return claim_link()


def claim_link() -> str:
    out = StringIO()
    call_command("claim_link", stdout=out)
    return out.getvalue()


def claim(client: Client, path: str, **more: Any) -> Any:
    data = {"username": "ada", "password1": STRONG, "password2": STRONG} | more
    return client.post(path.strip(), data)


def test_the_command_prints_one_path(link: str) -> None:
    assert link.startswith("/claim/")
    assert link.count("\n") == 1 and link.endswith("\n")


def test_only_a_hash_of_the_token_is_stored(link: str) -> None:
    token = link.strip().removeprefix("/claim/")
    stored = InstallClaim.objects.get()
    assert token not in stored.token_hash
    assert len(token) >= 43


def test_it_prints_nothing_when_there_is_somebody(alice: User) -> None:
    assert claim_link() == ""


def test_a_new_link_ends_the_old_one(client: Client, link: str) -> None:
    newer = claim_link()
    assert client.get(link.strip()).status_code == 404
    assert client.get(newer.strip()).status_code == 200


def test_the_claim_makes_an_admin_and_signs_in(client: Client, link: str) -> None:
    assert client.get(link.strip()).status_code == 200
    response = claim(client, link)
    assert response.headers["Location"] == "/fusion"
    ada = User.objects.get()
    assert ada.username == "ada" and ada.is_superuser and ada.is_staff
    assert ada.check_password(STRONG)
    assert client.get("/admin/").status_code == 200


@pytest.mark.database
def test_a_claim_works_once(client: Client, link: str) -> None:
    claim(client, link)
    for response in (Client().get(link.strip()), claim(Client(), link, username="mallory")):
        assert response.status_code == 410
    assert User.objects.count() == 1


def test_who_opens_a_used_link_again_is_told_so_and_shown_the_way(
    client: Client, link: str
) -> None:
    claim(client, link)
    html = Client().get(link.strip()).content.decode()
    assert "This link was used" in html and 'href="/sign-in"' in html
    assert "ada" not in html, "the link is in somebody's terminal; whose the account is, is not"


@pytest.mark.parametrize("path", ["/claim/wrong", "/claim/" + "a" * 43, "/claim/used:{token}"])
def test_a_link_that_never_was_is_not_found_before_and_after(
    client: Client, link: str, path: str
) -> None:
    path = path.format(token=link.strip().removeprefix("/claim/"))
    assert client.get(path).status_code == 404
    claim(client, link)
    assert Client().get(path).status_code == (410 if "used:" in path else 404)
    assert claim(Client(), path, username="mallory").status_code in (404, 410)
    assert User.objects.count() == 1


def test_a_used_link_opens_nothing_when_everybody_is_gone(client: Client, link: str) -> None:
    claim(client, link)
    User.objects.all().delete()
    assert Client().get(link.strip()).status_code == 404
    newer = claim_link()
    assert Client().get(newer.strip()).status_code == 200


@pytest.mark.database
def test_of_two_who_passed_the_page_one_is_refused(link: str) -> None:
    token = link.strip().removeprefix("/claim/")
    claim_use(token=token, username="ada", password=STRONG)
    with pytest.raises(Refused):
        claim_use(token=token, username="mallory", password=STRONG)
    assert User.objects.count() == 1


def test_a_claim_is_dead_when_an_admin_came_by_another_way(client: Client, link: str) -> None:
    User.objects.create_superuser("root", password=STRONG)
    for response in (client.get(link.strip()), claim(client, link)):
        assert response.status_code == 410 and "This link was used" in response.content.decode()


def test_a_wrong_token_is_not_found(client: Client, link: str) -> None:
    assert client.get("/claim/wrong").status_code == 404
    assert claim(client, "/claim/wrong").status_code == 404


@pytest.mark.parametrize(
    "mistake",
    [
        {"password2": "something-else"},
        {"password1": "short", "password2": "short"},
        {"username": ""},
    ],
)
def test_a_mistake_keeps_the_link_alive(client: Client, link: str, mistake: dict[str, str]) -> None:
    assert claim(client, link, **mistake).status_code == 200
    assert not User.objects.exists()
    assert claim(client, link).status_code == 302


def test_the_stock_command_makes_the_first_admin_too(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "root")
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "root@example.org")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", STRONG)
    call_command("createsuperuser", "--noinput", stdout=StringIO())
    assert User.objects.get().is_superuser
