"""Loaded before anything else (`-p tests.environment`): tests never read the settings,
keys or data of the person who runs them.

They are told a few things. FUSION_TEST_DATABASE_URL: a PostgreSQL to run on instead of
SQLite, whose user may create databases; `--postgres` starts one for them. FUSION_LONG_TESTS=1:
what takes minutes runs too. FUSION_FAULTS_PAGE: where the scenarios write what they showed.
FUSION_RECORD_GOLDEN=1: the golden streams, and what the product makes for docs/, are written anew
instead of compared.
FUSION_CLIENTS_DIR and FUSION_CLIENTS_PAGE: tests/clients says what they are. FUSION_TEST_TABLES is
tests/tables.py's.
"""

import atexit
import base64
import os
import tempfile
from collections.abc import Iterator

import pytest

from console.providers import kinds

# The processes that pytest-xdist starts read it too, so that all are on one server.
_DATABASE = "FUSION_TEST_DATABASE_URL"
_told = (
    *(_DATABASE, "FUSION_LONG_TESTS", "FUSION_FAULTS_PAGE", "FUSION_RECORD_GOLDEN"),
    *("FUSION_CLIENTS_DIR", "FUSION_CLIENTS_PAGE", "FUSION_TEST_TABLES"),
)
VAR_DIR = tempfile.mkdtemp(prefix="fusion-tests-")
for _name in set(os.environ).difference(_told):
    if _name.startswith(
        (
            *("OPENROUTER_", "OPENAI_", "OLLAMA_", "FUSION_", "DJANGO_SUPERUSER_"),
            *("SEARXNG_", "TAVILY_", "BRAVE_", "EXA_", "SERPER_"),
        )
    ):
        del os.environ[_name]
for _name in (*kinds.key_variables(), *kinds.address_variables()):
    os.environ.pop(_name, None)
for _name in ("REDIS_URL", "DATABASE_URL", "DEBUG", "ALLOWED_HOSTS", "LOG_LEVEL"):
    os.environ.pop(_name, None)
os.environ |= {
    "FUSION_VAR_DIR": VAR_DIR,
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "FUSION_ENCRYPTION_KEYS": base64.urlsafe_b64encode(
        b"only for the tests, 32 bytes!!!!"
    ).decode(),
    # A file, so that worker threads and web threads meet in it as they do in production.
    "FUSION_TEST_DATABASE": f"{VAR_DIR}/test.sqlite3",
    # Whatever else runs on the machine is nobody's to ask.
    "FUSION_LOCAL_SERVERS": "0",
    # What asks for it gives it: tests count the runs that they make.
    "FUSION_SAMPLE": "0",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
}
if os.environ.get(_DATABASE):
    os.environ["DATABASE_URL"] = os.environ[_DATABASE]


def pytest_addoption(parser: pytest.Parser) -> None:
    says = "run on a PostgreSQL that is started for these tests, instead of SQLite"
    parser.addoption("--postgres", action="store_true", help=says)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Around pytest-django, which reads the settings here."""
    if early_config.known_args_namespace.postgres and not os.environ.get(_DATABASE):
        from tests.postgres import Postgres

        server = Postgres()
        server.start()
        # Also where pytest gives up before there is anything to end.
        atexit.register(server.stop)
        os.environ[_DATABASE] = os.environ["DATABASE_URL"] = server.url
    yield
