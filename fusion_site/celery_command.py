"""Celery's command, as `python -m celery` is, without the shell of its `amqp` command, which a
worker never opens: it would hold prompt_toolkit, 6 MB."""

from __future__ import annotations

import sys
from types import ModuleType

SHELL = "click_repl"


def main() -> None:
    sys.modules[SHELL] = shell = ModuleType(SHELL)
    vars(shell)["register_repl"] = lambda group: None
    from celery.__main__ import main as celery

    celery()


if __name__ == "__main__":
    main()
