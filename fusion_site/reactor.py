"""Twisted's reactor, on the loop that workers have too.

Importing this installs it, so it comes before all else that is Twisted's: Daphne would install one
on asyncio's own loop.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet import asyncioreactor
from twisted.python.log import err

from console.site.loops import new_loop


def called(_: Any, method: Callable[..., Any], *arguments: Any) -> None:
    """Twisted would name whose it is, for a log that nobody keeps, with all that comes over any
    socket. What is raised, as by who is told that a connection is lost, goes where it would."""
    try:
        method(*arguments)
    except Exception:
        err()


# What `addReader` and `addWriter` call by this name.
asyncioreactor.callWithLogger = called
asyncioreactor.install(new_loop())
