from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # The Celery app, in every process: the web process rings too.
        from fusion_site import celery  # noqa: F401

        from .site import checks, signals  # noqa: F401


class FusionAdminConfig(SimpleAdminConfig):
    """Pages of the admin are loaded with the addresses, not by a worker or a command."""

    default_site = "console.site.admin_site.FusionAdminSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[Any]:
    autodiscover()
    return list(check_admin_app(app_configs, **kwargs))
