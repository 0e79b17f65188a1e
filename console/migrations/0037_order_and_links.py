"""Links that run out, hide and are stored by their hashes; titles, tags, stars, what is put aside,
and what was deleted and may be put back.

Addresses that were given out before go on opening. The way back cannot restore them, since
nobody knows them any more: a run that was shared by link has to be shared again. What was deleted
and is not gone yet is put back on it.
"""

import hashlib
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import console.migrations._columns


def into_hashes(apps, schema_editor):
    Run, ShareLink = (apps.get_model("console", name) for name in ("Run", "ShareLink"))
    shared = Run.objects.exclude(share_token=None)
    rows = shared.values_list("pk", "owner_id", "visibility", "share_token")
    for pk, owner_id, visibility, token in rows.iterator():
        if visibility == "link":
            ShareLink.objects.create(
                run_id=pk,
                token_hash=hashlib.sha256(token.encode()).hexdigest(),
                made_by_id=owner_id,
                hides=["costs"],
            )
    shared.update(share_token=None)


def put_back(apps, schema_editor):
    Run, RunDeletion = (apps.get_model("console", name) for name in ("Run", "RunDeletion"))
    for deletion in RunDeletion.objects.iterator():
        kept = deletion.kept
        Run.objects.filter(pk=deletion.run_id).update(
            owner_id=deletion.owner_id, origin=kept["origin"], visibility=kept["visibility"]
        )
    if schema_editor.connection.vendor == "postgresql":
        # Else its table cannot be changed in this transaction.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0036_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("done_at", models.DateTimeField()),
            ],
        ),
        console.migrations._columns.AddColumn(
            model_name="run",
            name="title",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.CreateModel(
            name="LookedAt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(null=True)),
                ("news_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="looked_at",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RunDeletion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("act", models.UUIDField(db_index=True, default=uuid.uuid4)),
                ("kept", models.JSONField(default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deletion",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("hides", models.JSONField(default=list)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="RunMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="run_marks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marks",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "kind", "run"), name="mark_of_person")
                ],
            },
        ),
        migrations.CreateModel(
            name="RunTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tags",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "indexes": [models.Index(fields=["name", "run"], name="tag_named")],
                "constraints": [models.UniqueConstraint(fields=("run", "name"), name="tag_of_run")],
            },
        ),
        migrations.RunPython(into_hashes, put_back),
    ]
