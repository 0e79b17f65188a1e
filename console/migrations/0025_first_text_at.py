from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0024_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='first_text_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
