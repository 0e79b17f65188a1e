"""What the first request would wait for, done before the process listens.

Django looks up views, compiles templates and imports their tags when they are first asked for, and
some of our own modules are imported where they are first needed, since workers and commands never
do: one and a half seconds of a processor that a person would wait for. Nothing here asks the
database, Redis or a server. What cannot be prepared says so in the log, and is tried again by the
request that needs it.
"""

from __future__ import annotations

import logging
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.forms.renderers import get_default_renderer
from django.template import engines
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import formats, timezone
from django.utils.module_loading import import_string

log = logging.getLogger(__name__)

# In these answers are written most often.
LANGUAGES = ("bash", "html", "javascript", "json", "python", "sql", "yaml")
TEXT = "A *text* with `code`, a formula $x^2$ and a [link](https://example.org).\n\n"
TEXT += "| a | b |\n|---|---|\n| 1 | 2 |\n\n"
TEXT += "".join(f"```{language}\nx = 1\n```\n\n" for language in LANGUAGES)


def up() -> None:
    for what in (_addresses, _templates, _texts, _moments, _models, _queue, _api):
        began = time.process_time()
        try:
            what()
        except Exception:
            log.warning("%s could not be prepared", what.__name__.strip("_"), exc_info=True)
        log.debug("%s prepared in %.2f s", what.__name__.strip("_"), time.process_time() - began)


def _addresses() -> None:
    assert get_resolver().reverse_dict is not None


def _names(folder: Path, below: str = "") -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / below).rglob("*.html"))


def _templates() -> None:
    engine: Any = engines["django"]  # of whatever kind, by its type
    assert engine.engine.template_context_processors
    import_string(settings.MESSAGE_STORAGE)
    cache.get("warm")  # it is imported when it is first asked
    of_admin = Path(admin.__file__).parent / "templates"
    for folder in (Path(settings.BASE_DIR) / "templates", of_admin):
        for name in _names(folder):
            get_template(name)
    # Fields of forms are rendered by an engine of their own.
    renderer = get_default_renderer()
    for name in _names(Path(forms.__file__).parent / "templates", "django"):
        renderer.get_template(name)
    for name in _names(of_admin, "admin/widgets"):
        renderer.get_template(name)


def _texts() -> None:
    from console.markdown import render

    render(TEXT)


def _moments() -> None:
    formats.date_format(timezone.now())
    time.strptime("2000", "%Y")


def _models() -> None:
    """Makers, published prices, and how each kind of server is asked."""
    from console.catalog import makers
    from console.providers import kinds

    makers.makers()
    for kind in kinds.KINDS.values():
        import_module(kind.module)
    for name in ("console.providers.wire.transport", "genai_prices.types", "certifi"):
        import_module(name)
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()


def _queue() -> None:
    from celery import current_app

    assert current_app.amqp.routes is not None and current_app.events.Dispatcher
    assert current_app.connection_for_write().transport_cls and current_app.backend


def _api() -> None:
    from console.api.openapi import openapi

    openapi("")
