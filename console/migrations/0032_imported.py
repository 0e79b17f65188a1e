from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0030_verdict"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="imported",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
