"""The catalog: what servers tell of their models, and the one thing that admins add to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from ..engine.usage import money
from ..models import CatalogModel
from ..models.catalog import nano_dollars

# What an admin enters; everything else is its server's to say.
NAMED = ("credential", "model")
SAID = ("can_judge", "own_input", "own_output")


class CatalogModelForm(forms.ModelForm[CatalogModel]):
    """An own price is entered in dollars and kept in whole nano-dollars, both of it or none."""

    own_input = forms.DecimalField(
        label="Own price in",
        required=False,
        min_value=0,
        max_value=1_000_000,
        help_text="US dollars per million tokens, as you really pay. It goes before the listed "
        "price: in quotes, budgets and wherever a provider tells no cost. Empty: as listed.",
    )
    own_output = forms.DecimalField(
        label="Own price out", required=False, min_value=0, max_value=1_000_000
    )

    class Meta:
        model = CatalogModel
        fields = (*NAMED, "can_judge")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if own := self.instance.own_price:
            self.initial.update(own_input=own.input, own_output=own.output)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        own = [cleaned.get("own_input"), cleaned.get("own_output")]
        if own.count(None) == 1 and not self.errors:
            raise forms.ValidationError("An own price has both: in and out.")
        return cleaned

    def save(self, commit: bool = True) -> CatalogModel:
        row, before = self.instance, self.instance.own_price
        row.own_input_price = nano_dollars(self.cleaned_data["own_input"])
        row.own_output_price = nano_dollars(self.cleaned_data["own_output"])
        if row.own_price != before:
            row.own_price_at = timezone.now() if row.own_price else None
        saved: CatalogModel = super().save(commit)
        return saved


@admin.register(CatalogModel)
class CatalogModelAdmin(admin.ModelAdmin[CatalogModel]):
    form = CatalogModelForm
    list_display = ["model", "credential", "context_length", "prices", "expires_at", "gone_at",
                    "can_judge"]  # fmt: skip
    list_filter = ["credential", "can_judge", ("gone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["credential"]
    search_fields = ["model", "name"]
    readonly_fields = ["prices", "context_length", "output_tokens", "inputs", "outputs", "reasons",
                       "takes_tools", "alias_of", "published_at", "expires_at", "first_seen_at",
                       "last_seen_at", "gone_at"]  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: CatalogModel | None = None) -> Any:
        return [*NAMED, *SAID, *(self.readonly_fields if obj else ())]

    def get_readonly_fields(self, request: HttpRequest, obj: CatalogModel | None = None) -> Any:
        return [*self.readonly_fields, *(NAMED if obj else ())]

    @admin.display(description="US dollars per million tokens, in and out")
    def prices(self, row: CatalogModel) -> str:
        price = row.price
        return f"{money(price.input)}, {money(price.output)}" if price else "—"
