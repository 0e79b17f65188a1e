"""How much memory this process may use, how many runs that bears, and what is left of it when they
have ended."""

from __future__ import annotations

import gc
import os
from pathlib import Path

# Measured: 0.45 MB a run of six seats and 500 tokens each; long answers of many seats take more.
BYTES_PER_RUN = 4 * 2**20
SHARE = 4  # at most this part of the memory is for runs
FEWEST, MOST = 16, 500
# After so many that are still there a worker or web server looks through the newest objects, which
# takes a millisecond or two; whatever starts does hardly ever (`fusion_site/__init__.py`).
NEW_OBJECTS = 5_000
# So many times, and so many times these, until older ones are, too: a run's are old at its end. All
# that is there is looked through as often as Python usually does.
OLDER = 5, 3

# Of a container: version 2 of control groups, and version 1.
LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def runs_per_worker() -> int:
    return runs_in(memory())


def runs_in(available: int) -> int:
    return max(FEWEST, min(available // SHARE // BYTES_PER_RUN, MOST))


def memory(limits: tuple[Path, ...] = LIMITS) -> int:
    """In bytes: the machine's, or what a container may have of it."""
    try:
        known = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (ValueError, OSError):  # not every system says it
        known = []
    for path in limits:
        try:
            known.append(int(path.read_text()))
        except (ValueError, OSError):  # no such file, or "max"
            continue
    return min(known, default=0)


def look_for_garbage() -> None:
    """Of each page some thousand objects are left that know each other: its forms, its request; of
    each run that has ended some hundred, with all its texts. Of a start nothing is, so what is
    there by now is not looked through, and does not count when it is decided whether all that has
    come since is."""
    gc.collect()
    gc.freeze()
    gc.collect()  # of nothing: what stays is counted anew by it
    gc.set_threshold(NEW_OBJECTS, *OLDER)
