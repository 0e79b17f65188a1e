from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0022_unpaid'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='left_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
