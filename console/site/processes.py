"""One site, several web processes: what each may have of what is limited for all of them."""

from __future__ import annotations

from django.conf import settings


def share(most: int) -> int:
    """Of a limit that is counted in each process alone, so that together they keep it."""
    processes: int = settings.WEB_PROCESSES
    return max(1, most // processes)
