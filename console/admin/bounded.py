"""Lists that are as quick of 100,000 rows as of 1,000, where nobody counts all of them, and whose
rows are a line each."""

from __future__ import annotations

from html import escape
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

COUNTED = 2_000  # PostgreSQL takes 3 ms for 10,000, a sixth of the page


def in_one_line(text: str, whole: str = "") -> SafeString:
    """What is cut off is its title, and stands whole on the row's own page."""
    shown = escape(text)
    title = escape(whole) if whole else shown
    return SafeString(f'<span class="one-line" title="{title}">{shown}</span>')


class BoundedPaginator(Paginator[Any]):
    """Of the first rows in the order that was asked for. What lies behind is found by narrowing
    the list."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # of the admin
        # Of runs by when they were made, with which the index of the admin's list begins: their
        # keys are not in it, so that SQLite would read the rows for them.
        by = "created_at" if hasattr(rows.model, "created_at") else "pk"
        return rows.order_by(f"-{by}").values(by)[:COUNTED].count()

    @property
    def counted(self) -> str:
        """Where not all were."""
        return f"{COUNTED:,}" if self.count == COUNTED else ""
