"""Files that were attached, once each by their hash; which runs use them, and how each call was given them."""

import django.db.models.deletion
from django.db import migrations, models

import console.migrations._columns


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0038_research'),
    ]

    operations = [
        migrations.CreateModel(
            name='File',
            fields=[
                ('hash', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('type', models.CharField(max_length=100)),
                ('size', models.BigIntegerField()),
                ('read', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('touched_at', models.DateTimeField(auto_now=True, db_index=True)),
            ],
        ),
        console.migrations._columns.AddColumn(
            model_name='call',
            name='files',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.CreateModel(
            name='RunFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=200)),
                ('is_earlier', models.BooleanField(db_default=False, default=False)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='console.file')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='console.run')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('run', 'number'), name='file_of_run')],
            },
        ),
    ]
