"""Configuration and start.

Whatever imports this finds the project's own modules last. Python looks for every module
of every library in the directory of the program first; Celery and Daphne put the directory
from which they are started before even that. A `rich.py` that lies there for another
purpose would be taken for the library.
"""

import atexit
import gc
import os
import sys

_PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PATH = [p for p in sys.path if os.path.abspath(p or os.curdir) != _PROJECT] + [_PROJECT]


def own_modules_last() -> None:
    """Again, after somebody has changed where modules are looked for."""
    sys.path[:] = _PATH


own_modules_last()

# Nearly all that a start makes stays. To look through it for garbage after every 700 objects, and
# once more at the end, when all goes anyhow, took nearly half of each command.
gc.set_threshold(50_000, 10, 10)
atexit.register(gc.freeze)
