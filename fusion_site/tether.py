"""Starts a program that Linux kills when its parent dies, by whatever death.

Run as a script in front of the program: `tether.py PARENT PROGRAM …`. The
promise is made in the new process before it becomes the program, because a
function run between fork and exec may deadlock in a parent that has threads.
Elsewhere than on Linux it only becomes the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tethered(command: list[str]) -> list[str]:
    """The command line to start instead. Start it from the main thread: Linux
    counts the thread that started a process as its parent."""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(os.getpid()), *command]


def tie(parent: int) -> None:
    """This process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)  # it died before the promise was made


def main(parent: int, command: list[str]) -> None:
    tie(parent)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
