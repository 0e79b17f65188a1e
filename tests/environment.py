"""Loaded before anything else (`-p tests.environment`): tests never read the settings,
keys or data of the person who runs them.

They are told three things. FUSION_TEST_DATABASE_URL: a PostgreSQL to run on instead of
SQLite, whose user may create databases. FUSION_LONG_TESTS=1: what takes minutes runs too.
FUSION_FAULTS_PAGE: where the scenarios write what they showed.
"""

import base64
import os
import tempfile

_database_url = os.environ.get("FUSION_TEST_DATABASE_URL", "")
_told = ("FUSION_LONG_TESTS", "FUSION_FAULTS_PAGE")
VAR_DIR = tempfile.mkdtemp(prefix="fusion-tests-")
for _name in set(os.environ).difference(_told):
    if _name.startswith(("OPENROUTER_", "OPENAI_", "OLLAMA_", "FUSION_", "DJANGO_SUPERUSER_")):
        del os.environ[_name]
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
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
}
if _database_url:
    os.environ["DATABASE_URL"] = _database_url
