"""The first request after a start finds all it needs: nothing is imported or compiled for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tables import tables

from .running import PROJECT, environment

pytestmark = pytest.mark.startup

# A web process without its server, and what each first request adds to it.
SCRIPT = """
import json, sys, uuid
from fusion_site import asgi, warm
from django.core.management import call_command
call_command("migrate", verbosity=0)
if sys.argv[1:] == ["warm"]:
    warm.up()
from django.contrib.auth.models import User
from django.template.base import Template
from django.test import Client
from console.models import Preset, Run

compiled = []
compile_nodelist = Template.compile_nodelist
def counted(self):
    compiled.append(self.name)
    return compile_nodelist(self)
Template.compile_nodelist = counted

User.objects.create_superuser("alice", "alice@example.org", "alice-has-a-password")
alice, nobody = Client(HTTP_HOST="localhost"), Client(HTTP_HOST="localhost")
alice.force_login(User.objects.get())
asked = {"prompt": "Why?", "preset": "custom", "panel": ["good", "better"], "judge": "judge"}
sample = Run.objects.filter(origin="sample").first().pk
steps = {
    "sign in": lambda: nobody.get("/sign-in"),
    "compose": lambda: alice.get("/fusion"),
    "ask": lambda: alice.post("/fusion", asked | {"client_run_id": str(uuid.uuid4())}),
    "run": lambda: alice.get(f"/fusion/runs/{Run.objects.exclude(origin='sample').get().pk}"),
    "finished run": lambda: alice.get(f"/fusion/runs/{sample}"),
    "history": lambda: alice.get("/fusion/runs"),
    "keys": lambda: alice.get("/fusion/keys"),
    "tokens": lambda: alice.get("/fusion/tokens"),
    "admin": lambda: alice.get("/admin/"),
    "runs in the admin": lambda: alice.get("/admin/console/run/"),
    "preset": lambda: alice.get(f"/admin/console/preset/{Preset.objects.first().pk}/change/"),
    "no page": lambda: alice.get("/nowhere"),
    "api": lambda: nobody.get("/v1/openapi.json"),
    "no token": lambda: nobody.get("/v1/models"),
}
seen, added = set(sys.modules), {}
for name, step in steps.items():
    status = step().status_code
    added[name] = [status, sorted(set(sys.modules) - seen), compiled[:]]
    seen |= set(sys.modules)
    compiled.clear()
print(json.dumps(added))
"""
# Of the standard library, and of no weight.
LIGHT = ("encodings.", "importlib.", "stringprep", "_strptime", "unicodedata")


def first_requests(var: Path, *arguments: str) -> dict[str, tuple[int, list[str], list[str]]]:
    (var / "fusion.sqlite3").write_bytes(tables())
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=PROJECT,
        env=environment(
            SECRET_KEY="x" * 50,
            FUSION_ENCRYPTION_KEYS="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            FUSION_VAR_DIR=str(var),
            REDIS_URL="redis://127.0.0.1:1/0",
            OPENAI_API_KEY="sk-nobody",
            OPENAI_BASE_URL="http://127.0.0.1:1/v1",
        ),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stderr
    added: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return {
        name: (status, [m for m in modules if not m.startswith(LIGHT)], compiled)
        for name, (status, modules, compiled) in added.items()
    }


def test_no_first_request_imports_or_compiles_anything(tmp_path: Path) -> None:
    added = first_requests(tmp_path, "warm")
    statuses = {name: status for name, (status, _, _) in added.items()}
    usual = dict.fromkeys(added, 200)
    assert statuses == usual | {"ask": 302, "no page": 404, "no token": 401}
    assert {name: modules for name, (_, modules, _) in added.items() if modules} == {}
    assert {name: compiled for name, (_, _, compiled) in added.items() if compiled} == {}


def test_without_it_they_do(tmp_path: Path) -> None:
    added = first_requests(tmp_path)
    assert any(m.startswith("console.pages.views") for m in added["sign in"][1])
    assert "genai_prices.data_snapshot" in added["ask"][1] and added["run"][2]


def test_what_a_start_loads_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    """Of that there is hardly any, and to look takes nearly as long as to load."""
    code = "import fusion_site, gc, django; django.setup(); import fusion_site.urls; "
    code += "print([generation['collections'] for generation in gc.get_stats()])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(
            DJANGO_SETTINGS_MODULE="fusion_site.settings",
            SECRET_KEY="x" * 50,
            FUSION_VAR_DIR=str(tmp_path),
        ),
        capture_output=True,
        text=True,
        timeout=180,
    )
    few, fewer, none = json.loads(done.stdout)
    assert few < 30 and fewer <= 3 and none == 0, done.stdout + done.stderr


def test_what_cannot_be_prepared_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from fusion_site import warm

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    for name in ("get_resolver", "get_template", "import_module"):
        monkeypatch.setattr(warm, name, broken)
    warm.up()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    unprepared = ("addresses", "templates", "models")
    assert said == [f"{what} could not be prepared" for what in unprepared]


def test_a_thread_that_rings_first_looks_through_no_packages(tmp_path: Path) -> None:
    """What keeps results, which nobody keeps here, is the same for all threads."""
    code = """
import threading
from fusion_site import asgi, warm
warm._queue()
from celery import current_app
app, found = current_app._get_current_object(), []
type(app)._get_backend = lambda self: found.append(1)
thread = threading.Thread(target=lambda: found.append(app.backend))
thread.start(); thread.join()
print(found == [app.backend])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment(SECRET_KEY="x" * 50, FUSION_VAR_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.stdout.strip() == "True", done.stderr
