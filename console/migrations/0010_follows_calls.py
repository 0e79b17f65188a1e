"""A follow-up stores which calls it goes on from, not a copy of what was said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0009_columns"),
    ]

    operations = [
        migrations.AddField("run", "follows_calls", models.JSONField(blank=True, null=True)),
    ]
