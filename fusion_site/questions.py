"""What `up` asks the person at its terminal: whether to use a model server it has found.

Asked beside everything else, never in front of it: nobody has to answer, and where there is no
terminal the page asks. The answer is remembered, whichever it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import termios
from collections.abc import Callable

from .terminal import say

Manage = Callable[..., subprocess.Popen[str]]


class Questions:
    def __init__(self, manage: Manage) -> None:
        self._manage = manage
        self._open: list[tuple[str, str]] = []  # (address, question), the first is being asked
        self._command: subprocess.Popen[str] | None = None  # that looks, or carries an answer out
        self._is_looking = False
        self._is_asked = False

    def begin(self) -> None:
        if is_at_terminal():
            self._command, self._is_looking = self._manage("local_servers", "--unanswered"), True

    def go_on(self) -> None:
        """Called now and then; waits for nothing."""
        if self._command is not None:
            if self._command.poll() is not None:
                self._read(self._command.communicate()[0])
        elif self._open and not self._is_asked:
            with contextlib.suppress(termios.error):
                termios.tcflush(sys.stdin, termios.TCIFLUSH)  # typed before it was asked
            say(f"{self._open[0][1]} [y/N]")
            self._is_asked = True
        elif self._open and is_at_terminal() and select.select([sys.stdin], [], [], 0)[0]:
            self._answer(sys.stdin.readline())

    def _read(self, output: str) -> None:
        assert self._command
        failed, self._command = self._command.returncode, None
        if not self._is_looking:
            say(output.strip().removeprefix("CommandError: "))
            return
        self._is_looking = False
        # Whatever it could not find out is no reason to end all that runs.
        with contextlib.suppress(ValueError, IndexError):
            rows = [] if failed else json.loads(output.splitlines()[-1])
            self._open = [(row["url"], row["question"]) for row in rows]

    def _answer(self, line: str) -> None:
        if not line:  # the terminal is gone
            self._open = []
            return
        url, _ = self._open.pop(0)
        self._is_asked = False
        is_yes = line.strip().casefold() in ("y", "yes")
        self._command = self._manage("local_servers", "--use" if is_yes else "--not-now", url)


def is_at_terminal() -> bool:
    """Whether somebody may answer: reading from the background would stop this process."""
    try:
        if not sys.stdin.isatty():
            return False
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        # A terminal that controls nobody stops nobody either; one that is closed has no number.
        return not sys.stdin.closed
