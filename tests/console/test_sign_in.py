import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from console.services import people
from console.site import attempts
from tests.stack import until

from .story import Story

WRONG = "do not match an account"
LIMITED = "Too many attempts"


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    attempts.forget_all()


def sign_in(client: Client, username: str, password: str, **more: Any) -> Any:
    data = {"username": username, "password": password} | more
    return client.post("/sign-in", data)


def limited(response: Any) -> bool:
    """In its status, its words, and with the time to wait for."""
    is_limited = response.status_code == 429
    assert is_limited == (LIMITED in response.content.decode())
    assert is_limited == (int(response.headers.get("Retry-After", 0)) > 0)
    return is_limited


def test_the_right_password_leads_to_the_console(client: Client, alice: User) -> None:
    response = sign_in(client, "alice", "alice-has-a-password")
    assert response.headers["Location"] == "/fusion"
    assert int(client.session["_auth_user_id"]) == alice.pk


@pytest.mark.parametrize(("processes", "most"), [(1, 10), (2, 5), (3, 3), (32, 1)])
def test_while_redis_is_away_each_web_process_keeps_to_its_share_of_the_attempts(
    client: Client, alice: User, settings: Any, processes: int, most: int
) -> None:
    settings.WEB_PROCESSES, settings.REDIS_URL = processes, ""
    for _ in range(most):
        assert not limited(sign_in(client, "alice", "a guess"))
    assert limited(sign_in(client, "alice", "alice-has-a-password"))


def test_the_session_key_changes_at_sign_in(client: Client, alice: User) -> None:
    session = client.session
    session["before"] = True
    session.save()
    before = client.cookies["sessionid"].value
    sign_in(client, "alice", "alice-has-a-password")
    assert client.cookies["sessionid"].value != before


@pytest.mark.parametrize("cookie", ['"\\000aaaaaaaaaaaa"', "aaaaaaaaaaaa\xff", "a" * 5000, "a; b"])
def test_a_cookie_that_is_no_session_is_none(client: Client, alice: User, cookie: str) -> None:
    told = client.get("/fusion", headers={"cookie": f"sessionid={cookie}"})
    assert told.headers["Location"] == "/sign-in?next=/fusion"


def test_a_session_that_has_run_out_is_none(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/fusion").status_code == 200
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/fusion")["Location"].startswith("/sign-in")


def test_unknown_wrong_and_deactivated_are_told_the_same(
    client: Client, alice: User, charlie: User
) -> None:
    pages = [
        sign_in(client, "nobody", "whatever-it-is"),
        sign_in(client, "alice", "whatever-it-is"),
        sign_in(client, "charlie", "charlie-was-here"),
    ]
    assert all(WRONG in page.content.decode() for page in pages)
    assert "_auth_user_id" not in client.session


def test_after_ten_failures_a_name_waits_even_with_the_right_password(
    client: Client, alice: User
) -> None:
    for _ in range(10):
        assert WRONG in sign_in(client, "alice", "a-guess").content.decode()
    response = sign_in(client, "ALICE", "alice-has-a-password")
    assert limited(response) and "Wait 10 minutes" in response.content.decode()
    assert limited(sign_in(client, "alice", "alice-has-a-password"))
    assert "_auth_user_id" not in client.session


def test_a_form_without_a_password_neither_counts_nor_forgets(client: Client, alice: User) -> None:
    for _ in range(9):
        sign_in(client, "alice", "a-guess")
    for _ in range(3):
        assert "This field is required." in sign_in(client, "alice", "").content.decode()
    assert WRONG in sign_in(client, "alice", "a-guess").content.decode()
    assert limited(sign_in(client, "alice", "a-guess"))


def test_an_address_tries_thirty_times_a_minute_with_whatever_names(
    client: Client, alice: User
) -> None:
    for number in range(30):
        assert not limited(sign_in(client, f"nobody-{number}", "one password for all"))
    refused = sign_in(client, "alice", "alice-has-a-password")
    assert limited(refused) and "from your address" in refused.content.decode()
    assert int(refused.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ("192.0.2.7", "192.0.2.8"),
        ("192.0.2.7", "2001:db8::1"),
        ("2001:db8:0:1::1", "2001:db8:0:2::1"),
    ],
)
def test_nobody_is_refused_the_right_password_for_what_another_address_tried(
    alice: User, theirs: str, mine: str
) -> None:
    guessing = Client(REMOTE_ADDR=theirs)
    for number in range(40):
        sign_in(guessing, "alice" if number < 11 else f"nobody-{number}", "a-guess")
    assert limited(sign_in(guessing, "alice", "alice-has-a-password"))
    there = sign_in(Client(REMOTE_ADDR=mine), "alice", "alice-has-a-password")
    assert there.status_code == 302


