"""Fields that name a model: below each stands the list of what can be chosen, as on every page."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse

from ..models import Credential

FIELD = {"data-model": "", "autocomplete": "off", "spellcheck": "false"}


class NamesModels:
    """For what is registered with the admin and for its rows of others. Without scripts the field
    is the text field that it is."""

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.name.rpartition("_")[2] == "model":
            field.widget.attrs |= FIELD
        return field


class WithListOfModels(NamesModels):
    """A page of the admin that has such fields; its template is, or extends,
    `admin/console/with_models.html`."""

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # What is chosen is a model at a key, which the admin has a field of its own for.
        context["keys"] = dict(Credential.objects.values_list("slug", "pk"))
        response: HttpResponse = super().render_change_form(  # type: ignore[misc]
            request, context, *args, **kwargs
        )
        return response
