"""What is wrong with a password is said under the field in which it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.admin.people import AddPersonForm, NewPasswordForm
from console.pages.account_forms import ClaimForm, PasswordForm

GOOD, OTHER = "seven green umbrellas", "eight green umbrellas"
OLD = "alice-has-a-password"
Errors = Callable[[User, str, str], dict[str, Any]]


def claim(user: User, one: str, two: str) -> dict[str, Any]:
    return ClaimForm({"username": "somebody", "password1": one, "password2": two}).errors


def change(user: User, one: str, two: str) -> dict[str, Any]:
    data = {"old_password": OLD, "new_password1": one, "new_password2": two}
    return PasswordForm(user, data).errors


def add(user: User, one: str, two: str) -> dict[str, Any]:
    return AddPersonForm({"username": "somebody", "password1": one, "password2": two}).errors


def give_anew(user: User, one: str, two: str) -> dict[str, Any]:
    return NewPasswordForm(user, {"password1": one, "password2": two}).errors


@pytest.mark.django_db
@pytest.mark.parametrize("errors", [claim, change, add, give_anew])
@pytest.mark.parametrize(
    ("one", "two", "where"),
    [
        ("short", "short", {"1": "too short"}),
        ("password123", "password123", {"1": "too common"}),
        (GOOD, OTHER, {"2": "match"}),
        ("short", OTHER, {"1": "too short", "2": "match"}),
        ("", GOOD, {"1": "required"}),
        (GOOD, "", {"2": "required"}),
        (GOOD, GOOD, {}),
    ],
)
def test_what_is_wrong_stands_where_it_was_typed(
    errors: Errors, one: str, two: str, where: dict[str, str], alice: User
) -> None:
    found = {name[-1]: str(said) for name, said in errors(alice, one, two).items()}
    assert found.keys() == where.keys()
    assert all(words in found[field] for field, words in where.items())


def test_on_the_page_it_stands_below_its_field(client: Client, alice: User) -> None:
    client.force_login(alice)
    data = {"old_password": OLD, "new_password1": "short", "new_password2": "short"}
    html = client.post("/password", data).content.decode()
    (name,) = re.findall(r'class="error" id="id_(\w+)_error"', html)
    assert name == "new_password1"
    field = re.search(r'<input[^>]*name="new_password1"[^>]*>', html)
    assert field and 'aria-invalid="true"' in field[0]
    assert html.index(field[0]) < html.index("too short") < html.index('name="new_password2"')