def test_an_address_of_ipv6_is_all_that_its_owner_has(alice: User) -> None:
    for number in range(10):
        sign_in(Client(REMOTE_ADDR=f"2001:db8::{number:x}"), "alice", "a-guess")
    assert limited(sign_in(Client(REMOTE_ADDR="2001:db8::ffff"), "alice", "a-guess"))


def test_others_sign_in_meanwhile(client: Client, alice: User, bob: User) -> None:
    for _ in range(11):
        sign_in(client, "alice", "a-guess")
    assert sign_in(client, "bob", "bob-has-a-password").status_code == 302


def test_while_the_places_are_taken_who_signs_in_waits_and_is_then_told(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing takes a core: more than two at a time would take them from everybody."""
    monkeypatch.setattr(attempts, "HASH_PATIENCE", 0.05)
    with attempts.place_to_hash(), attempts.place_to_hash():
        response = sign_in(client, "alice", "alice-has-a-password")
        assert response.status_code == 429 and response.headers["Retry-After"] == "3"
        assert "Many people are signing in" in response.content.decode()
        change_it = Client()
        change_it.force_login(alice)
        changed = change(change_it, "alice-has-a-password", "another-long-password")
        assert changed.status_code == 429 and changed.headers["Retry-After"] == "3"
    with attempts.place_to_hash():
        assert sign_in(client, "alice", "alice-has-a-password").status_code == 302


def test_of_many_who_wait_most_are_sent_away_at_once() -> None:
    patient = [attempts.place_to_hash() for _ in range(attempts.HASHES_AT_ONCE)]
    for place in patient:
        place.__enter__()
    refused: list[int] = []

    def wait() -> None:
        try:
            with attempts.place_to_hash():
                pass
        except attempts.TooMany as too_many:
            refused.append(too_many.seconds)

    waiting = [threading.Thread(target=wait) for _ in range(attempts.WAITING_AT_ONCE + 7)]
    for thread in waiting:
        thread.start()
    until(lambda: len(refused) == 7)
    for place in patient:
        place.__exit__(None, None, None)
    for thread in waiting:
        thread.join()
    assert len(refused) == 7, "the others had their turn"


def test_the_present_password_is_guessed_no_oftener_than_at_sign_in(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    for _ in range(10):
        wrong = change(client, "a-guess", "another-long-password")
        assert "That is not your present password." in wrong.content.decode()
    assert limited(change(client, "alice-has-a-password", "another-long-password"))
    assert limited(sign_in(Client(), "alice", "alice-has-a-password")), "it is one count"


def test_success_forgets_the_failures(client: Client, alice: User) -> None:
    for _ in range(9):
        sign_in(client, "alice", "a-guess")
    sign_in(client, "alice", "alice-has-a-password")
    client.post("/sign-out")
    assert WRONG in sign_in(client, "alice", "a-guess").content.decode()


def test_next_is_followed_within_the_site(client: Client, alice: User) -> None:
    response = sign_in(client, "alice", "alice-has-a-password", next="/fusion/runs?page=2")
    assert response.headers["Location"] == "/fusion/runs?page=2"


@pytest.mark.parametrize(
    "target", ["https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)"]
)
def test_next_never_leads_elsewhere(client: Client, alice: User, target: str) -> None:
    response = sign_in(client, "alice", "alice-has-a-password", next=target)
    assert response.headers["Location"] == "/fusion"


def test_signing_out_takes_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


def test_a_form_from_another_page_is_refused(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, "alice", "alice-has-a-password").status_code == 403
    strict.force_login(alice)
    assert strict.post("/sign-out").status_code == 403


def test_a_site_without_people_says_how_to_begin(client: Client, db: None) -> None:
    assert "printed by" in client.get("/sign-in").content.decode()


def test_a_site_with_people_does_not(client: Client, bob: User) -> None:
    assert "printed by" not in client.get("/sign-in").content.decode()


def test_who_is_signed_in_is_sent_on(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/sign-in").headers["Location"] == "/fusion"


@pytest.mark.parametrize("path", ["fuse", "follow", "seats/0/ask", "cancel"])
def test_whoever_was_signed_out_while_reading_a_run_comes_back_to_its_page(
    client: Client, alice: User, path: str
) -> None:
    page = f"/fusion/runs/{Story().whole().save(alice).pk}"
    signing_in = client.post(f"{page}/{path}", {"prompt": "And then?"})
    back = parse_qs(urlsplit(signing_in["Location"]).query)["next"][0]
    response = sign_in(client, "alice", "alice-has-a-password", next=back)
    assert response.headers["Location"] == page and client.get(page).status_code == 200


def change(client: Client, old: str, new: str) -> Any:
    data = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/password", data)


def test_everybody_changes_their_own_password_and_other_sessions_end(alice: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        assert sign_in(client, "alice", "alice-has-a-password").status_code == 302
    assert "Change password" in here.get("/fusion").content.decode()
    wrong = change(here, "not-the-password", "another-long-password")
    assert "That is not your present password." in wrong.content.decode()
    assert "too short" in change(here, "alice-has-a-password", "short").content.decode()
    response = change(here, "alice-has-a-password", "another-long-password")
    assert response.headers["Location"] == "/fusion"
    assert "Your password is changed." in here.get("/fusion").content.decode()
    assert elsewhere.get("/fusion").status_code == 302
    assert sign_in(Client(), "alice", "another-long-password").status_code == 302


def test_nobody_known_has_no_password_to_change(client: Client) -> None:
    for response in (client.get("/password"), change(client, "a", "b")):
        assert response.headers["Location"] == "/sign-in?next=/password"


ENDED = "Your session has ended"


def signed_in() -> Client:
    client = Client()
    assert sign_in(client, "alice", "alice-has-a-password").status_code == 302
    return client


def expire(client: Client, alice: User) -> None:
    """After two weeks a browser has dropped the session's cookie, too."""
    Session.objects.all().delete()
    del client.cookies["sessionid"]


def forget_the_row(client: Client, alice: User) -> None:
    Session.objects.all().delete()


def change_the_password_elsewhere(client: Client, alice: User) -> None:
    alice.set_password("another-long-password")
    alice.save()


def deactivate(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


@pytest.mark.parametrize("end", [expire, forget_the_row, change_the_password_elsewhere, deactivate])
@pytest.mark.parametrize("method", ["get", "post"])
def test_whose_session_has_ended_is_told_so(
    alice: User, end: Callable[[Client, User], None], method: str
) -> None:
    client = signed_in()
    end(client, alice)
    response = getattr(client, method)("/fusion", follow=True)
    html = response.content.decode()
    assert ENDED in html and response.redirect_chain[-1][0].endswith("next=/fusion")
    # Whether something is kept is known to the browser alone.
    assert "data-if-kept hidden" in html


@pytest.mark.parametrize("path", ["/sign-out", "/admin/logout/"])
def test_who_has_signed_out_is_told_nothing(client: Client, ada: User, path: str) -> None:
    sign_in(client, "ada", "ada-has-a-password")
    client.post(path)
    assert ENDED not in client.get("/fusion", follow=True).content.decode()


def test_who_was_never_here_is_told_nothing(client: Client, alice: User) -> None:
    assert ENDED not in client.get("/fusion", follow=True).content.decode()


def test_a_wrong_password_is_the_one_thing_that_is_said_of_it(alice: User) -> None:
    client = signed_in()
    expire(client, alice)
    html = sign_in(client, "alice", "a-guess").content.decode()
    assert WRONG in html and ENDED not in html


def test_the_mark_of_having_been_here_lets_nobody_in(client: Client, alice: User) -> None:
    client.cookies["signed_in"] = "1"
    assert client.get("/fusion").headers["Location"] == "/sign-in?next=/fusion"


DJANGOS = ("150 characters or fewer", "@/./+/-/_", "can’t be", "can&#x27;t be", "Enter the same",
           "Raw passwords", "Designates whether")  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        *("/password", "/admin/password_change/", "/admin/auth/user/add/"),
        *("/admin/auth/user/{ada}/change/", "/admin/auth/user/{ada}/password/"),
    ],
)
def test_forms_of_accounts_speak_our_words(client: Client, ada: User, path: str) -> None:
    client.force_login(ada)
    html = client.get(path.format(ada=ada.pk)).content.decode()
    assert [words for words in DJANGOS if words in html] == []


def test_the_form_of_the_first_account_speaks_our_words(client: Client, db: None) -> None:
    html = client.get(f"/claim/{people.claim_make()}").content.decode()
    assert [words for words in DJANGOS if words in html] == []
    assert "At least ten characters" in html and 'data-shows="id_password1"' in html


@pytest.mark.parametrize(
    ("name", "told"),
    [("a b", "cannot be used"), ("a/b", "cannot be used"), ("alice", "has that name already")],
)
def test_a_name_that_cannot_be_had_is_refused_in_our_words(
    client: Client, ada: User, alice: User, name: str, told: str
) -> None:
    client.force_login(ada)
    data = {"username": name, "password1": "a-long-phrase-1", "password2": "a-long-phrase-1"}
    html = client.post("/admin/auth/user/add/", data).content.decode()
    assert told in html and [words for words in DJANGOS if words in html] == []
