from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Run

from .story import Story

pytestmark = pytest.mark.database


@pytest.fixture
def running(alice: User) -> Run:
    return Story().begin().save(alice, visibility="team")


def stop(client: Client, run: Run) -> int:
    return client.post(f"/fusion/runs/{run.pk}/cancel").status_code


def test_the_owner_stops_a_run(client: Client, running: Run, alice: User) -> None:
    client.force_login(alice)
    assert stop(client, running) == 302
    running.refresh_from_db()
    assert running.cancel_requested_at is not None
    assert stop(client, running) == 302


def test_nobody_else_does(client: Client, running: Run, bob: User, charlie: User) -> None:
    assert stop(client, running) == 302  # to the sign-in page
    client.force_login(bob)
    assert stop(client, running) == 404
    client.force_login(charlie)
    assert stop(client, running) == 302
    running.refresh_from_db()
    assert running.cancel_requested_at is None


def test_looking_stops_nothing(client: Client, running: Run, alice: User) -> None:
    client.force_login(alice)
    assert client.get(f"/fusion/runs/{running.pk}/cancel").status_code == 405


def test_the_button_is_the_owner_s_and_goes_with_the_end(
    client: Client, running: Run, alice: User, bob: User
) -> None:
    url = f"/fusion/runs/{running.pk}"
    client.force_login(bob)
    assert ">Stop<" not in client.get(url).content.decode()
    client.force_login(alice)
    assert ">Stop<" in client.get(url).content.decode()
    done = Story().whole().save(alice)
    assert ">Stop<" not in client.get(f"/fusion/runs/{done.pk}").content.decode()
