from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0043_own_prices_and_favourites"),
    ]

    operations = [
        migrations.AddField(
            model_name='purse',
            name='shares',
            field=models.JSONField(blank=True, null=True),
        ),
    ]
