"""Presets of the built-in model follow the one that is served: it has one name at a time.

What was run is not touched: a run's spec is its own.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.conf import settings

from ..providers import kinds
from .seed_data import LOCAL, presets

# What a seat of Local may write where a larger model is served in the packaged one's place.
LARGER_OUTPUT_TOKENS = 1500
LARGER_DESCRIPTION = "One model on this machine, asked in three ways. No key, no cost."


def follow(apps: Apps, using: str) -> None:
    """Works on the models of a finished migration as well as on today's."""
    name, local = settings.LOCAL_MODEL_NAME, presets()[LOCAL]
    credentials = apps.get_model("console", "Credential").objects.using(using)
    made: Any = apps.get_model("console", "Preset").objects.using(using)
    seats: Any = apps.get_model("console", "PresetPanelist").objects.using(using)
    at = credentials.filter(environment=kinds.BUILT_IN.slug).first()
    seats.filter(credential=at).exclude(model=name).update(model=name)
    for role in ("judge", "synthesizer"):
        named = made.filter(**{f"{role}_credential": at}).exclude(**{f"{role}_model": ""})
        named.update(**{f"{role}_model": name})
    # Limits made for the packaged model are no larger one's; what an admin chose stays.
    turned = {
        "analysis_max_output_tokens": None,
        "synthesis_max_output_tokens": None,
        "description": LARGER_DESCRIPTION,
    }
    for field, of_a_larger in turned.items():
        limits = _turned(local[field], of_a_larger)
        made.filter(slug=LOCAL, judge_credential=at, **{field: limits[0]}).update(
            **{field: limits[1]}
        )
    for seat, options in enumerate(local["panel"]):
        limits = _turned(options["max_output_tokens"], LARGER_OUTPUT_TOKENS)
        seats.filter(
            preset__slug=LOCAL, credential=at, seat=seat, max_output_tokens=limits[0]
        ).update(max_output_tokens=limits[1])


def _turned(of_the_packaged: Any, of_a_larger: Any) -> tuple[Any, Any]:
    """(before, after)"""
    if settings.LOCAL_MODEL_CONTEXT:
        return of_the_packaged, of_a_larger
    return of_a_larger, of_the_packaged
