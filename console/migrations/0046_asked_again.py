import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from ._columns import AddColumn


class Migration(migrations.Migration):
    dependencies = [("console", "0045_projects")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="again_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="asked_again",
                to="console.run",
            ),
        ),
        AddColumn(
            model_name="call",
            name="taken_from",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="preset",
            name="reuse_minutes",
            field=models.PositiveIntegerField(
                blank=True,
                null=True,
                help_text="Minutes for which the very same question is offered the answer that is "
                "there, instead of being asked again. Empty: never.",
                validators=[django.core.validators.MaxValueValidator(43200)],
                verbose_name="same question",
            ),
        ),
        migrations.AddField(
            model_name="sitechoices",
            name="tells_like",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("again_of__isnull", False)),
                fields=["again_of"],
                name="run_asked_again",
            ),
        ),
    ]
