from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        # The Celery app, in every process: the web process rings too.
        from fusion_site import celery  # noqa: F401

        from .site import checks, signals  # noqa: F401


class FusionAdminConfig(AdminConfig):
    default_site = "console.site.admin_site.FusionAdminSite"
