"""Whom a run waits for, in a preset; which calls wrote on beside a fusion.

The presets that came with the site say it as new ones do, where nobody has said how
long they wait.
"""

import django.core.validators
from django.db import migrations, models

CAME_WITH_THE_SITE = {
    "quality": ("everyone", 300),
    "budget": ("all_but_one", 180),
    "local": ("everyone", 900),
}


def say_whom_to_wait_for(apps, schema_editor):
    using = schema_editor.connection.alias
    presets = apps.get_model("console", "Preset").objects.using(using)
    given = apps.get_model("console", "Seed").objects.using(using)
    for slug, (wait_for, panel_timeout) in CAME_WITH_THE_SITE.items():
        if given.filter(name=f"preset:{slug}").exists():
            untouched = presets.filter(slug=slug, quorum=None, grace=None, panel_timeout=None)
            untouched.update(wait_for=wait_for, panel_timeout=panel_timeout)


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0015_turns"),
    ]

    operations = [
        migrations.AddField(
            "fusion",
            "without",
            models.JSONField(
                blank=True, db_default=models.Value([], models.JSONField()), default=list
            ),
        ),
        migrations.AddField(
            "preset",
            "alive_timeout",
            models.FloatField(
                blank=True,
                help_text="Seconds without a word while its server sends signs of life.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0.1)],
            ),
        ),
        migrations.AddField(
            "preset",
            "wait_for",
            models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AlterField(
            "preset",
            "grace",
            models.FloatField(
                blank=True,
                help_text="Seconds the silent have once enough answers are in; slow panels get "
                "more.",
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            "preset",
            "quorum",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="“At least”, as a number: used where the field above is empty.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8),
                ],
            ),
        ),
        migrations.RunPython(say_whom_to_wait_for, migrations.RunPython.noop),
    ]
