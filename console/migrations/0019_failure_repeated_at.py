from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0018_catalog'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='failure_repeated_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
