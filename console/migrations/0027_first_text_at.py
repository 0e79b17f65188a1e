from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0026_wish'),
    ]

    operations = [
        migrations.AddField(
            model_name='call',
            name='first_text_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
