"""What a browser complains of: errors of scripts, of the console, what the page's policy forbids
(which the console is told, too) and what could not be loaded."""

from __future__ import annotations

from playwright.sync_api import BrowserContext


def listen(context: BrowserContext, to: list[str]) -> None:
    context.on("weberror", lambda error: to.append(str(error.error)))
    context.on("console", lambda m: to.append(m.text) if m.type == "error" else None)
