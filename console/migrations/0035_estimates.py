"""What runs were expected to cost, what the site has chosen, and what a token need not say."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("console", "0034_presets_of_members"),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='defaults',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='run_budget_nano',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='estimate',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='usual_budget_nano',
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='SiteChoices',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference_model', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('runs_have_budget', models.BooleanField(db_default=True, default=True)),
                ('reference_credential', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='console.credential')),
            ],
            options={
                'verbose_name': 'choice for the site',
                'verbose_name_plural': 'choices for the site',
            },
        ),
    ]
