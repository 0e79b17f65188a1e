"""The compose form: what a person asks, and of whom."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from .engine.spec import MAX_SEATS
from .models import Visibility

CUSTOM = "custom"
VISIBILITIES = [(v.value, v.label) for v in (Visibility.PRIVATE, Visibility.TEAM)]


class SeatsWidget(forms.Widget):
    """One input per seat, all of one name."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> list[str]:
        given = data.getlist(name) if isinstance(data, QueryDict) else data.get(name, [])
        return [str(value).strip() for value in given if str(value).strip()]


class SeatsField(forms.Field):
    widget = SeatsWidget

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > MAX_SEATS:
            raise forms.ValidationError(f"A panel has at most {MAX_SEATS} seats.")
        if any(len(model) > 200 for model in value):
            raise forms.ValidationError("A model's name has at most 200 characters.")


class ComposeForm(forms.Form):
    prompt = forms.CharField(strip=False, error_messages={"required": "Write a prompt first."})
    preset = forms.ChoiceField(
        error_messages={
            "required": "Choose a preset.",
            "invalid_choice": "That preset is not there any more. Choose another.",
        }
    )
    panel = SeatsField(required=False)
    judge = forms.CharField(required=False, max_length=200)
    synthesizer = forms.CharField(required=False, max_length=200)
    stop_after_panel = forms.BooleanField(required=False)
    visibility = forms.ChoiceField(choices=VISIBILITIES, required=False)
    client_run_id = forms.UUIDField(required=False)

    def __init__(self, *args: Any, presets: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["preset"].choices = [(slug, slug) for slug in presets]  # type: ignore[attr-defined]

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"]
        limit = settings.MAX_PROMPT_CHARACTERS
        if not prompt.strip():
            raise forms.ValidationError("Write a prompt first.")
        if len(prompt) > limit:
            raise forms.ValidationError(
                f"The prompt has {len(prompt):,} characters; {limit:,} are allowed."
            )
        return prompt

    def clean_visibility(self) -> str:
        return self.cleaned_data["visibility"] or Visibility.PRIVATE.value

    def clean_client_run_id(self) -> str:
        return str(self.cleaned_data["client_run_id"] or uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("preset") == CUSTOM:
            if not data.get("panel") and "panel" not in self.errors:
                self.add_error("panel", f"Name 1 to {MAX_SEATS} models for the panel.")
            if not data.get("judge") and "judge" not in self.errors:
                self.add_error("judge", "Name the model that judges the answers.")
        return data
