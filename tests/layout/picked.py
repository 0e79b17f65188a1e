"""1,500 models on a page that Django has not asked anybody for: what `?models` would bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page, Route

from console.catalog.offers import in_html, names_of, offers_as_json
from console.models import CatalogModel, Credential
from console.models.catalog import NANO

MODELS = 1500
MAKERS = ("google/gemini", "anthropic/claude", "openai/gpt", "mistralai/mistral", "qwen/qwen")


def catalog() -> list[CatalogModel]:
    one, two = (
        Credential(pk=pk, slug=slug, name=slug, kind="openai_compatible", base_url="http://x/v1")
        for pk, slug in enumerate(("one", "two"), start=1)
    )
    rows = []
    for number in range(MODELS):
        name = f"{MAKERS[number % len(MAKERS)]}-{number}-pro"
        rows.append(
            CatalogModel(
                credential=one,
                model=name,
                context_length=None if number == 5 else 8_000 * (number + 1),
                input_price=None if number == 5 else number * NANO // 100,
                output_price=None if number == 5 else number * NANO // 20,
                inputs=["text", "image", "file"] if number % 2 else ["text"],
                takes_tools=number % 3 == 0,
                reasons=number % 4 == 0,
                expires_at=timezone.now() + timedelta(days=40) if number == 10 else None,
                published_at=timezone.now() if number == 15 else None,
            )
        )
    # Three of them by the other key as well, one under the very same name.
    rows += [CatalogModel(credential=two, model=n) for n in ("gemini-0-pro", "gemini-10-pro")]
    rows.append(CatalogModel(credential=two, model="anthropic/claude-1-pro"))
    return rows


# What calls have shown: tokens a second, calls, those that failed.
SEEN = {"one:openai/gpt-7-pro": (62, 40, 2), "one:qwen/qwen-9-pro": (None, 4, 3)}


def fragment(*used: str, starred: Sequence[str] = ()) -> str:
    rows = catalog()
    context = {"count": len(rows), "offers": offers_as_json(rows), "used": used}
    context |= {"starred": starred, "seen": in_html(SEEN)}
    assert set(used) <= set(names_of(rows))
    return render_to_string("console/compose/_models.html", context)


def bring_models(page: Page, html: str) -> None:
    """The page asks for them, as soon as the custom panel is chosen."""

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route("**/fusion?models*", answer)
    page.evaluate("document.getElementById('preset-custom').click()")
    page.locator("#model-list").wait_for(state="attached", timeout=60_000)
