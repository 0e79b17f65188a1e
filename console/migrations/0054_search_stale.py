"""Words of the index that mean nothing any more, until workers have taken them out."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("console", "0053_searches_are_held")]

    operations = [
        migrations.CreateModel(
            name="SearchStale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("facet", models.CharField(max_length=80, unique=True)),
                ("before", models.BigIntegerField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
