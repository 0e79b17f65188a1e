"""Migrations go both ways, with rows in the tables, and forward again to the same tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.shell import Shell
from tests.stack import Database
from tests.tables import tables

pytestmark = pytest.mark.database

WAYS = """
import json
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

names = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "console")
stops = []

class Stopping(MigrationExecutor):
    # Does at each migration what `migrate` does where it ends. A command for each would read
    # and render all of them every time.

    def apply_migration(self, *args, **options):
        return self.stop(super().apply_migration(*args, **options))

    def unapply_migration(self, *args, **options):
        return self.stop(super().unapply_migration(*args, **options))

    def stop(self, state):
        state.clear_delayed_apps_cache()
        emit_post_migrate_signal(0, False, connection.alias, apps=state.apps, plan=[])
        stops.append(1)
        return state

def one_by_one(to):
    Stopping(connection).migrate([("console", to)])

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


Said = Callable[..., Any]


@pytest.fixture(scope="module")
def on_new_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """What the code leaves in `said`, on a database of the kind that the tests run on, in which all
    that there is has been migrated, or where it says how it begins. One process for all: to start
    one takes longer than most of them."""
    folder = tmp_path_factory.mktemp("migrations")
    env = os.environ | {"FUSION_VAR_DIR": str(folder), "FUSION_BOOTSTRAP": "0"}
    file = folder / "fusion.sqlite3"
    own = Database(url) if (url := os.environ.get("DATABASE_URL")) else None
    if own:
        env["DATABASE_URL"] = own.url
    shell = Shell(env, folder / "shell.log")

    def said(code: str, begin: str = "call_command('migrate', verbosity=0)") -> Any:
        if own:
            own.drop()
            own.make()
        else:
            file.write_bytes(tables() if "'migrate'" in begin else b"")
        printed = shell(f"{WAYS}\n{begin}\n{code}\nprint(json.dumps(said))")
        return json.loads(printed.splitlines()[-1])

    yield said
    shell.close()
    if own:
        own.drop()


def test_what_was_asked_outlasts_the_way_to_the_first_tables_and_none_keeps_one_from_going(
    on_new_tables: Said,
) -> None:
    newest, first, again, none, anew, stops = on_new_tables(
        # Each way stops once at every migration, and once goes without a stop.
        f"said = [tables()]\n{ASK}\none_by_one(names[0])\nsaid.append(tables())\n"
        f"go(names[-1])\nsaid.append(tables())\n{READ}\n"
        "go('zero')\nsaid.append(tables())\none_by_one(names[-1])\nsaid.append(tables())\n"
        "said.append([*map(len, (names, stops))])",
    )
    assert stops[1] == 2 * stops[0] - 1
    assert {"console_run", "console_fusion", "console_call"} <= set(newest)
    assert first != newest
    assert none == {}
    assert again == anew == newest


def test_a_preset_of_an_older_site_says_whom_it_waits_for_unless_somebody_has_changed_that(
    on_new_tables: Said,
) -> None:
    waits = on_new_tables(
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
    on_new_tables: Said,
) -> None:
    old, kept, edited = on_new_tables(
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
    on_new_tables: Said,
) -> None:
    kept, back_again = on_new_tables(
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


def test_a_link_made_before_goes_on_opening_by_its_hash(on_new_tables: Said) -> None:
    links, opened, column, deleted = on_new_tables(
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


def test_wider_columns_lose_no_row_no_index_and_no_tie(on_new_tables: Said) -> None:
    before, after, kept, text, widened = on_new_tables(
        "def models(name):\n"
        "    state = MigrationExecutor(connection).loader.project_state([('console', name)])\n"
        "    return state.apps.get_model\n"
        "before, old = tables(), models('0008_unreadable')\n"
        "owner = old('auth', 'User').objects.create(username='somebody')\n"
        "run = old('console', 'Run').objects.create(owner=owner, prompt='Why?', messages=[],\n"
        "    spec={}, preset='q', preset_name='Q')\n"
        "run.calls.create(key='panel-0-1', step='panel', number=1, cause='first', panelist={},\n"
        "    seat=0, status='completed', text='Because.')\n"
        "go('0009_columns')\n"
        "after, new = tables(), models('0009_columns')\n"
        "run = new('console', 'Run').objects.get(pk=run.pk)\n"
        "kept = [run.owner.username, run.origin, run.status, run.log_position]\n"
        "text, long = run.calls.get().text, 'x' * 40\n"
        "calls = run.calls.update(step=long, cause=long, retry_cause=long, status=long)\n"
        # One of the version before, which still serves while this one is begun, knows no position.
        "old('console', 'Run').objects.create(prompt='On?', messages=[], spec={}, preset='q')\n"
        "runs = new('console', 'Run').objects.update(status=long, origin=long)\n"
        "said = [before, after, kept, text, [calls, runs]]",
        begin="go('0008_unreadable')",
    )
    columns, constraints = after["console_run"]
    columns.remove("log_position")
    # PostgreSQL names what may not be null among the constraints.
    constraints[:] = [one for one in constraints if one[0] != "['log_position']"]
    assert after == before
    assert kept == ["somebody", "page", "queued", ""] and text == "Because."
    assert widened == [1, 2]
