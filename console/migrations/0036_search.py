import django.db.models.deletion
from django.db import migrations, models

COLUMNS = ("heading", "prompt", "fused", "rest", "facets")
NAMES = ", ".join(COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
PUT_IN = f"INSERT INTO console_searchwords(rowid, {NAMES}) VALUES (new.id, {NEW});"
TAKE_OUT = (
    f"INSERT INTO console_searchwords(console_searchwords, rowid, {NAMES})"
    f" VALUES ('delete', old.id, {OLD});"
)
SQLITE = [
    # Texts come folded: the only sign between words is a blank, and facets have signs of their
    # own, which this tokenizer takes for letters.
    f"CREATE VIRTUAL TABLE console_searchwords USING fts5({NAMES}, content='console_searchentry',"
    " content_rowid='id', tokenize='ascii', prefix='3 4 5')",
    f"CREATE TRIGGER console_searchentry_put AFTER INSERT ON console_searchentry BEGIN {PUT_IN} END",
    f"CREATE TRIGGER console_searchentry_gone AFTER DELETE ON console_searchentry BEGIN {TAKE_OUT} END",
    "CREATE TRIGGER console_searchentry_anew AFTER UPDATE ON console_searchentry"
    f" BEGIN {TAKE_OUT} {PUT_IN} END",
]
WORDS = (
    "array_to_tsvector(array_remove(string_to_array("
    "heading || ' ' || prompt || ' ' || fused || ' ' || rest || ' ' || facets, ' '), ''))"
)
POSTGRES = [f"CREATE INDEX search_words ON console_searchentry USING gin (({WORDS}))"]


def make(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for statement in SQLITE if vendor == "sqlite" else POSTGRES:
        schema_editor.execute(statement, None)
    # What there is already is read by workers, a few at a time (worker/upkeep.py).
    Run = apps.get_model("console", "Run")
    apps.get_model("console", "SearchFill").objects.create(is_done=not Run.objects.exists())


def unmake(apps, schema_editor):
    # The triggers and PostgreSQL's index go with their table.
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE console_searchwords")


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0035_estimates"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchFill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.CharField(blank=True, db_default="", default="", max_length=80)),
                ("is_done", models.BooleanField(db_default=False, default=False)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("object", models.CharField(max_length=64)),
                ("part", models.PositiveIntegerField(default=0)),
                ("heading", models.TextField(blank=True)),
                ("prompt", models.TextField(blank=True)),
                ("fused", models.TextField(blank=True)),
                ("rest", models.TextField(blank=True)),
                ("facets", models.TextField(blank=True)),
                ("run", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="search_entries", to="console.run")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("kind", "object", "part"), name="search_entry")],
            },
        ),
        migrations.RunPython(make, unmake),
    ]
