"""Migrations go both ways, with rows in the tables, and forward again to the same tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT, Database

pytestmark = pytest.mark.database

WAYS = """
import json
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

names = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "console")
call_command("migrate", verbosity=0)

def one_by_one(there):
    for name in there:
        call_command("migrate", "console", name, verbosity=0)

def back(to):
    return [names[n - 1] if n else "zero" for n in range(len(names) - 1, to - 1, -1)]

def go(to):
    call_command("migrate", "console", to, verbosity=0)

def tables():
    look = connection.introspection
    with connection.cursor() as cursor:
        return {
            table: [
                sorted(column.name for column in look.get_table_description(cursor, table)),
                sorted(
                    [str(c["columns"]), c["unique"], c["index"], str(c["foreign_key"])]
                    for c in look.get_constraints(cursor, table).values()
                ),
            ]
            for table in look.table_names(cursor)
            if table.startswith("console_")
        }
"""
ASK = """
from django.contrib.auth.models import User
from console.models import ApiToken, Call, Fusion, Run
alice = User.objects.create_user("alice")
token = ApiToken.objects.create(name="CI", owner=alice, prefix="p", secret_hash="h")
run = Run.objects.create(owner=alice, token=token, idempotency_key="k", prompt="Why?",
    messages=[], spec={}, preset="quality", preset_name="Quality")
fusion = Fusion.objects.create(run=run, number=1, status="completed", judge={}, synthesizer={},
    text="Because.", token=token, idempotency_key="k")
Call.objects.create(run=run, fusion=fusion, key="panel-0-1", step="panel", seat=0, number=1,
    cause="first", panelist={}, status="completed", text="It is so.")
"""
READ = """
from console.models import Call, Fusion, Preset, Run
assert Preset.objects.count() == 3
call, fusion, run = Call.objects.get(), Fusion.objects.get(), Run.objects.get()
assert call.run == fusion.run == run and run.owner.username == "alice"
assert (run.prompt, fusion.text, call.text) == ("Why?", "Because.", "It is so.")
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an empty one, of the kind that the tests run on."""
    env = os.environ | {"FUSION_VAR_DIR": str(tmp_path), "FUSION_BOOTSTRAP": "0"}
    if url := os.environ.get("DATABASE_URL"):
        own = Database(url)
        own.make()
        yield env | {"DATABASE_URL": own.url}
        own.drop()
    else:
        yield env


def said(database: dict[str, str], code: str) -> Any:
    """What the code leaves in `said`, once all that there is has been migrated."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c"]
        + [f"{WAYS}\n{code}\nprint(json.dumps(said))"],
        cwd=ROOT,
        env=database,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_was_asked_outlasts_the_way_to_the_first_tables_and_none_keeps_one_from_going(
    database: dict[str, str],
) -> None:
    newest, first, again, none, anew = said(
        database,
        # Each way stops once at every migration, and once goes without a stop.
        f"said = [tables()]\n{ASK}\none_by_one(back(1))\nsaid.append(tables())\n"
        f"go(names[-1])\nsaid.append(tables())\n{READ}\n"
        "go('zero')\nsaid.append(tables())\none_by_one(names)\nsaid.append(tables())",
    )
    assert {"console_run", "console_fusion", "console_call"} <= set(newest)
    assert first != newest
    assert none == {}
    assert again == anew == newest


def test_a_preset_of_an_older_site_says_whom_it_waits_for_unless_somebody_has_changed_that(
    database: dict[str, str],
) -> None:
    waits = said(
        database,
        "from console.models import Preset\n"
        "n = next(n for n, name in enumerate(names) if name.endswith('_wait_for'))\n"
        "go(names[n - 1])\n"
        "with connection.cursor() as cursor:\n"
        '    cursor.execute("UPDATE console_preset SET panel_timeout = NULL")\n'
        "    cursor.execute(\"UPDATE console_preset SET quorum = 2 WHERE slug = 'budget'\")\n"
        "go(names[-1])\n"
        "columns = ('slug', 'wait_for', 'quorum', 'panel_timeout')\n"
        "said = sorted(Preset.objects.values_list(*columns))",
    )
    assert waits == [
        ["budget", "", 2, None],
        ["local", "everyone", None, 900.0],
        ["quality", "everyone", None, 300.0],
    ]


