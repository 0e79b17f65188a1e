from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from . import checks, signals  # noqa: F401


class FusionAdminConfig(AdminConfig):
    default_site = "console.admin_site.FusionAdminSite"
