from django.db import migrations, models


def tell_evaluations(apps, schema_editor):
    """Their runs had the shell's origin, and a name that began so, behind its owner's number."""
    runs = apps.get_model("console", "Run").objects
    runs.filter(client_run_id__contains=":evaluate:", origin="shell").update(origin="evaluation")


def tell_shell(apps, schema_editor):
    runs = apps.get_model("console", "Run").objects
    runs.filter(origin="evaluation").update(origin="shell")


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0028_run_under_way"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("origin", "evaluation")),
                fields=["visibility", "-created_at"],
                name="run_evaluated",
            ),
        ),
        migrations.RunPython(tell_evaluations, tell_shell),
    ]
