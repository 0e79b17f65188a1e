from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from tests.environment import VAR_DIR


def pytest_unconfigure() -> None:
    shutil.rmtree(VAR_DIR, ignore_errors=True)


@pytest.fixture
def alice(db: None) -> User:
    """The owner."""
    return User.objects.create_user("alice", password="alice-has-a-password")


@pytest.fixture
def bob(db: None) -> User:
    """On her team."""
    return User.objects.create_user("bob", password="bob-has-a-password")


@pytest.fixture
def charlie(db: None) -> User:
    """An outsider: the account was deactivated."""
    return User.objects.create_user("charlie", password="charlie-was-here", is_active=False)


@pytest.fixture
def ada(db: None) -> User:
    """An admin."""
    return User.objects.create_superuser("ada", password="ada-has-a-password")


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a real Valkey of this test process's own."""
    from tests.stack import Valkey

    with Valkey() as server:
        yield server.url
