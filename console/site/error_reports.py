"""Django's error reports (its page with DEBUG on, its mails) without what is secret in them."""

from __future__ import annotations

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from .logs import redact


class Discreet(SafeExceptionReporterFilter):
    def is_active(self, request: HttpRequest | None) -> bool:
        return True  # with DEBUG too, what is marked as sensitive is

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        return redact(cleansed) if isinstance(cleansed, str) else cleansed

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self._shown(name, value) for name, value in variables}.items()

    def _shown(self, name: str, value: Any) -> Any:
        if self.hidden_settings.search(name) and isinstance(value, (str, bytes)):
            return self.cleansed_substitute
        try:
            text = repr(value)
        except Exception:  # the page says so itself
            return value
        return value if (safe := redact(text)) == text else safe


class Reporter(ExceptionReporter):
    """What an error says of itself may hold a secret, too."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        for name in ("exception_value", "exception_notes"):
            if data.get(name):
                data[name] = redact(str(data[name]))
        return data
