from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0025_followed_by'),
    ]

    operations = [
        migrations.AddField(
            model_name='fusion',
            name='wish',
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
