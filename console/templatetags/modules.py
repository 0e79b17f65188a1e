"""The import map of a page: the modules that it may load by their bare names, as in
`import { keep } from "console/draft"`, at the address of this version of each."""

from __future__ import annotations

import json
from collections.abc import Collection

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ..site.statics import versioned_statics

register = template.Library()
ROOM, MODULE = "console/", ".js"


def modules(folders: Collection[str] | None = None) -> dict[str, str]:
    """All, or those of every page and what some kinds of pages have in folders of their own."""
    names = versioned_statics().names()
    ours = [name for name in names if name.startswith(ROOM) and name.endswith(MODULE)]
    if folders is not None:
        ours = [n for n in ours if n.removeprefix(ROOM).rpartition("/")[0] in ("", *folders)]
    return {name.removesuffix(MODULE): static(name) for name in ours}


def _written(folders: tuple[str, ...]) -> str:
    return json.dumps({"imports": modules(folders)}, separators=(",", ":"))


@register.simple_tag(takes_context=True)
def import_map(context: template.Context, *folders: str) -> SafeString:
    """Nothing where there is no request, and so no nonce: a page that says what went wrong
    with a request it could not even read does without modules."""
    nonce = getattr(context.get("request"), "csp_nonce", None)
    if nonce is None:
        return SafeString("")
    # Addresses of ours: none holds what could end the element.
    text = mark_safe(versioned_statics().kept(folders, lambda: _written(folders)))
    return format_html('<script type="importmap" nonce="{}">{}</script>', str(nonce), text)
