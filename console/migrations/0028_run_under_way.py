import console.engine.state
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0027_first_text_at'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status__in', [console.engine.state.RunStatus['QUEUED'], console.engine.state.RunStatus['RUNNING']])), fields=['owner'], name='run_of_owner_unfinished'),
        ),
    ]
