"""A run that was taken along from one site and brought in on another, of a database of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from console.export import ended_in_thread, export_runs
from console.models import Run
from console.models.shown import ALL
from tests.stack import ROOT, Database

from .story import ANALYSIS, Story

pytestmark = pytest.mark.database
TEXT = (
    "# Why\n\n重要：$x_1^2$ \\(y\\)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "<script>x</script> \u202eسبب\r\n"
)
# What is done there, in one process, since it takes long to start one.
THERE = """
import io, json
from django.core.management import call_command

def said(*arguments, **options):
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()

call_command("migrate", verbosity=0)
ids = said("import", FILE).split()
exports = [said("export", one, thread=True) for one in ids]
print(json.dumps([exports, said("export", ids[0], thread=True, format="html")]))
"""


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[dict[str, str]]:
    env = os.environ | {"FUSION_VAR_DIR": str(tmp_path), "FUSION_BOOTSTRAP": "0"}
    own = Database(os.environ["DATABASE_URL"]) if os.environ.get("DATABASE_URL") else None
    if own:
        own.make()
        env["DATABASE_URL"] = own.url
    yield env
    if own:
        own.drop()


def test_it_is_there_byte_for_byte_what_it_was_here(
    alice: User, tmp_path: Path, other_site: dict[str, str]
) -> None:
    story = Story().whole(answer=TEXT, fused="So it is [^A].\n\n" + TEXT)
    story.fuse_again("And again [^you].", wish={"facts": ["Mine."], "on": 1, "root": 1})
    story.state.fusions[2].analysis = ANALYSIS
    run = story.save(alice, visibility="team")
    said = {"said": ["synthesis-f1-1"], "lettered": False, "fusion": 1, "seats": {}}
    after = {"follows": run, "follows_from": "fused", "follows_calls": said}
    Story().whole(answer=TEXT).save(alice, prompt="And then?", visibility="team", **after)
    runs = ended_in_thread(run, Run.objects.all())
    here = {form: export_runs(runs, form, lambda _: ALL).body for form in ("json", "html")}
    file = tmp_path / "run.json"
    file.write_bytes(here["json"])
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", f"FILE = {str(file)!r}\n{THERE}"],
        cwd=ROOT,
        env=other_site,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    exports, html = json.loads(done.stdout.splitlines()[-1])
    assert exports == [here["json"].decode()] * 2
    assert readings(html) == readings(here["html"].decode()) and len(readings(html)) == 9


def readings(html: str) -> list[str]:
    return re.findall(r'<div class="reading">.*?</div>\n', html, re.DOTALL)
