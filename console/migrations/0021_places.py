"""Places of presets that the catalog fills.

Quality and Budget, as they came with the site, get the places that new ones have, as long as
nobody has changed anything of them but whether and where they stand. What stands in a place
until a list of models has been read is what stood there before.
"""

from django.db import migrations, models

OPUS = "~anthropic/claude-opus-latest"
# Slug -> description and whom it waits for, as they came; seats: model -> place; description now.
CAME_WITH_THE_SITE = {
    "quality": (
        "Three frontier models, judged by the first.",
        ("everyone", 300),
        {
            OPUS: "anthropic/strongest",
            "~openai/gpt-latest": "openai/strongest",
            "~google/gemini-pro-latest": "google/strongest",
        },
        "The strongest models that your keys reach; one off the panel judges where there is one.",
        {"judge_place": "other/strongest"},
    ),
    "budget": (
        "Three inexpensive models, judged by a strong one.",
        ("all_but_one", 180),
        {
            "~google/gemini-flash-latest": "google/cheap",
            "deepseek/deepseek-v4-flash": "deepseek/cheap",
            "~moonshotai/kimi-latest": "openai/cheap",
        },
        "Cheap models and a cheap judge; a strong one writes.",
        {
            "judge_place": "other/cheap",
            "synthesizer_place": "other/strongest",
            "synthesizer_model": OPUS,
        },
    ),
}
# An address that moves on with its line: it gives way to a model as soon as a list is read.
MOVES_ON = {"deepseek/deepseek-v4-flash": "~deepseek/deepseek-flash-latest"}
AS_IT_CAME = {"enabled", "position", "slug", "id"}  # what is no change of a preset


def name_places(apps, schema_editor):
    using = schema_editor.connection.alias
    preset_model = apps.get_model("console", "Preset")
    seats = apps.get_model("console", "PresetPanelist").objects.using(using)
    given = apps.get_model("console", "Seed").objects.using(using)
    for slug, (old, waits, panel, new, places) in CAME_WITH_THE_SITE.items():
        if not given.filter(name=f"preset:{slug}").exists():
            continue
        preset = preset_model.objects.using(using).filter(slug=slug).first()
        if preset is None:
            continue
        expected = {
            "name": slug.capitalize(),
            "description": old,
            "judge_model": OPUS,
            "wait_for": waits[0],
            "panel_timeout": waits[1],
        }
        its_seats = list(seats.filter(preset=preset).order_by("seat"))
        if not _is_untouched(preset, expected, "judge_credential"):
            continue
        if [seat.model for seat in its_seats] != list(panel) or not all(
            _is_untouched(seat, {"model": model, "max_output_tokens": 16_000}, "credential")
            for seat, model in zip(its_seats, panel)
        ):
            continue
        for seat in its_seats:
            model = MOVES_ON.get(seat.model, seat.model)
            seats.filter(pk=seat.pk).update(place=panel[seat.model], model=model)
        preset_model.objects.using(using).filter(pk=preset.pk).update(
            description=new,
            **places,
            **({"synthesizer_credential": preset.judge_credential} if slug == "budget" else {}),
        )


def _is_untouched(row, expected, credential):
    if getattr(row, credential).slug != "openrouter":
        return False
    for field in row._meta.concrete_fields:
        if field.name in AS_IT_CAME | {credential, "seat", "preset"}:
            continue
        wanted = expected.get(field.name, field.get_default())
        if getattr(row, field.attname) != wanted:
            return False
    return True


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0020_analysis_by'),
    ]

    operations = [
        migrations.AddField(
            model_name='preset',
            name='filled_from',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='preset',
            name='judge_place',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='place to fill'),
        ),
        migrations.AddField(
            model_name='preset',
            name='judge_writes',
            field=models.BooleanField(db_default=False, default=False, help_text='The judge writes the fused answer, whoever is named as synthesizer. It costs less; with a cheap judge most of what fusing gains is lost.', verbose_name='cheap writer too'),
        ),
        migrations.AddField(
            model_name='preset',
            name='synthesizer_place',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='place to fill'),
        ),
        migrations.AddField(
            model_name='presetpanelist',
            name='place',
            field=models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='place to fill'),
        ),
        migrations.AlterField(
            model_name='preset',
            name='judge_model',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name='presetpanelist',
            name='model',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.RunPython(name_places, migrations.RunPython.noop),
    ]
