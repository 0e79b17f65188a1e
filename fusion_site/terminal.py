"""Words for the person at the terminal: what is being done, and what stopped it.

Whatever stops a command is a `SystemExit` with one plain sentence and the way
out; Python prints it and exits with status 1.
"""

from __future__ import annotations

import errno
import os
import re
import sys


def say(line: str, end: str = "\n") -> None:
    try:
        print(line, end=end, flush=True)
    except (OSError, ValueError):
        pass  # nobody listens any more; the work goes on


def fail(error: OSError, doing: str) -> SystemExit:
    """`doing` as in "writing /x/var"."""
    named = error.filename and not doing.endswith(str(error.filename))
    where = f" ({error.filename})" if named else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(doing)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SystemExit(
            f"No permission while {doing}{where}: use a directory this user may write to."
        )
    in_its_place = error.errno in (errno.EEXIST, errno.ENOTDIR)
    why = "there is a file in its place" if in_its_place else os.strerror(error.errno or 0)
    return SystemExit(f"Failed while {doing}{where}: {why}.")


def last_words(output: str) -> str:
    """Why a command of ours failed, from all that it printed: the first thing that Django's
    checks found (ours before theirs), else what stands below the last traceback."""
    lines = [line for line in output.splitlines() if line.strip()]
    for identity in (r"console\.E\d+", r"\w+\.E\d+"):
        for number, line in enumerate(lines):
            if found := re.match(rf"\S+ \({identity}\) (.+)", line):
                hint = lines[number + 1] if number + 1 < len(lines) else ""
                more = hint.strip().removeprefix("HINT: ") if "HINT: " in hint else ""
                return f"{found[1]} {more}".strip()
    indented = [number for number, line in enumerate(lines) if line.startswith("  ")]
    below = lines[indented[-1] + 1 :] if indented else lines[-1:]
    words = " ".join(line.strip() for line in below or lines[-1:])
    return re.sub(r"^[\w.]+(Error|Exception|Configured): ", "", words) or "no reason given"


def disk_full(doing: str) -> SystemExit:
    return SystemExit(f"The disk is full: {doing} failed; free some space and start again.")


def stopped() -> SystemExit:
    sys.stderr.write("\nStopped.\n")
    return SystemExit(130)
