from __future__ import annotations

import functools
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import TransactionTestCase, override_settings
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from console.site.statics import Statics
from tests.beginning import Beginning
from tests.environment import VAR_DIR
from tests.tables import SHARED, tables
from tests.upstream import server as upstreams


def pytest_unconfigure() -> None:
    shutil.rmtree(VAR_DIR, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason=f"SQLite's own, and this is {connection.vendor}")
    for item in items:
        if item.get_closest_marker("sqlite") and connection.vendor != "sqlite":
            item.add_marker(skip)


class QuickHasher(PBKDF2PasswordHasher):
    """One round: a password a test made is checked at once, by any process."""

    iterations = 1


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["tests.conftest.QuickHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def statics_are_looked_for_once() -> Iterator[None]:
    """Every test's client has middleware of its own, of which each would read what stands in
    `static/`: that took more of a processor than most pages."""
    look_for, found = Statics.add_files_from_finders, dict[Any, tuple[Any, ...]]()

    def look_once(self: Statics) -> None:
        where = (settings.DEBUG, str(settings.STATIC_ROOT), *map(str, settings.STATICFILES_DIRS))
        if where not in found:
            look_for(self)
            found[where] = (self.files, self.directories, self.versions)
        files, directories, versions = found[where]
        self.files, self.directories, self.versions = {**files}, [*directories], {**versions}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statics, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def authorities_are_read_once() -> Iterator[None]:
    """Each `httpx.get` makes a client, and each client read the list of all the world's
    certificates, for an address on this machine: 30 ms of a processor, at every look whether a
    server is ready, too."""
    read_once = functools.cache(httpx.create_ssl_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx._transports.default, "create_ssl_context", read_once)
        yield


@pytest.fixture(autouse=True)
def upstreams_begin_anew() -> Iterator[None]:
    """Whatever a folder or a module shares: no test counts what another asked."""
    yield
    for upstream in upstreams.running:
        upstream.begin_anew()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """For a module's fixtures as well: pytest-django's makes one only where a test asks for it."""
    has_tables = SHARED in os.environ and connection.vendor == "sqlite"
    if has_tables:
        Path(connection.settings_dict["TEST"]["NAME"]).write_bytes(tables())
    with django_db_blocker.unblock():
        made = setup_databases(
            verbosity=0, interactive=False, serialized_aliases=(), keepdb=has_tables
        )
        beginning = Beginning()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: beginning.come_back())
        yield
    # The thread in which async code asks the database outlives every test, and PostgreSQL drops
    # no database that somebody is connected to.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


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


@pytest.fixture
def ordinary_signals() -> Iterator[None]:
    """Ctrl-C and a hangup mean what they mean in a terminal, to this process and its children:
    what nohup or a script starts in the background ignores them."""
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a real Valkey of this test process's own."""
    from tests.stack import Valkey

    with Valkey() as server:
        yield server.url
