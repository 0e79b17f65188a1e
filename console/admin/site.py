"""What admins choose for the whole site: one row of choices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from ..catalog.prices import price_of
from ..models import SiteChoices
from .named_models import WithListOfModels


class SiteChoicesForm(forms.ModelForm[SiteChoices]):
    class Meta:
        model = SiteChoices
        fields = ["reference_credential", "reference_model", "runs_have_budget", "tells_like"]
        labels = {
            "reference_credential": "Reference: its key",
            "reference_model": "Reference: the model",
            "runs_have_budget": "A run of which nobody says what it may cost has a usual budget",
            "tells_like": "Tell of earlier questions like the one that is being written",
        }
        help_texts = {
            "reference_model": "As its server names it. What it alone would cost stands beside the "
            "price of each run. Both empty: the model that writes.",
            "runs_have_budget": "Three times what was expected at most, held before each "
            "call. Where it is reached, what is finished is kept, and its page asks whether to go "
            "on and for how much. Models are asked with the output limit that it pays for.",
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        credential, model = data.get("reference_credential"), data.get("reference_model", "")
        if bool(credential) != bool(model):
            raise forms.ValidationError("Choose both the key and the model, or neither.")
        if credential and price_of(credential, model) is None:
            raise forms.ValidationError(
                {"reference_model": f"What {model} costs at {credential} is not known here."}
            )
        return data


@admin.register(SiteChoices)
class SiteChoicesAdmin(WithListOfModels, admin.ModelAdmin[SiteChoices]):
    form = SiteChoicesForm
    change_form_template = "admin/console/with_models.html"
    list_display = ["__str__", "reference_model", "runs_have_budget"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not SiteChoices.objects.exists()
