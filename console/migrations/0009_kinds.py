from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0008_unreadable'),
    ]

    operations = [
        migrations.AlterField(
            model_name='credential',
            name='kind',
            field=models.CharField(max_length=40),
        ),
        migrations.AlterField(
            model_name='credential',
            name='environment',
            field=models.CharField(blank=True, default='', editable=False, max_length=20),
        ),
    ]
