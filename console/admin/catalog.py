"""The catalog: what servers tell of their models, and the one thing that admins add to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ..engine.usage import money
from ..models import CatalogModel

# What an admin enters; everything else is its server's to say.
NAMED = ("credential", "model")
SAID = ("can_judge",)


@admin.register(CatalogModel)
class CatalogModelAdmin(admin.ModelAdmin[CatalogModel]):
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
