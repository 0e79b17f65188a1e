"""What a new site starts with: the built-in credentials and three presets.

Each is given once, marked by a `Seed`; what an admin edits stays edited and
what an admin deletes stays deleted. A later version's new starter reaches an
old site the same way.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.conf import settings

from ..providers import kinds
from ..providers.kinds import FRONTIER_OUTPUT_TOKENS, LOCAL_OUTPUT_TOKENS

OPUS = "~anthropic/claude-opus-latest"
# What the built-in model can write as judge and synthesizer in a time one is willing to wait.
LOCAL_ANALYSIS_TOKENS = 600
LOCAL_SYNTHESIS_TOKENS = 250
LOCAL = "local"
NEW_SEATS = "preset:local:seats"  # the Seed of those that came later


def _places(*places: tuple[str, str]) -> list[dict[str, Any]]:
    """Places, and what stands there until a list of models has been read."""
    return [
        {"place": place, "model": model, "max_output_tokens": FRONTIER_OUTPUT_TOKENS}
        for place, model in places
    ]


def _local(
    label: str,
    temperature: float,
    seed: int,
    system_prompt: str,
    max_output_tokens: int = LOCAL_OUTPUT_TOKENS,
) -> dict[str, Any]:
    return {
        "model": settings.LOCAL_MODEL_NAME,
        "label": label,
        "temperature": temperature,
        "seed": seed,
        "system_prompt": system_prompt,
        "max_output_tokens": max_output_tokens,
    }


def _first_local_panel() -> list[dict[str, Any]]:
    """The seats that Local had first: such moods make the built-in model ramble."""
    return [
        _local("careful", 0.2, 11, "Answer carefully. Say only what you are sure of."),
        _local("plain", 0.6, 22, "Answer plainly, in short sentences."),
        _local("bold", 0.9, 33, "Answer boldly. Take a clear position and give a reason."),
    ]


FIRST_LOCAL_DESCRIPTION = "One tiny model on this machine, in three moods. No key, no cost."


def presets() -> dict[str, dict[str, Any]]:
    return {
        "quality": {
            "name": "Quality",
            "description": "The strongest models that your keys reach; one off the panel judges "
            "where there is one.",
            "position": 10,
            "credential": "openrouter",
            "judge_place": "other/strongest",
            "judge_model": OPUS,
            "wait_for": "everyone",
            "panel_timeout": 300,
            "panel": _places(
                ("anthropic/strongest", OPUS),
                ("openai/strongest", "~openai/gpt-latest"),
                ("google/strongest", "~google/gemini-pro-latest"),
            ),
        },
        "budget": {
            "name": "Budget",
            "description": "Cheap models and a cheap judge; a strong one writes.",
            "position": 20,
            "credential": "openrouter",
            # With a cheap writer most of what fusing gains is lost, with a cheap judge nothing.
            "judge_place": "other/cheap",
            "judge_model": OPUS,
            "synthesizer_place": "other/strongest",
            "synthesizer_model": OPUS,
            "wait_for": "all_but_one",
            "panel_timeout": 180,
            "panel": _places(
                ("google/cheap", "~google/gemini-flash-latest"),
                ("deepseek/cheap", "~deepseek/deepseek-flash-latest"),
                ("openai/cheap", "~moonshotai/kimi-latest"),
            ),
        },
        LOCAL: {
            "name": "Local",
            "description": "One tiny model on this machine, asked in three ways. No key, no cost.",
            "position": 30,
            "credential": "local",
            "judge_model": settings.LOCAL_MODEL_NAME,
            "wait_for": "everyone",
            "panel_timeout": 900,
            "analysis_max_output_tokens": LOCAL_ANALYSIS_TOKENS,
            "synthesis_max_output_tokens": LOCAL_SYNTHESIS_TOKENS,
            "panel": [
                # Short requests in these words are what it answers to the point, and the room
                # for more is what it fills with whatever comes to it.
                _local("free", 0.2, 11, ""),
                _local("brief", 0.3, 22, "Answer in two or three sentences.", 150),
                _local("plain", 0.4, 33, "Answer in plain words, in at most five sentences.", 150),
            ],
        },
    }


def give(apps: Apps, using: str) -> None:
    """Works on the models of a finished migration as well as on today's."""
    seeds = apps.get_model("console", "Seed").objects.using(using)
    credentials = apps.get_model("console", "Credential").objects.using(using)
    made = apps.get_model("console", "Preset").objects.using(using)
    panelists = apps.get_model("console", "PresetPanelist").objects.using(using)
    columns = {field.name for field in made.model._meta.get_fields()}
    seat_columns = {field.name for field in panelists.model._meta.get_fields()}
    given = set(seeds.values_list("name", flat=True))
    for kind, server in kinds.servers():
        # Always there, for environment and presets name them; they cannot be deleted.
        defaults = {"name": server.name, "kind": kind.slug, "base_url": server.address}
        credentials.get_or_create(
            slug=server.slug, defaults={**defaults, "environment": server.slug}
        )
    for slug, values in presets().items():
        if f"preset:{slug}" in given:
            continue
        seeds.create(name=f"preset:{slug}")
        credential = credentials.get(slug=values.pop("credential"))
        panel = values.pop("panel")
        # Of an older migration the table has fewer columns.
        known = {name: value for name, value in values.items() if name in columns}
        if "synthesizer_model" in known:
            known["synthesizer_credential"] = credential
        preset, new = made.get_or_create(
            slug=slug, defaults={**known, "judge_credential": credential}
        )
        if new:
            for seat, options in enumerate(panel):
                known = {name: value for name, value in options.items() if name in seat_columns}
                panelists.create(preset=preset, seat=seat, credential=credential, **known)
    if NEW_SEATS not in given:
        seeds.create(name=NEW_SEATS)
        if f"preset:{LOCAL}" in given:
            _bring_up_to_date(made.filter(slug=LOCAL).first(), panelists)


def _bring_up_to_date(preset: Any, panelists: Any) -> None:
    """An old Local gets the seats of a new one, unless somebody has made something else of it."""
    seats = list(panelists.filter(preset=preset).order_by("seat", "id")) if preset else []
    first, new = _first_local_panel(), presets()[LOCAL]
    if [{name: getattr(s, name) for name in first[0]} for s in seats] != first:
        return
    for seat, options in zip(seats, new["panel"], strict=True):
        panelists.filter(pk=seat.pk).update(**options)
    if preset.description == FIRST_LOCAL_DESCRIPTION:
        preset.description = new["description"]
        preset.save(update_fields=["description"])
