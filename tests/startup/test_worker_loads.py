"""A worker loads what it carries runs out with, and neither pages nor what serves them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .running import PROJECT, environment

pytestmark = pytest.mark.startup

# As Celery's command does it before it takes the first ring.
SCRIPT = """
import json, sys
from fusion_site.celery import app
app.loader.import_default_modules()
from celery.signals import worker_ready
begun = {begins().__module__ for _, begins in worker_ready.receivers}
assert {"fusion_site.celery", "console.worker.tasks"} <= begun, begun
print(json.dumps(sorted(sys.modules)))
"""


def test_neither_pages_nor_the_api_nor_the_web_server_are_loaded(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT,
        env=environment(SECRET_KEY="x" * 50, FUSION_VAR_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=280,
    )
    # Once it has begun it looks for garbage, and hears.
    assert ended.returncode == 0, ended.stderr
    loaded = json.loads(ended.stdout.splitlines()[-1])
    assert "console.worker.tasks" in loaded and "console.models.runs" in loaded
    kept_out = ("twisted", "daphne", "mcp", "fusion_site.urls", "console.pages.views")
    kept_out += ("console.admin", "console.api", "console.record.portable", "console.fragments")
    assert [name for name in loaded if name.startswith(kept_out)] == []
