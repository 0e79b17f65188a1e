"""What of a run is taken along: Markdown, one HTML file that asks nothing of anybody, or JSON
that is brought in again (`record/portable/`).

`taken.py` says of which runs and in which form; `account.py` tells one run in parts, whatever the
form; `as_markdown.py` and `as_html.py` write them. Who may see what is said elsewhere
(`access.shown_to`), and none of these shows more.
"""

from .taken import FORMS, Export, ended_in_thread, export_runs

__all__ = ["FORMS", "Export", "export_runs", "ended_in_thread"]
