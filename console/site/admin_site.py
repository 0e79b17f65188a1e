"""The admin's site: for admins only, in one list, in the product's look.

It stands outside the package `console.admin`: Django makes the site before it
loads the modules that register with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth import logout
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from ..access import is_admin
from .signed_in import forget

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


class FusionAdminSite(admin.AdminSite):
    site_title = "Fusion admin"
    site_header = "Fusion admin"
    index_title = "Admin"
    site_url = "/fusion"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return is_admin(request.user)

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        inner = super().admin_view(view, cacheable)

        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            """Members find nothing here, whatever they ask for."""
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404("No such page.")
            if any("\0" in value for _, values in request.GET.lists() for value in values):
                raise BadRequest("No text holds a NUL.")  # PostgreSQL will not even look
            try:
                response = inner(request, *args, **kwargs)
                response.headers.setdefault("Cache-Control", "private, no-store")
                return response
            except OverflowError:  # SQLite's, of a number beyond its own
                raise BadRequest("No number is that large.") from None

        return cast(_View, gate)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise Http404("No such page.")
        target = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': target})}")

    def logout(  # type: ignore[override]  # the stub promises a page, Django only a response
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "POST":  # a link that somebody follows signs nobody out
            return HttpResponseNotAllowed(["POST"])
        logout(request)
        return forget(redirect("sign-in"))

    def password_change(  # type: ignore[override]  # as above
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Everybody's own is changed on one page."""
        return redirect("password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """One list, in the order of use, rather than one for every Django app."""
        models = [m for app in super().get_app_list(request, app_label) for m in app["models"]]
        if not models:
            return []
        order = [
            *("Preset", "Credential", "CatalogModel", "User", "ApiToken", "Purse", "SiteChoices"),
            "Run",
        ]
        for model in models:
            if model["object_name"] == "User":
                model["name"] = "People"
        models.sort(key=lambda m: order.index(m["object_name"]))
        label = app_label or "console"
        return [
            {
                "name": "Fusion",
                "app_label": label,
                "app_url": reverse("admin:index"),
                "has_module_perms": True,
                "models": models,
            }
        ]
