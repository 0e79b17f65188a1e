"""What the site's own search engine is paid stands in a hold of its own, with whom it was paid to;
of searches that were made before, as their runs tell them."""

from decimal import ROUND_CEILING, Decimal

from django.db import migrations, models

from ._columns import AddColumn

NANO, MILLION = 1_000_000_000, 1_000_000
AT_A_TIME = 200


def told(apps, schema_editor):
    Run, Hold = apps.get_model("console", "Run"), apps.get_model("console", "Hold")
    runs = Run.objects.filter(research__has_key="searches").order_by()
    fields = ("pk", "attempt", "research", "started_at", "created_at")
    made = []
    for pk, attempt, research, started, created in runs.values_list(*fields).iterator(AT_A_TIME):
        paid = [search for search in research["searches"] if search.get("cost")]
        for number, search in enumerate(paid, 1):
            cost = int((Decimal(search["cost"]) * NANO).to_integral_value(ROUND_CEILING))
            made.append(
                Hold(
                    run_id=pk,
                    call=f"panel-web-{number}",
                    engine=search["engine"][:40],
                    attempt=attempt,
                    amount_nano=cost,
                    settled_nano=cost,
                    input_tokens=MILLION,
                    input_price_nano=cost,
                    output_price_nano=0,
                    priced_by="list",
                    created_at=started or created,
                    settled_at=started or created,
                )
            )
    began = Hold._meta.get_field("created_at")
    began.auto_now_add = False  # when they were searched, not when this is written
    Hold.objects.bulk_create(made, batch_size=AT_A_TIME)
    began.auto_now_add = True


def untold(apps, schema_editor):
    apps.get_model("console", "Hold").objects.exclude(engine="").delete()


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0052_doubtful_claims"),
    ]

    operations = [
        AddColumn(
            model_name="hold",
            name="engine",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("engine", ""), _negated=True),
                fields=["created_at"],
                name="hold_of_search",
            ),
        ),
        migrations.RunPython(told, untold),
    ]
