from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0016_wait_for'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='attachments',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
