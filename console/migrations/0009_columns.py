"""Columns that name steps, causes, origins, kinds and states: no list of choices, and room.

Also how far in its log a run's rows reach.
"""

from django.db import migrations, models

import console.engine.state


class Wider(migrations.AlterField):
    """More room. PostgreSQL notes it in its catalog and rewrites nothing. SQLite holds nobody
    to a length, so its tables, which Django would copy once for each column, stay as they are.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0008_unreadable"),
    ]

    operations = [
        Wider("call", "cause", models.CharField(max_length=40)),
        Wider("call", "retry_cause", models.CharField(blank=True, max_length=40)),
        Wider("call", "status", models.CharField(max_length=40)),
        Wider("call", "step", models.CharField(max_length=40)),
        Wider(
            "credential",
            "environment",
            models.CharField(blank=True, default="", editable=False, max_length=40),
        ),
        Wider("credential", "kind", models.CharField(max_length=40)),
        Wider("fusion", "status", models.CharField(max_length=40)),
        Wider("run", "follows_from", models.CharField(blank=True, max_length=40)),
        Wider("run", "origin", models.CharField(default="page", max_length=40)),
        Wider(
            "run",
            "status",
            models.CharField(default=console.engine.state.RunStatus["QUEUED"], max_length=40),
        ),
        migrations.AddField(
            "run",
            "log_position",
            models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
    ]