def test_quality_and_budget_of_an_older_site_get_places_unless_somebody_has_changed_them(
    database: dict[str, str],
) -> None:
    old, kept, edited = said(
        database,
        "from console.models import Preset\n"
        "n = next(n for n, name in enumerate(names) if name.endswith('_places'))\n"
        "def rows():\n"
        "    return [[p.slug, p.judge_place, p.synthesizer_place,\n"
        "             [[s.place, s.model] for s in p.panelists.all()], p.description]\n"
        "            for p in Preset.objects.filter(slug__in=['quality', 'budget'])]\n"
        "old = '''UPDATE console_preset SET description = CASE slug WHEN 'quality' THEN\n"
        "  'Three frontier models, judged by the first.' ELSE\n"
        "  'Three inexpensive models, judged by a strong one.' END, synthesizer_model = '',\n"
        "  synthesizer_credential_id = NULL WHERE slug IN ('quality', 'budget')'''\n"
        "seat = '''UPDATE console_presetpanelist SET model = 'deepseek/deepseek-v4-flash'\n"
        "  WHERE model LIKE '%flash-latest' AND model LIKE '%deepseek%' '''\n"
        "new = rows()\n"
        "said = [new]\n"
        "for change in ('', 'UPDATE console_preset SET retries = 1 WHERE slug = %s'):\n"
        "    go(names[n - 1])\n"
        "    with connection.cursor() as cursor:\n"
        "        cursor.execute(old)\n"
        "        cursor.execute(seat)\n"
        "        if change:\n"
        "            cursor.execute(change, ['quality'])\n"
        "            cursor.execute(\"UPDATE console_presetpanelist SET model = 'mine' \"\n"
        "                           \"WHERE model LIKE '%kimi%'\")\n"
        "    go(names[-1])\n"
        "    said.append(rows())\n",
    )
    assert kept == old
    assert old[0][1] == "other/strongest" and old[1][2] == "other/strongest"
    assert [place for place, _ in old[0][3]] == [
        *("anthropic/strongest", "openai/strongest", "google/strongest")
    ]
    for _, judge, writer, seats, description in edited:
        assert (judge, writer) == ("", "") and description.startswith("Three ")
        assert {place for place, _ in seats} == {""}
    assert edited[1][3][2] == ["", "mine"]


def test_a_token_s_dollars_a_day_become_a_budget_with_what_is_spent_of_today(
    database: dict[str, str],
) -> None:
    kept, back_again = said(
        database,
        "from datetime import timedelta\n"
        "from django.contrib.auth.models import User\n"
        "from django.utils import timezone\n"
        "from console.models import ApiToken, Call, Purse, Run, Window\n"
        "n = next(n for n, name in enumerate(names) if name.endswith('_purses'))\n"
        "owner = User.objects.create(username='limited')\n"
        "made = [ApiToken.objects.create(owner=owner, secret_hash=str(i), prefix='p') "
        "for i in range(2)]\n"
        "run = Run.objects.create(owner=owner, token=made[0], prompt='?', messages=[], spec={})\n"
        "for i, (cost, ago) in enumerate([('0.25', 0), ('0.00000001', 0), (None, 0), ('9', 25)]):\n"
        "    Call.objects.create(run=run, key=str(i), step='panel', number=1, cause='first',\n"
        "        panelist={}, status='completed', cost=cost,\n"
        "        started_at=timezone.now() - timedelta(hours=ago))\n"
        "go(names[n - 1])\n"
        "set = 'UPDATE console_apitoken SET spending_per_day = %s WHERE id = %s'\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute(set, ['0.005', made[0].pk])\n"
        "go(names[-1])\n"
        "kept = [[p.kind, p.subject == str(made[0].pk), p.period, p.limit_nano] "
        "for p in Purse.objects.all()]\n"
        "kept += [[w.rank, w.spent_nano, w.held_nano] for w in Window.objects.all()]\n"
        "Purse.objects.update(limit_nano=7_500_000)\n"
        "go(names[n - 1])\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SELECT spending_per_day FROM console_apitoken ORDER BY id')\n"
        "    limits = [None if v is None else float(v) for v, in cursor.fetchall()]\n"
        "go(names[-1])\n"
        "said = [kept, limits]",
    )
    assert kept == [["token", True, "day", 5_000_000], [1, 250_000_010, 0]]
    assert back_again == [0.0075, None]


def test_a_link_made_before_goes_on_opening_by_its_hash(database: dict[str, str]) -> None:
    links, opened, column, deleted = said(
        database,
        "from django.contrib.auth.models import User\n"
        "from django.test import Client\n"
        "from console.models import Run, RunDeletion, ShareLink\n"
        "from django.utils import timezone\n"
        "n = next(n for n, name in enumerate(names) if name.endswith('_order_and_links'))\n"
        "owner = User.objects.create(username='shares')\n"
        "rows = {'owner': owner, 'prompt': '?', 'messages': [], 'spec': {'v': 99}}\n"
        "run = Run.objects.create(visibility='link', **rows)\n"
        "gone = Run.objects.create(**rows | {'owner': None, 'origin': 'deleted'})\n"
        "kept = {'origin': 'page', 'visibility': 'team'}\n"
        "RunDeletion.objects.create(run=gone, owner=owner, at=timezone.now(), kept=kept)\n"
        "go(names[n - 1])\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('UPDATE console_run SET share_token = %s WHERE visibility = %s',\n"
        "                   ['told-before', 'link'])\n"
        "go(names[-1])\n"
        "links = [*ShareLink.objects.values_list('hides', 'made_by__username', 'expires_at')]\n"
        "opened = Client().get('/fusion/shared/told-before', headers={'host': 'localhost'})\n"
        "columns = [*Run.objects.exclude(share_token=None).values_list('share_token')]\n"
        "back_again = Run.objects.get(pk=gone.pk)\n"
        "said = [links, opened.status_code, columns,\n"
        "        [back_again.owner.username, back_again.origin, back_again.visibility]]",
    )
    assert links == [[["costs"], "shares", None]]
    assert opened == 200 and column == []
    assert deleted == ["shares", "page", "team"]
