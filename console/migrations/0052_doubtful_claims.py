from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0051_pictures"),
    ]

    operations = [
        migrations.AddField(
            model_name="preset",
            name="web_claims",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Where the web is searched, the judge also looks up contradictions and what only one answer says, at most four, before the fused answer is written.",
                verbose_name="web: doubtful claims",
            ),
        ),
    ]
