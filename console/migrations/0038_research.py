"""What is searched and read for a run: the pool in its row, the texts in rows of their own."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import console.migrations._columns


class Migration(migrations.Migration):
    dependencies = [("console", "0037_order_and_links")]

    operations = [
        console.migrations._columns.AddColumn(
            model_name="run",
            name="research",
            field=models.JSONField(
                blank=True, db_default=models.Value({}, models.JSONField()), default=dict
            ),
        ),
        migrations.CreateModel(
            name="SourceText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="source_texts",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="source_of_run")
                ],
            },
        ),
        migrations.AddField(
            model_name="preset",
            name="web",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "as usual"),
                    ("shared", "search before the panel is asked"),
                    ("off", "off"),
                ],
                db_default="",
                default="",
                help_text="As usual: on for Quality, off for the others. Only where a search "
                "engine is configured.",
                max_length=40,
                verbose_name="web",
            ),
        ),
        migrations.AddField(
            model_name="preset",
            name="web_queries",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8),
                ],
                verbose_name="web: queries",
            ),
        ),
        migrations.AddField(
            model_name="preset",
            name="web_pages",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(20),
                ],
                verbose_name="web: pages",
            ),
        ),
        migrations.AddField(
            model_name="preset",
            name="web_seconds",
            field=models.FloatField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(600),
                ],
                verbose_name="web: seconds",
            ),
        ),
    ]
