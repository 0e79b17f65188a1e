"""A member's own preset as it is filled in: the Custom panel, with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from ..models import Preset
from ..models.presets import LEAST_BUDGET, MOST_REUSE_MINUTES
from ..services.wish import CUSTOM
from .forms import ComposeForm

# What nobody has chosen is off, but for presets that come with the site.
_OFFERED = Preset._meta.get_field("web").choices or ()
WAYS = [("", "off"), *((way, words) for way, words in _OFFERED if way not in ("", "off"))]


class OwnPresetForm(ComposeForm):
    prompt = None  # type: ignore[assignment]
    visibility = None  # type: ignore[assignment]
    client_run_id = None  # type: ignore[assignment]
    name = forms.CharField(max_length=60, error_messages={"required": "Give it a name."})
    description = forms.CharField(max_length=200, required=False)
    run_budget = forms.FloatField(
        required=False,
        min_value=LEAST_BUDGET,
        error_messages={"invalid": "A budget is a number of dollars, as in 0.50."},
    )
    reuse_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_REUSE_MINUTES,
        error_messages={
            "invalid": "That is a number of minutes.",
            "max_value": "The answer to the very same question stands for 30 days at most.",
        },
    )
    # Which way: here it is not chosen for a run alone.
    web_way = forms.ChoiceField(choices=WAYS, required=False)
    web_claims = forms.BooleanField(required=False)

    # All that a seat can be asked is shown, since here it is what one came for.
    shows_all = True

    def __init__(
        self, data: QueryDict | None = None, *, filled: Mapping[str, Any] | None = None, **kw: Any
    ) -> None:
        if data is not None:
            data = data.copy()
            data["preset"] = CUSTOM
        initial = {"preset": CUSTOM} | kw.pop("initial", {})
        super().__init__(data, presets=[CUSTOM], filled=filled, initial=initial, **kw)
