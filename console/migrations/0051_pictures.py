"""Which pictures came with the answers of a run; who is given the text of a file by choice."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0050_file_bringers"),
    ]

    operations = [
        migrations.AddField(
            model_name="runfile",
            name="as_text",
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.CreateModel(
            name="RunPicture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="answers", to="console.file")),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="console.run")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("run", "file"), name="picture_of_run")],
            },
        ),
    ]
