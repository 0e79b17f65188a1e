"""Budgets become purses: a token's dollars a day go there, with what it has spent today, and are
enforced from then on before each call."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q, Sum
from django.utils import timezone

NANO = 1_000_000_000


def nano(dollars):
    return int((dollars * NANO).to_integral_value(ROUND_CEILING))


def into_purses(apps, schema_editor):
    Token, Call, Purse, Window = (
        apps.get_model("console", name) for name in ("ApiToken", "Call", "Purse", "Window")
    )
    now = timezone.localtime()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for token in Token.objects.exclude(spending_per_day=None):
        purse = Purse.objects.create(
            kind="token",
            subject=str(token.pk),
            period="day",
            limit_nano=nano(token.spending_per_day),
        )
        calls = Call.objects.filter(
            Q(fusion__token=token) | Q(fusion__token=None, run__token=token),
            started_at__gte=today,
        )
        spent = calls.aggregate(spent=Sum("cost"))["spent"] or Decimal(0)
        Window.objects.create(purse=purse, rank=1, starts=now.date(), spent_nano=nano(spent))


def out_of_purses(apps, schema_editor):
    Token, Purse = (apps.get_model("console", name) for name in ("ApiToken", "Purse"))
    Token.objects.update(spending_per_day=None)
    for purse in Purse.objects.filter(kind="token", period="day"):
        limit = Decimal(purse.limit_nano) / NANO
        Token.objects.filter(pk=purse.subject).update(spending_per_day=limit)


class Migration(migrations.Migration):
    dependencies = [("console", "0032_imported")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="output_limit",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Purse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("subject", models.CharField(blank=True, default="", max_length=40)),
                ("period", models.CharField(max_length=40)),
                (
                    "limit_nano",
                    models.BigIntegerField(
                        validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "budget",
                "ordering": ["kind", "subject", "period"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "subject", "period"), name="purse_of_owner"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("call", models.CharField(max_length=40)),
                ("attempt", models.PositiveIntegerField()),
                ("amount_nano", models.BigIntegerField()),
                ("windows", models.JSONField(default=list)),
                ("input_tokens", models.PositiveIntegerField()),
                ("input_price_nano", models.BigIntegerField()),
                ("output_price_nano", models.BigIntegerField()),
                ("priced_by", models.CharField(max_length=40)),
                ("output_limit", models.PositiveIntegerField(blank=True, null=True)),
                ("settled_nano", models.BigIntegerField(blank=True, null=True)),
                ("is_estimated", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="holds",
                        to="console.run",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("settled_nano", None)),
                        fields=["run"],
                        name="hold_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "call", "attempt"), name="hold_of_call")
                ],
            },
        ),
        migrations.CreateModel(
            name="Window",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rank", models.PositiveSmallIntegerField()),
                ("starts", models.DateField()),
                ("spent_nano", models.BigIntegerField(default=0)),
                ("held_nano", models.BigIntegerField(default=0)),
                (
                    "purse",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="windows",
                        to="console.purse",
                    ),
                ),
            ],
            options={
                "ordering": ["rank", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("purse", "starts"), name="window_of_purse"),
                    models.CheckConstraint(
                        condition=models.Q(("held_nano__gte", 0)), name="window_holds_something"
                    ),
                ],
            },
        ),
        migrations.RunPython(into_purses, out_of_purses),
        # The column stays for web processes of the version before, which read it until they are
        # started anew; nobody here does.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="apitoken", name="spending_per_day")
            ]
        ),
    ]
