import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from console.admin import people

pytestmark = pytest.mark.database

STRONG = "a-long-enough-phrase"


@pytest.fixture
def admin(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def add(admin: Client, **more: Any) -> Any:
    data = {"username": "eve", "email": "", "password1": STRONG, "password2": STRONG}
    return admin.post("/admin/auth/user/add/", data | more)


def change(admin: Client, user: User, **more: Any) -> Any:
    data = {"username": user.username, "email": user.email} | more
    return admin.post(f"/admin/auth/user/{user.pk}/change/", data)


def test_an_admin_adds_a_member(admin: Client) -> None:
    add(admin, email="eve@example.org")
    eve = User.objects.get(username="eve")
    assert (eve.is_staff, eve.is_superuser, eve.is_active) == (False, False, True)
    assert eve.check_password(STRONG)


def test_an_admin_adds_an_admin(admin: Client) -> None:
    add(admin, is_admin="on")
    eve = User.objects.get(username="eve")
    assert eve.is_staff and eve.is_superuser


def test_a_weak_password_is_refused(admin: Client) -> None:
    add(admin, password1="short", password2="short")
    assert not User.objects.filter(username="eve").exists()


def test_flags_are_set_by_the_admin_field_alone(admin: Client, bob: User) -> None:
    add(admin, is_staff="on", is_superuser="on", user_permissions="1", groups="1")
    assert not User.objects.get(username="eve").is_staff
    change(admin, bob, is_active="on", is_staff="on", is_superuser="on")
    bob.refresh_from_db()
    assert not bob.is_staff and not bob.is_superuser


def test_a_member_becomes_an_admin_and_a_member_again(admin: Client, bob: User) -> None:
    change(admin, bob, is_active="on", is_admin="on")
    bob.refresh_from_db()
    assert bob.is_staff and bob.is_superuser
    change(admin, bob, is_active="on")
    bob.refresh_from_db()
    assert not bob.is_staff and not bob.is_superuser


def test_a_deactivated_member_is_out_at_once(admin: Client, bob: User) -> None:
    theirs = Client()
    theirs.force_login(bob)
    assert theirs.get("/fusion/keys").status_code == 403
    change(admin, bob)
    assert theirs.get("/fusion/keys").status_code == 302


@pytest.mark.parametrize("left", [{"is_active": "on"}, {"is_admin": "on"}, {}])
def test_the_last_admin_cannot_lock_everybody_out(
    admin: Client, ada: User, bob: User, left: dict[str, str]
) -> None:
    response = change(admin, ada, **left)
    assert b"This is the last active admin" in response.content
    ada.refresh_from_db()
    assert ada.is_active and ada.is_superuser


def test_an_admin_may_step_down_when_there_is_another(admin: Client, ada: User, bob: User) -> None:
    change(admin, bob, is_active="on", is_admin="on")
    change(admin, ada, is_active="on")
    ada.refresh_from_db()
    assert not ada.is_staff


def test_a_new_password_ends_the_old_sessions(admin: Client, bob: User) -> None:
    theirs = Client()
    theirs.force_login(bob)
    data = {"password1": STRONG, "password2": STRONG}
    response = admin.post(f"/admin/auth/user/{bob.pk}/password/", data)
    assert response.status_code == 302
    bob.refresh_from_db()
    assert bob.check_password(STRONG)
    assert theirs.get("/fusion/keys").status_code == 302


def test_a_password_is_never_switched_off(admin: Client, bob: User) -> None:
    page = admin.get(f"/admin/auth/user/{bob.pk}/password/").content.decode()
    assert 'name="usable_password"' not in page
    admin.post(f"/admin/auth/user/{bob.pk}/password/", {"usable_password": "false"})
    bob.refresh_from_db()
    assert bob.has_usable_password()


def test_people_are_not_deleted(admin: Client, bob: User) -> None:
    assert admin.post(f"/admin/auth/user/{bob.pk}/delete/", {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": bob.pk, "post": "yes"}
    admin.post("/admin/auth/user/", action)
    assert User.objects.filter(pk=bob.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_dismiss_each_other_leave_one(
    ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True, is_superuser=True)
    asked = people.is_last_admin
    both = threading.Barrier(2)

    def asked_by_both(user: User) -> bool:
        answer = asked(user)
        try:
            both.wait(2)
        except threading.BrokenBarrierError:
            pass  # the other one has to wait for this one's end: as it should
        return answer

    monkeypatch.setattr(people, "is_last_admin", asked_by_both)

    def dismiss(by: User, whom: User) -> Callable[[], None]:
        client = Client()
        client.force_login(by)

        def act() -> None:
            change(client, whom, is_active="on")
            connection.close()

        return act

    acts = [threading.Thread(target=act) for act in (dismiss(ada, bob), dismiss(bob, ada))]
    for act in acts:
        act.start()
    for act in acts:
        act.join()
    assert User.objects.filter(is_superuser=True).count() == 1
