"""Who follows a run is asked again every few seconds whether he may, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.live.sockets import RunSocket
from console.models import Run, Visibility

from .story import Story


async def nowhere(message: dict[str, Any]) -> None: ...


@pytest.fixture
def run(alice: User) -> Run:
    return Story().whole().save(alice, visibility=Visibility.PRIVATE)


def socket_of(client: Client, run: Run) -> RunSocket:
    scope = {"session": client.session, "url_route": {"kwargs": {"run_id": run.pk}}}
    return RunSocket(scope, nowhere)


def signs_out(client: Client, user: User, run: Run) -> None:
    client.logout()


def gets_a_password(client: Client, user: User, run: Run) -> None:
    user.set_password("another long password")
    user.save()


def is_switched_off(client: Client, user: User, run: Run) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def run_goes(client: Client, user: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).delete()


def run_is_somebody_elses(client: Client, user: User, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(owner=User.objects.create_user("dora"))


@pytest.mark.parametrize(
    "happens", [signs_out, gets_a_password, is_switched_off, run_goes, run_is_somebody_elses]
)
def test_who_may_no_longer_read_a_run_is_told_nothing_more_of_it(
    client: Client, alice: User, run: Run, happens: Callable[[Client, User, Run], None]
) -> None:
    client.force_login(alice)
    socket = socket_of(client, run)
    assert socket._find() == run.pk
    happens(client, alice, run)
    assert socket._find() is None


@pytest.mark.parametrize(
    ("visibility", "may"), [(Visibility.TEAM, True), (Visibility.PRIVATE, False)]
)
def test_the_team_follows_what_is_the_teams(
    client: Client, bob: User, run: Run, visibility: str, may: bool
) -> None:
    Run.objects.filter(pk=run.pk).update(visibility=visibility)
    client.force_login(bob)
    assert (socket_of(client, run)._find() is not None) is may


def test_to_ask_again_reads_nothing_of_the_run(client: Client, alice: User, run: Run) -> None:
    client.force_login(alice)
    socket = socket_of(client, run)
    with CaptureQueriesContext(connection) as asked:
        assert socket._find() == run.pk
    session, user, of_run = [query["sql"] for query in asked]
    assert '"spec"' not in of_run and '"messages"' not in of_run
